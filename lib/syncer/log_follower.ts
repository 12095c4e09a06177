import type { ChecksumAlgorithm } from "../binlog/checksum.ts";
import { checksumBytes } from "../binlog/checksum.ts";
import { CRC32_RESIDUE, crc32At } from "../binlog/crc32_at.ts";
import {
  eventSizeAt,
  eventTypeAt,
  flagsAt,
  HEADER_BYTES,
  logPosAt,
  timestampAt,
} from "../binlog/event_header.ts";
import { EventFlag, EventType, eventTypeName } from "../binlog/event_type.ts";
import {
  decodeFormatDescription,
  patchFormatDescription,
} from "../binlog/format_description.ts";
import { GtidReader } from "../binlog/gtid_event.ts";
import { decodeHeartbeat } from "../binlog/heartbeat.ts";
import { decodePreviousGtids } from "../binlog/previous_gtids.ts";
import { decodeRotate } from "../binlog/rotate.ts";
import {
  BoundaryStep,
  TransactionBoundary,
} from "../binlog/transaction_boundary.ts";
import type { GtidSet } from "../gtid/gtid_set.ts";
import { decodeErr } from "../protocol/response.ts";
import {
  BLOCK_BYTES_MAX,
  FIRST_POSITION,
  type LogWriter,
} from "../store/binlog_store.ts";
import {
  DumpScanner,
  PACKET_HEADER_BYTES,
  type PacketSink,
} from "./dump_scanner.ts";
import { RunChecksum } from "./run_checksum.ts";
import { SourceError } from "./source_error.ts";

/** First byte of a payload that carries an event, ends the dump, or is an error. */
const STATUS_EVENT = 0x00;
const STATUS_EOF = 0xfe;
const STATUS_ERR = 0xff;

/** Packet header and status byte in front of an event. */
const FRAME_BYTES = PACKET_HEADER_BYTES + 1;

/** The most bytes of a Previous_gtids event that are held to be decoded. */
const PREVIOUS_GTIDS_BYTES_MAX = 64 * 1024 * 1024;

/** What a follower tells of what passed. */
export interface FollowerEvents {
  /** The source began or went on with a file. */
  fileStarted(name: string): void;
}

/** What a follower has to know of the source besides what it sends. */
export interface FollowerContext {
  /**
   * The stored format description of the file that the dump goes on with;
   * absent when it begins with a file.
   */
  readonly resumed?: Uint8Array | undefined;
  /**
   * GTIDs that the source has and that none of its files holds. They may be
   * missing in its files' Previous_gtids: MySQL 5.6 has them only in files begun
   * after `gtid_purged` was set, later versions never.
   */
  readonly purged?: GtidSet;
}

/**
 * Takes a dump from file and position and appends it to the log, byte for
 * byte: checks every event's length, checksum and position, keeps track of
 * transactions, and leaves out what the source made up for the stream alone
 * (artificial rotates, heartbeats, the format description of a resumed file).
 */
export class LogFollower implements PacketSink {
  readonly #writer: LogWriter;
  readonly #scanner: DumpScanner;
  readonly #boundary = new TransactionBoundary();
  readonly #gtid = new GtidReader();
  readonly #serverUuid: string;
  readonly #events: FollowerEvents;
  readonly #context: FollowerContext;
  readonly #runChecksum = new RunChecksum();
  // Events in this buffer are known to be intact up to there.
  #intactBytes: Uint8Array | undefined;
  #intactEnd = 0;
  #checksum: ChecksumAlgorithm = "none";
  #trailerBytes = 0;
  #sawFormat = false;
  #inGtidTransaction = false;
  #ended = false;
  // The large event under way.
  #largeBytes = 0;
  #largeSize = 0;
  #largeCrc = 0;
  #largeType = 0;
  #largeStep: BoundaryStep = BoundaryStep.INSIDE;
  #largeKept: Uint8Array[] | undefined;

