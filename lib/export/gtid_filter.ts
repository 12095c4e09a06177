import {
  CHECKSUM_BYTES,
  type ChecksumAlgorithm,
  checksumBytes,
} from "../binlog/checksum.ts";
import { crc32At } from "../binlog/crc32_at.ts";
import {
  eventSizeAt,
  eventTypeAt,
  flagsAt,
  serverIdAt,
  timestampAt,
} from "../binlog/event_header.ts";
import { EventType } from "../binlog/event_type.ts";
import { GtidReader } from "../binlog/gtid_event.ts";
import { encodePreviousGtids } from "../binlog/previous_gtids.ts";
import {
  BoundaryStep,
  TransactionBoundary,
} from "../binlog/transaction_boundary.ts";
import type { GtidSet } from "../gtid/gtid_set.ts";
import type { StoredFile } from "../store/binlog_store.ts";
import type { EventSink } from "../store/event_scanner.ts";
import type { RawFileWriter } from "./raw_file_writer.ts";

/** Offset of the position after the event in an event's header. */
const LOG_POS_OFFSET = 13;

/**
 * Writes a file with some of its transactions only: those of a GTID set. What
 * belongs to no transaction stays. Positions and checksums are those of the
 * new file; its Previous_gtids are what the export has before it.
 */
export class GtidFilter implements EventSink {
  readonly #writer: RawFileWriter;
  readonly #wanted: GtidSet;
  readonly #previous: GtidSet;
  readonly #end: number;
  readonly #algorithm: ChecksumAlgorithm;
  readonly #boundary = new TransactionBoundary();
  readonly #gtid = new GtidReader();
  #keeping = true;
  /** How many transactions were written. */
  transactions = 0;

  // The large event under way.
  #largeStep: BoundaryStep = BoundaryStep.INSIDE;
  #largeKept = false;
  // Bytes of it in front of its checksum that are still to come.
  #largeRest = 0;
  #largeSum = 0;

  /**
   * @param writer what is written to
   * @param file the file of the log
   * @param wanted the transactions
   * @param previous those of them that earlier files of the export have
   * @param end position in the file of the log where to stop
   */
  constructor(
    writer: RawFileWriter,
    file: StoredFile,
    wanted: GtidSet,
    previous: GtidSet,
    end: number,
  ) {
    this.#writer = writer;
    this.#wanted = wanted;
    this.#previous = previous;
    this.#end = end;
    this.#algorithm = file.checksumAlgorithm;
  }

  event(
    bytes: Uint8Array,
    start: number,
    end: number,
    position: number,
  ): void {
    if (position >= this.#end) return;
    const type = eventTypeAt(bytes, start);
    const size = end - start;
    const trailerBytes = checksumBytes(this.#algorithm);
    const began = !this.#boundary.inTransaction;
    const step = this.#boundary.step(type, bytes, start, size, trailerBytes);
    if (began) this.#begin(step, bytes, start, size);
    if (!this.#keeping) return;
    if (type === EventType.PREVIOUS_GTIDS) {
      this.#writePrevious(bytes, start);
    } else if (type === EventType.FORMAT_DESCRIPTION) {
      // The first event: it is where it was.
      this.#writer.append(bytes, start, end);
    } else {
      this.#writeEvent(bytes, start, size);
    }
  }

  largeStart(
    bytes: Uint8Array,
    start: number,
    end: number,
    position: number,
  ): void {
    this.#largeKept = false;
    if (position >= this.#end) return;
    const type = eventTypeAt(bytes, start);
    const began = !this.#boundary.inTransaction;
    this.#largeStep = this.#boundary.stepLarge(type, flagsAt(bytes, start));
    if (began) this.#begin(this.#largeStep, bytes, start, 0);
    this.#largeKept = this.#keeping && type !== EventType.PREVIOUS_GTIDS;
    if (type === EventType.PREVIOUS_GTIDS) this.#writePrevious(bytes, start);
    if (!this.#largeKept) return;
    const size = eventSizeAt(bytes, start);
    this.#largeRest = size - checksumBytes(this.#algorithm);
    this.#largeSum = 0;
    const head = bytes.slice(start, end);
    putU32(head, LOG_POS_OFFSET, this.#writer.size + size);
    this.#writeLarge(head, 0, head.length);
  }

  largePart(bytes: Uint8Array, start: number, end: number): void {
    if (this.#largeKept) this.#writeLarge(bytes, start, end);
  }

  largeEnd(): void {
    if (!this.#largeKept || this.#algorithm === "none") return;
    const checksum = new Uint8Array(CHECKSUM_BYTES);
    putU32(checksum, 0, this.#largeSum);
    this.#writer.append(checksum);
  }

  /** Decides on what begins outside a transaction. */
  #begin(
    step: BoundaryStep,
    bytes: Uint8Array,
    start: number,
    size: number,
  ): void {
    if (step === BoundaryStep.OUTSIDE) {
      this.#keeping = true;
    } else if (size > 0 && this.#gtid.read(bytes, start, size)) {
      const { uuid, tag, gno } = this.#gtid;
      this.#keeping = this.#wanted.has(uuid, tag, gno);
      if (this.#keeping) this.transactions++;
    } else {
      // A transaction without a GTID is in no set.
      this.#keeping = false;
    }
  }

  #writePrevious(bytes: Uint8Array, start: number): void {
    this.#writer.append(encodePreviousGtids(this.#previous, {
      timestamp: timestampAt(bytes, start),
      serverId: serverIdAt(bytes, start),
      position: this.#writer.size,
      algorithm: this.#algorithm,
    }));
  }

  #writeEvent(bytes: Uint8Array, start: number, size: number): void {
    const writer = this.#writer;
    writer.reserve(size);
    const at = writer.used;
    const position = writer.size + size;
    writer.append(bytes, start, start + size);
    const { buffer } = writer;
    putU32(buffer, at + LOG_POS_OFFSET, position);
    if (this.#algorithm === "none") return;
    const end = at + size - CHECKSUM_BYTES;
    putU32(buffer, end, crc32At(buffer, at, end - at));
  }

  #writeLarge(bytes: Uint8Array, start: number, end: number): void {
    const count = Math.min(this.#largeRest, end - start);
    this.#writer.append(bytes, start, start + count);
    if (this.#algorithm !== "none") {
      this.#largeSum = crc32At(bytes, start, count, this.#largeSum);
    }
    this.#largeRest -= count;
  }
}

/** Low 32 bits, little-endian. */
function putU32(bytes: Uint8Array, offset: number, value: number): void {
  bytes[offset] = value;
  bytes[offset + 1] = value >>> 8;
  bytes[offset + 2] = value >>> 16;
  bytes[offset + 3] = value >>> 24;
}
