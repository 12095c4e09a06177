import {
  CHECKSUM_BYTES,
  type ChecksumAlgorithm,
  checksumBytes,
} from "../binlog/checksum.ts";
import { CRC32_RESIDUE, crc32At } from "../binlog/crc32_at.ts";
import {
  eventSizeAt,
  eventTypeAt,
  flagsAt,
  HEADER_BYTES,
  logPosAt,
  timestampAt,
} from "../binlog/event_header.ts";
import { EventType, eventTypeName } from "../binlog/event_type.ts";
import {
  decodeFormatDescription,
  type FormatDescription,
} from "../binlog/format_description.ts";
import { GtidReader } from "../binlog/gtid_event.ts";
import { MalformedEventError } from "../binlog/malformed_event_error.ts";
import { MariadbGtidReader } from "../binlog/mariadb_gtid_event.ts";
import { decodeMariadbGtidList } from "../binlog/mariadb_gtid_list.ts";
import { moveEvent, moveEventHeader } from "../binlog/move_event.ts";
import { decodePreviousGtids } from "../binlog/previous_gtids.ts";
import {
  BoundaryStep,
  TransactionBoundary,
  TransactionBoundaryError,
} from "../binlog/transaction_boundary.ts";
import type { GtidSet } from "../gtid/gtid_set.ts";
import { formatMariadbGtidPosition } from "../gtid/mariadb_gtid_position.ts";
import { MariadbGtidState } from "../gtid/mariadb_gtid_state.ts";
import type { FileStart, LogWriter } from "./binlog_store.ts";
import { concatBytes } from "./concat_bytes.ts";
import { FRAME_BYTES, PACKET_PAYLOAD_BYTES_MAX } from "./framing.ts";
import { RunChecksum } from "./run_checksum.ts";

/**
 * What is wrong with an event that can't be appended:
 * - `stream`: it is damaged, or not what comes next in a binlog;
 * - `hole`: transactions are missing before it;
 * - `repeat`: it begins a transaction that the log has already.
 */
export type AppendFaultKind = "stream" | "hole" | "repeat";

/** How events are appended. */
export interface EventAppenderOptions {
  /** UUID of the server that wrote the files; empty if not known. */
  readonly serverUuid: string;
  /**
   * GTIDs that the server has and that none of its files holds. They may be
   * missing in its files' Previous_gtids: MySQL 5.6 has them only in files begun
   * after `gtid_purged` was set, later versions never.
   */
  readonly purged?: GtidSet | undefined;
  /**
   * Makes the error to throw.
   *
   * @param kind what is wrong
   * @param message says so, with file and position, as a whole sentence
   * without its full stop
   */
  fault(kind: AppendFaultKind, message: string): Error;
}

/** What is different about a file after a change of source. */
export type FileOrigin = Pick<FileStart, "sourceName" | "spliced">;

/** The most bytes of a Previous_gtids or Gtid_list event that are held to be decoded. */
const PREVIOUS_GTIDS_BYTES_MAX = 64 * 1024 * 1024;

/**
 * Appends the events of binlog files to a log, wherever they come from, and
 * makes sure that they are what a server wrote: checks every event's size,
 * checksum and position, the order of the events of a transaction, and that no
 * transaction is missing or there twice. Those of a spliced file (see
 * `StoredFile.spliced`) get the positions that they have there.
 *
 * ```text
 * log   = file { file }
 * file  = startFile, event (a format description) { event | large }
 * large = beginLarge { largeBody } endLarge
 * ```
 */
