import {
  eventSizeAt,
  eventTypeAt,
  flagsAt,
  HEADER_BYTES,
} from "../binlog/event_header.ts";
import { EventFlag, EventType } from "../binlog/event_type.ts";
import { GtidReader } from "../binlog/gtid_event.ts";
import { MariadbGtidReader } from "../binlog/mariadb_gtid_event.ts";
import type { MariadbGtid } from "../gtid/mariadb_gtid.ts";
import { decodeErr } from "../protocol/response.ts";
import { BLOCK_BYTES_MAX } from "../store/binlog_store.ts";
import { FRAME_BYTES, PACKET_HEADER_BYTES } from "../store/framing.ts";
import {
  DumpScanner,
  type DumpScannerOptions,
  type PacketSink,
} from "./dump_scanner.ts";
import { SourceError } from "./source_error.ts";

/** First byte of a payload that ends the dump, or is an error. */
const STATUS_EOF = 0xfe;
const STATUS_ERR = 0xff;

/** Whom the GTIDs of a file are given to, in the file's order. */
export interface GtidTaker {
  /** MySQL's. */
  readonly mysql?: (uuid: string, tag: string, gno: bigint) => void;
  /** MariaDB's. */
  readonly mariadb?: (gtid: MariadbGtid) => void;
}

/**
 * Finds the GTIDs of one file in the bytes of a dump that begins with it, in
 * their order. Looks at nothing else.
 */
export class LogOrder implements PacketSink {
  readonly #taker: GtidTaker;
  readonly #gtid = new GtidReader();
  readonly #mariadbGtid = new MariadbGtidReader();
  readonly #scanner: DumpScanner;
  #files = 0;
  #ended = false;

  /**
   * @param taker is given each GTID
   * @param options how the dump's packets look
   */
  constructor(
    taker: GtidTaker,
    options: DumpScannerOptions = {},
  ) {
    this.#taker = taker;
    this.#scanner = new DumpScanner(this, BLOCK_BYTES_MAX, options);
  }

  /** True once the file has ended, or the dump has. */
  get ended(): boolean {
    return this.#ended;
  }

  /**
   * Takes the next bytes of the dump.
   *
   * @throws {SourceError} `stream`, or the {ServerError} that the source sent
   */
  push(chunk: Uint8Array): void {
    this.#scanner.push(chunk);
  }

  run(): void {
    // Packets are looked at one by one.
  }

  packet(bytes: Uint8Array, start: number, end: number): void {
    const status = bytes[start + PACKET_HEADER_BYTES];
    if (status === STATUS_ERR && !this.#ended) {
      throw decodeErr(bytes.slice(start + PACKET_HEADER_BYTES, end));
    }
    if (status === STATUS_EOF) this.#ended = true;
    const at = start + FRAME_BYTES;
    const size = end - at;
    if (this.#ended) return;
    if (size < HEADER_BYTES || eventSizeAt(bytes, at) !== size) {
      throw new SourceError(
        "stream",
        "The source sent a packet that is no event while its log was looked through",
      );
    }
    const type = eventTypeAt(bytes, at);
    if (
      type === EventType.ROTATE &&
      (flagsAt(bytes, at) & EventFlag.ARTIFICIAL) !== 0
    ) {
      this.#files += 1;
      this.#ended = this.#files > 1;
    } else if (this.#gtid.read(bytes, at, size)) {
      const { uuid, tag, gno } = this.#gtid;
      this.#taker.mysql?.(uuid, tag, gno);
    } else if (this.#mariadbGtid.read(bytes, at, size)) {
      this.#taker.mariadb?.(this.#mariadbGtid.gtid);
    }
  }

  reclaim(): void {
    // Nothing of an event is kept.
  }

  largeStart(): void {
    // No event with a GTID is large.
  }

  largeHeader(): void {
    // As above.
  }

  largeBody(): void {
    // As above.
  }

  largeEnd(): void {
    // As above.
  }

  replyWanted(): void {
    // Not a semi-synchronous dump.
  }
}