  /**
   * @param writer where events go; stands where the dump begins
   * @param serverUuid UUID of the source; empty if it has none
   * @param events told of what passed
   * @param context what else it has to know
   */
  constructor(
    writer: LogWriter,
    serverUuid: string,
    events: FollowerEvents,
    context: FollowerContext = {},
  ) {
    this.#writer = writer;
    this.#serverUuid = serverUuid;
    this.#events = events;
    this.#context = context;
    this.#scanner = new DumpScanner(this, BLOCK_BYTES_MAX);
  }

  /** True once the source ended the dump of its own accord. */
  get ended(): boolean {
    return this.#ended;
  }

  /**
   * Takes the next bytes from the source. They may be reused after the call.
   *
   * @throws {SourceError} when the source reports an error or sent what can't
   * follow; {ServerError} as the source sent it
   */
  push(chunk: Uint8Array): void {
    this.#scanner.push(chunk);
    this.#writer.endOfInput();
  }

  run(bytes: Uint8Array, start: number): void {
    if (this.#trailerBytes === 0) return;
    this.#intactBytes = bytes;
    this.#intactEnd = this.#runChecksum.intactEnd(bytes, start);
  }

  packet(bytes: Uint8Array, start: number, end: number): void {
    const at = start + FRAME_BYTES;
    if (end < at || bytes[start + PACKET_HEADER_BYTES] !== STATUS_EVENT) {
      this.#notAnEvent(bytes.slice(start + PACKET_HEADER_BYTES, end));
      return;
    }
    const size = end - at;
    if (size < HEADER_BYTES || eventSizeAt(bytes, at) !== size) {
      throw this.#wrongSize(size);
    }
    const type = eventTypeAt(bytes, at);
    if (type === EventType.FORMAT_DESCRIPTION) {
      this.#checkFormat(bytes.slice(at, at + size));
    } else if (
      this.#trailerBytes !== 0 && !this.#isKnownIntact(bytes, end) &&
      crc32At(bytes, at, size) !== CRC32_RESIDUE
    ) {
      // Before the file's format description a rotate may be without one.
      if (type !== EventType.ROTATE || this.#sawFormat) {
        throw this.#wrongChecksum(type);
      }
    }
    if (this.#isForStreamOnly(type, bytes, at, size)) return;
    const writer = this.#writer;
    this.#checkPosition(bytes, at, size);
    const step = this.#boundary.step(type, bytes, at, size, this.#trailerBytes);
    const begins =
      (type === EventType.GTID || type === EventType.GTID_TAGGED) &&
      this.#gtid.read(bytes, at, size);
    if (begins) this.#inGtidTransaction = true;
    writer.event(
      bytes,
      start,
      end,
      timestampAt(bytes, at),
      !this.#inGtidTransaction,
    );
    if (begins) {
      writer.beginTransaction(
        this.#gtid.uuid,
        this.#gtid.tag,
        this.#gtid.gno,
      );
    }
    if (step !== BoundaryStep.INSIDE) {
      this.#inGtidTransaction = false;
      if (step === BoundaryStep.OUTSIDE) {
        this.#outside(type, bytes, at, size);
      }
      writer.boundary();
    }
  }

  reclaim(): void {
    this.#writer.copyPending();
  }

  largeStart(bytes: Uint8Array, start: number, end: number): void {
    const at = start + FRAME_BYTES;
    if (bytes[start + PACKET_HEADER_BYTES] !== STATUS_EVENT) {
      throw new SourceError(
        "stream",
        "The source sent a large packet that is no event",
      );
    }
    const type = eventTypeAt(bytes, at);
    this.#largeType = type;
    this.#largeSize = eventSizeAt(bytes, at);
    this.#largeBytes = end - at;
    this.#largeCrc = crc32At(bytes, at, end - at);
    this.#checkPosition(bytes, at, this.#largeSize);
    this.#largeStep = this.#boundary.stepLarge(type, flagsAt(bytes, at));
    this.#largeKept = undefined;
    if (type === EventType.PREVIOUS_GTIDS) {
      if (this.#largeSize > PREVIOUS_GTIDS_BYTES_MAX) {
        throw this.#wrongSize(this.#largeSize);
      }
      this.#largeKept = [bytes.slice(at, end)];
    }
    this.#writer.beginEvent(timestampAt(bytes, at), !this.#inGtidTransaction);
    this.#writer.eventHeader(bytes, start, at);
    this.#writer.eventBody(bytes, at, end);
  }

  largeHeader(bytes: Uint8Array, start: number, end: number): void {
    this.#writer.eventHeader(bytes, start, end);
  }

  largeBody(bytes: Uint8Array, start: number, end: number): void {
    this.#largeBytes += end - start;
    if (this.#largeBytes > this.#largeSize) {
      throw this.#wrongSize(this.#largeBytes);
    }
    if (this.#trailerBytes !== 0) {
      this.#largeCrc = crc32At(bytes, start, end - start, this.#largeCrc);
    }
    this.#largeKept?.push(bytes.slice(start, end));
    this.#writer.eventBody(bytes, start, end);
  }

  largeEnd(): void {
    if (this.#largeBytes !== this.#largeSize) {
      throw this.#wrongSize(this.#largeBytes);
    }
    if (this.#trailerBytes !== 0 && this.#largeCrc !== CRC32_RESIDUE) {
      throw this.#wrongChecksum(this.#largeType);
    }
    if (this.#largeStep === BoundaryStep.INSIDE) return;
    this.#inGtidTransaction = false;
    if (this.#largeKept !== undefined) {
      const event = concat(this.#largeKept);
      this.#takePreviousGtids(decodePreviousGtids(event, this.#checksum));
      this.#largeKept = undefined;
    }
    this.#writer.boundary();
  }

  /** Deals with events that are not part of the file; false for all others. */
  #isForStreamOnly(
    type: number,
    bytes: Uint8Array,
    at: number,
    size: number,
  ): boolean {
    switch (type) {
      case EventType.ROTATE:
        if ((flagsAt(bytes, at) & EventFlag.ARTIFICIAL) === 0) return false;
        this.#artificialRotate(bytes.slice(at, at + size));
        return true;
      case EventType.FORMAT_DESCRIPTION:
        return this.#formatDescription(bytes.slice(at, at + size));
      case EventType.HEARTBEAT:
      case EventType.HEARTBEAT_V2:
        this.#heartbeat(bytes.slice(at, at + size), type);
        return true;
      default:
        return false;
    }
  }

  #artificialRotate(event: Uint8Array): void {
    // The first one has a checksum only if the session asked for checksums
    // and the server has them; later ones follow the file just ended.
    const summed = crc32At(event, 0, event.length) === CRC32_RESIDUE;
    const to = decodeRotate(event, summed ? "crc32" : "none");
    const writer = this.#writer;
    this.#sawFormat = false;
    if (
      to.fileName === writer.fileName && to.position === BigInt(writer.position)
    ) {
      this.#events.fileStarted(to.fileName);
      return;
    }
    if (to.position !== BigInt(FIRST_POSITION)) {
      throw new SourceError(
        "stream",
        `The source went on at ${to.fileName} position ${to.position}, expected ${writer.fileName} position ${writer.position}`,
      );
    }
    if (this.#boundary.inTransaction) {
      throw new SourceError(
        "stream",
        `The source went on to ${to.fileName} inside a transaction of ${writer.fileName}`,
      );
    }
    writer.startFile({ name: to.fileName, serverUuid: this.#serverUuid });
    this.#events.fileStarted(to.fileName);
  }

  /**
   * Checks a format description's checksum, if its file has checksums. In one
   * that has none MySQL leaves the old one when it clears the position for a
   * dump from inside the file (`Binlog_sender::send_format_description_event`).
   */
  #checkFormat(event: Uint8Array): void {
    const { checksumAlgorithm } = decodeFormatDescription(event);
    if (checksumAlgorithm === "none") return;
    if (crc32At(event, 0, event.length) === CRC32_RESIDUE) return;
    throw this.#wrongChecksum(EventType.FORMAT_DESCRIPTION);
  }

  /** True for the format description of a file that is gone on with. */
  #formatDescription(event: Uint8Array): boolean {
    const format = decodeFormatDescription(event);
    this.#sawFormat = true;
    this.#checksum = format.checksumAlgorithm;
    this.#trailerBytes = checksumBytes(format.checksumAlgorithm);
    if (this.#writer.position !== FIRST_POSITION) {
      this.#checkSameFile(event);
      return true;
    }
    this.#writer.describeFile(event, format.checksumAlgorithm);
    return false;
  }

  /**
   * Makes sure that the file gone on with is the one whose begin is here. A
   * source that was reset writes files of the same names, and by the same
   * statements may have come to the same position and GTIDs; the time at which
   * a file was made is in its format description.
   */
  #checkSameFile(format: Uint8Array): void {
    const { resumed } = this.#context;
    if (resumed === undefined) return;
    const clear = { clearPosition: true };
    const received = patchFormatDescription(format, clear);
    const stored = patchFormatDescription(resumed, clear);
    if (sameBytes(received, stored)) return;
    throw new SourceError(
      "hole",
      `The source's file ${this.#writer.fileName} is not the one that kingbus has the begin of: the source was reset; give kingbus another data-dir to follow it from here`,
    );
  }

  #heartbeat(event: Uint8Array, type: number): void {
    const heartbeat = decodeHeartbeat(event, this.#checksum);
    const writer = this.#writer;
    const position = type === EventType.HEARTBEAT
      ? BigInt(writer.position % 0x1_0000_0000)
      : BigInt(writer.position);
    if (
      heartbeat.fileName !== writer.fileName || heartbeat.position !== position
    ) {
      throw new SourceError(
        "stream",
        `The source says it has sent all up to ${heartbeat.fileName} position ${heartbeat.position}, received is ${writer.fileName} position ${writer.position}`,
      );
    }
  }

  #outside(type: number, bytes: Uint8Array, at: number, size: number): void {
    if (type !== EventType.PREVIOUS_GTIDS) return;
    const event = bytes.subarray(at, at + size);
    this.#takePreviousGtids(decodePreviousGtids(event, this.#checksum));
  }