export class EventAppender {
  readonly #writer: LogWriter;
  readonly #options: EventAppenderOptions;
  readonly #boundary = new TransactionBoundary();
  readonly #gtid = new GtidReader();
  readonly #mariadbGtid = new MariadbGtidReader();
  readonly #runChecksum = new RunChecksum();
  // Events in this buffer are known to be intact up to there.
  #intactBytes: Uint8Array | undefined;
  #intactEnd = 0;
  #checksum: ChecksumAlgorithm = "none";
  #trailerBytes = 0;
  /** The current file is spliced: events are moved to where they come here. */
  #moves = false;
  #inGtidTransaction = false;
  /** The last file, if it ended inside a transaction: its server must have crashed. */
  #brokenOff = "";
  // The large event under way.
  #largeBytes = 0;
  #largeSize = 0;
  #largeCrc = 0;
  /** As `#largeCrc`, of what is appended in a spliced file. */
  #movedCrc = 0;
  #largeType = 0;
  #largeStep: BoundaryStep = BoundaryStep.INSIDE;
  #largeKept: Uint8Array[] | undefined;
  // What is to come of its packet, and of the whole with its status byte.
  #packetLeft = 0;
  #payloadLeft = 0;
  readonly #frame = new Uint8Array(FRAME_BYTES);
  readonly #trailer = new Uint8Array(CHECKSUM_BYTES);

  /**
   * @param writer where events go; stands where the first one comes
   * @param options whose events they are, and what to throw
   */
  constructor(writer: LogWriter, options: EventAppenderOptions) {
    this.#writer = writer;
    this.#options = options;
  }

  /** True while a transaction has begun and not ended. */
  get inTransaction(): boolean {
    return this.#boundary.inTransaction;
  }

  /** How the current file's events end; `none` before its format description. */
  get checksumAlgorithm(): ChecksumAlgorithm {
    return this.#checksum;
  }

  /**
   * Begins a file. The events of a spliced one are changed where they lie.
   *
   * @param name the file's name in the log
   * @param origin what else there is to say of it
   * @throws what `fault` makes, inside a transaction
   */
  startFile(name: string, origin: FileOrigin = {}): void {
    if (this.#boundary.inTransaction) {
      // MariaDB leaves what it had written of a transaction when it crashed; its
      // replicas drop that when they see that the server was started anew.
      this.#brokenOff = this.#writer.fileName;
      if (this.#writer.mariadb === undefined) throw this.#beginsInside(name);
      this.#boundary.reset();
    }
    const { serverUuid } = this.#options;
    this.#writer.startFile({ name, serverUuid, ...origin });
    this.#moves = origin.spliced === true;
  }

  /**
   * Takes over how the events end of a file that is gone on with.
   *
   * @param format its format description event
   * @param spliced whether the file is spliced
   * @throws what `fault` makes, when it is damaged
   */
  resumeFile(format: Uint8Array, spliced = false): void {
    const { checksumAlgorithm } = this.#checkFormat(format);
    this.#setChecksum(checksumAlgorithm);
    this.#moves = spliced;
  }

  /**
   * Announces whole events in frames: those that begin in `bytes[start, …)` and
   * end there follow one by one, and the bytes stay as they are until then. Many
   * small ones are checked together faster than one by one.
   */
  run(bytes: Uint8Array, start: number): void {
    if (this.#trailerBytes === 0) return;
    this.#intactBytes = bytes;
    this.#intactEnd = this.#runChecksum.intactEnd(bytes, start);
  }

  /**
   * Appends one whole event of at most `BLOCK_BYTES_MAX` framed bytes.
   *
   * @param bytes holds its frame: packet header, status byte 0, event. They stay
   * as they are as `LogWriter.event` has it
   * @param start offset of the packet header
   * @param end offset after the event
   * @throws what `fault` makes, when it is not what comes next
   */
  event(bytes: Uint8Array, start: number, end: number): void {
    const at = start + FRAME_BYTES;
    const size = end - at;
    if (size < HEADER_BYTES || eventSizeAt(bytes, at) !== size) {
      throw this.#wrongSize(size);
    }
    const writer = this.#writer;
    const type = eventTypeAt(bytes, at);
    if (type === EventType.FORMAT_DESCRIPTION) {
      const event = bytes.slice(at, end);
      const { checksumAlgorithm, createdAt } = this.#checkFormat(event);
      if (this.#brokenOff !== "" && createdAt === 0) {
        throw this.#beginsInside(writer.fileName);
      }
      this.#brokenOff = "";
      this.#setChecksum(checksumAlgorithm);
      writer.describeFile(event, checksumAlgorithm);
    } else if (
      this.#trailerBytes !== 0 && !this.#isKnownIntact(bytes, end) &&
      crc32At(bytes, at, size) !== CRC32_RESIDUE
    ) {
      throw this.#wrongChecksum(type);
    }
    if (this.#moves && type !== EventType.FORMAT_DESCRIPTION) {
      const endPosition = writer.position + size;
      moveEvent(bytes, at, size, endPosition, this.#trailerBytes);
    } else {
      this.#checkPosition(bytes, at, size);
    }
    const step = this.#step(type, bytes, at, size);
    const begins =
      (type === EventType.GTID || type === EventType.GTID_TAGGED) &&
      this.#readGtid(bytes, at, size);
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
    } else if (type === EventType.MARIADB_GTID) {
      this.#beginMariadb(bytes, at, size);
    }
    if (step === BoundaryStep.INSIDE) return;
    this.#inGtidTransaction = false;
    if (type === EventType.PREVIOUS_GTIDS) {
      this.#takePreviousGtids(bytes.subarray(at, end));
    } else if (type === EventType.MARIADB_GTID_LIST) {
      this.#takeMariadbGtidList(bytes.subarray(at, end));
    }
    writer.boundary(step === BoundaryStep.ENDS);
  }

  /**
   * Begins an event that is appended in parts because it is too large. Its
   * framing is made here.
   *
   * @param bytes holds its header, and as much more of it as there is
   * @param at offset of the header
   * @param end offset after what there is of the event; copied at once
   * @throws what `fault` makes, when it is not what comes next
   */
  beginLarge(bytes: Uint8Array, at: number, end: number): void {
    if (end - at < HEADER_BYTES) throw this.#wrongSize(end - at);
    const type = eventTypeAt(bytes, at);
    const size = eventSizeAt(bytes, at);
    this.#largeType = type;
    this.#largeSize = size;
    this.#largeBytes = 0;
    this.#largeCrc = 0;
    this.#movedCrc = 0;
    const endPosition = this.#writer.position + size;
    if (!this.#moves) this.#checkPosition(bytes, at, size);
    this.#largeStep = this.#stepLarge(type, flagsAt(bytes, at));
    this.#largeKept = undefined;
    if (
      type === EventType.PREVIOUS_GTIDS ||
      type === EventType.MARIADB_GTID_LIST
    ) {
      if (size > PREVIOUS_GTIDS_BYTES_MAX) throw this.#wrongSize(size);
      this.#largeKept = [];
    }
    this.#writer.beginEvent(timestampAt(bytes, at), !this.#inGtidTransaction);
    this.#payloadLeft = size + 1;
    this.#beginPacket(FRAME_BYTES);
    this.#packetLeft--;
    this.#payloadLeft--;
    this.#receiveLarge(bytes, at, end);
    if (this.#moves) moveEventHeader(bytes, at, endPosition);
    this.#appendLarge(bytes, at, end);
  }

  /**
   * Appends more of the event begun with `beginLarge`; copied at once.
   *
   * @throws what `fault` makes, when it is more than the event's header says
   */
  largeBody(bytes: Uint8Array, at: number, end: number): void {
    this.#receiveLarge(bytes, at, end);
    this.#appendLarge(bytes, at, end);
  }
  /**
   * Ends the event begun with `beginLarge`.
   *
   * @throws what `fault` makes, when it is not whole or damaged
   */
  endLarge(): void {
    if (this.#largeBytes !== this.#largeSize) {
      throw this.#wrongSize(this.#largeBytes);
    }
    if (this.#trailerBytes !== 0 && this.#largeCrc !== CRC32_RESIDUE) {
      throw this.#wrongChecksum(this.#largeType);
    }
    if (this.#moves) this.#appendTrailer();
    // A full packet is always followed by another one, if by an empty one.
    if ((this.#largeSize + 1) % PACKET_PAYLOAD_BYTES_MAX === 0) {
      this.#beginPacket(FRAME_BYTES - 1);
    }
    if (this.#largeStep === BoundaryStep.INSIDE) return;
    this.#inGtidTransaction = false;
    if (this.#largeKept !== undefined) {
      const event = concatBytes(this.#largeKept);
      if (this.#largeType === EventType.PREVIOUS_GTIDS) {
        this.#takePreviousGtids(event);
      } else this.#takeMariadbGtidList(event);
      this.#largeKept = undefined;
    }
    this.#writer.boundary(this.#largeStep === BoundaryStep.ENDS);
  }

  /** Counts and sums up a part of a large event as it came. */
  #receiveLarge(bytes: Uint8Array, at: number, end: number): void {
    this.#largeBytes += end - at;
    if (this.#largeBytes > this.#largeSize) {
      throw this.#wrongSize(this.#largeBytes);
    }
    if (this.#trailerBytes !== 0) {
      this.#largeCrc = crc32At(bytes, at, end - at, this.#largeCrc);
    }
    this.#largeKept?.push(bytes.slice(at, end));
  }

  /** Appends the part received last; of a moved event without its checksum. */
  #appendLarge(bytes: Uint8Array, at: number, end: number): void {
    if (!this.#moves) {
      this.#appendPart(bytes, at, end);
      return;
    }
    const summed = this.#largeSize - this.#trailerBytes;
    const tooMuch = Math.max(0, this.#largeBytes - summed);
    const to = Math.max(at, end - tooMuch);
    this.#movedCrc = crc32At(bytes, at, to - at, this.#movedCrc);
    this.#appendPart(bytes, at, to);
  }

  /** Appends the checksum that a large event has where it comes here. */
  #appendTrailer(): void {
    for (let byte = 0; byte < this.#trailerBytes; byte++) {
      this.#trailer[byte] = this.#movedCrc >>> 8 * byte;
    }
    this.#appendPart(this.#trailer, 0, this.#trailerBytes);
  }

  /** Appends a part of a large event, in as many packets as it takes. */
  #appendPart(bytes: Uint8Array, at: number, end: number): void {
    let from = at;
    while (from < end) {
      if (this.#packetLeft === 0) this.#beginPacket(FRAME_BYTES - 1);
      const count = Math.min(end - from, this.#packetLeft);
      this.#writer.eventBody(bytes, from, from + count);
      this.#packetLeft -= count;
      this.#payloadLeft -= count;
      from += count;
    }
  }

  /** Writes the header of the next packet of a large event, `bytes` long. */
  #beginPacket(bytes: number): void {
    const payload = Math.min(this.#payloadLeft, PACKET_PAYLOAD_BYTES_MAX);
    const frame = this.#frame;
    frame[0] = payload & 0xff;
    frame[1] = payload >>> 8 & 0xff;
    frame[2] = payload >>> 16;
    this.#packetLeft = payload;
    this.#writer.eventHeader(frame, 0, bytes);
  }

  /**
   * Checks a format description's checksum, if its file has checksums. In one
   * that has none MySQL leaves the old one when it clears the position for a
   * dump from inside the file (`Binlog_sender::send_format_description_event`).
   */
  #checkFormat(event: Uint8Array): FormatDescription {
    const format = this.#decode(() => decodeFormatDescription(event));
    if (
      format.checksumAlgorithm !== "none" &&
      crc32At(event, 0, event.length) !== CRC32_RESIDUE
    ) throw this.#wrongChecksum(EventType.FORMAT_DESCRIPTION);
    return format;
  }

  #setChecksum(algorithm: ChecksumAlgorithm): void {
    this.#checksum = algorithm;
    this.#trailerBytes = checksumBytes(algorithm);
  }

  #isKnownIntact(bytes: Uint8Array, end: number): boolean {
    return bytes === this.#intactBytes && end <= this.#intactEnd;
  }

  #checkPosition(bytes: Uint8Array, at: number, size: number): void {
    const logPos = logPosAt(bytes, at);
    // Of the 32 bits that a header has; far faster than a remainder.
    const expected = this.#writer.position + size >>> 0;
    if (logPos === expected || logPos === 0) return;
    throw this.#fault(
      "stream",
      `The ${
        eventTypeName(eventTypeAt(bytes, at))
      } event ${this.#where} says that it ends at ${logPos}, expected ${expected}`,
    );
  }

  #step(
    type: number,
    bytes: Uint8Array,
    at: number,
    size: number,
  ): BoundaryStep {
    try {
      return this.#boundary.step(type, bytes, at, size, this.#trailerBytes);
    } catch (error) {
      throw this.#outOfOrder(error);
    }
  }

  #stepLarge(type: number, flags: number): BoundaryStep {
    try {
      return this.#boundary.stepLarge(type, flags);
    } catch (error) {
      throw this.#outOfOrder(error);
    }
  }