  #takePreviousGtids(set: GtidSet): void {
    const writer = this.#writer;
    if (!writer.isFirstFile) {
      this.#checkNoGap(set);
      writer.previousGtids(set);
      return;
    }
    const { purged } = this.#context;
    writer.previousGtids(purged === undefined ? set : set.union(purged));
  }

  /** What the source wrote to earlier files must all be here. */
  #checkNoGap(previous: GtidSet): void {
    const missing = previous.subtract(this.#writer.executed);
    if (missing.isEmpty) return;
    throw new SourceError(
      "hole",
      `The source's file ${this.#writer.fileName} follows transactions that were never received: ${missing}. They are in no earlier file (gtid_purged was set on the source); start a new data-dir from this file`,
    );
  }

  #isKnownIntact(bytes: Uint8Array, end: number): boolean {
    return bytes === this.#intactBytes && end <= this.#intactEnd;
  }

  #checkPosition(bytes: Uint8Array, at: number, size: number): void {
    const logPos = logPosAt(bytes, at);
    // Of the 32 bits that a header has; far faster than a remainder.
    const expected = this.#writer.position + size >>> 0;
    if (logPos === expected || logPos === 0) return;
    throw new SourceError(
      "stream",
      `The source sent an event that ends at position ${logPos} of ${this.#writer.fileName}, expected ${expected}`,
    );
  }

  #notAnEvent(payload: Uint8Array): void {
    if (payload[0] === STATUS_ERR) throw decodeErr(payload);
    if (payload[0] === STATUS_EOF && payload.length < 9) {
      this.#ended = true;
      return;
    }
    throw new SourceError(
      "stream",
      `The source sent a packet of ${payload.length} bytes that is no event`,
    );
  }

  #wrongSize(size: number): SourceError {
    return new SourceError(
      "stream",
      `The source sent an event of ${size} bytes after ${this.#writer.fileName} position ${this.#writer.position} that says it has another size`,
    );
  }

  #wrongChecksum(type: number): SourceError {
    return new SourceError(
      "stream",
      `The ${
        eventTypeName(type)
      } event at ${this.#writer.fileName} position ${this.#writer.position} arrived with a wrong checksum`,
    );
  }
}

function sameBytes(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length &&
    one.every((byte, index) => byte === other[index]);
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(
    parts.reduce((sum, part) => sum + part.length, 0),
  );
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