  #readGtid(bytes: Uint8Array, at: number, size: number): boolean {
    const gtid = this.#gtid;
    try {
      if (!gtid.read(bytes, at, size)) return false;
    } catch (error) {
      throw this.#outOfOrder(error);
    }
    const { uuid, tag, gno } = gtid;
    if (!this.#writer.executed.has(uuid, tag, gno)) return true;
    throw this.#fault(
      "repeat",
      `The transaction ${uuid}:${
        tag === "" ? "" : `${tag}:`
      }${gno} ${this.#where} is in the log already`,
    );
  }

  #decode<Value>(decode: () => Value): Value {
    try {
      return decode();
    } catch (error) {
      throw this.#outOfOrder(error);
    }
  }

  /** A fault of the pure decoders, with file and position. */
  #outOfOrder(error: unknown): unknown {
    if (
      !(error instanceof TransactionBoundaryError) &&
      !(error instanceof MalformedEventError)
    ) return error;
    return this.#fault("stream", `${error.message} (${this.#where})`);
  }

  #takePreviousGtids(event: Uint8Array): void {
    const writer = this.#writer;
    const set = this.#decode(() => decodePreviousGtids(event, this.#checksum));
    if (!writer.isFirstFile) {
      this.#checkNoGap(set);
      writer.previousGtids(set);
      return;
    }
    const { purged } = this.#options;
    writer.previousGtids(purged === undefined ? set : set.union(purged));
  }

  #beginMariadb(bytes: Uint8Array, at: number, size: number): void {
    const reader = this.#mariadbGtid;
    this.#decode(() => reader.read(bytes, at, size - this.#trailerBytes));
    this.#writer.beginMariadbTransaction(reader.gtid);
  }

  /** As `#takePreviousGtids`; the server may have forgotten domains meanwhile. */
  #takeMariadbGtidList(event: Uint8Array): void {
    const writer = this.#writer;
    const { state } = this.#decode(() =>
      decodeMariadbGtidList(event, this.#checksum)
    );
    if (!writer.isFirstFile) {
      const known = writer.mariadb ?? new MariadbGtidState();
      const missing = known.missing(state);
      if (missing.length > 0) {
        throw this.#hole(formatMariadbGtidPosition(missing));
      }
    }
    writer.mariadbGtidList(state);
  }

  /** What is in earlier files must all be here. */
  #checkNoGap(previous: GtidSet): void {
    const missing = previous.subtract(this.#writer.executed);
    if (missing.isEmpty) return;
    throw this.#hole(`${missing}`);
  }

  #hole(missing: string): Error {
    return this.#fault(
      "hole",
      `The file ${this.#writer.fileName} follows transactions that were in no earlier file: ${missing}`,
    );
  }

  #beginsInside(name: string): Error {
    return this.#fault(
      "stream",
      `The file ${name} begins inside a transaction of ${this.#brokenOff}`,
    );
  }

  /** Where the event is that comes next. */
  get #where(): string {
    return `at ${this.#writer.fileName} position ${this.#writer.position}`;
  }

  #wrongSize(size: number): Error {
    return this.#fault(
      "stream",
      `The event ${this.#where} has ${size} bytes and says that it has another size`,
    );
  }

  #wrongChecksum(type: number): Error {
    return this.#fault(
      "stream",
      `The ${eventTypeName(type)} event ${this.#where} has a wrong checksum`,
    );
  }

  #fault(kind: AppendFaultKind, message: string): Error {
    return this.#options.fault(kind, message);
  }
}
