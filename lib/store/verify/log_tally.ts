import type { ChecksumAlgorithm } from "../../binlog/checksum.ts";
import { eventTypeAt } from "../../binlog/event_header.ts";
import { EventType } from "../../binlog/event_type.ts";
import { formatGtid } from "../../gtid/gtid.ts";
import { GtidSet } from "../../gtid/gtid_set.ts";
import {
  formatMariadbGtid,
  type MariadbGtid,
} from "../../gtid/mariadb_gtid.ts";
import { MariadbGtidState } from "../../gtid/mariadb_gtid_state.ts";
import {
  type BlockSummary,
  type FileStart,
  FIRST_POSITION,
  type LogWriter,
} from "../binlog_store.ts";
import type { FileRecord, HeadRecord } from "../block_engine.ts";
import { FRAME_BYTES } from "../framing.ts";

/** What the blocks say of a file. */
export interface TalliedFile
  extends Omit<FileRecord, "previousGtids" | "formatDescription"> {
  /** What its Previous_gtids event says; undefined if it has none. */
  readonly announced: GtidSet | undefined;
  /** The GTIDs of everything before it. */
  readonly before: GtidSet;
  /** Its format description event; empty if it has none. */
  readonly formatDescription: Uint8Array;
}

/** Where the newest boundary is: a `HeadRecord` without its GTIDs. */
interface BoundaryPlace {
  fileNumber: number;
  position: number;
  block: number;
  offset: number;
  blockStartPosition: number;
  blockFirstEventOffset: number;
  blockFirstEventPosition: number;
  lastTimestamp: number;
}

/**
 * A `LogWriter` that keeps nothing but count: of what is appended it knows what
 * the store has to have as summary, file record and head. Blocks and files are
 * announced by `startBlock` and `beginFile`; `event` is called with the block's
 * own bytes, so that offsets in them are offsets in the block.
 */
export class LogTally implements LogWriter {
  fileName = "";
  position: number = FIRST_POSITION;
  /** True while what came before the file is not known. */
  isFirstFile = true;
  readonly executed: GtidSet;
  mariadb: MariadbGtidState | undefined;
  /** Offset in the block where the large event under way stands. */
  offsetOfLarge: () => number = () => 0;
  /** How many events there were. */
  events = 0;
  /** How many transactions with a GTID ended. */
  transactions = 0;

  // The current file.
  #fileNumber = 0;
  #firstBlock = 0;
  #before = new GtidSet();
  #announced: GtidSet | undefined;
  #mariadbStart: Uint8Array | undefined;
  #format: Uint8Array = new Uint8Array(0);
  #algorithm: ChecksumAlgorithm = "none";
  #secondPosition = Infinity;
  #firstTimestamp = 0;
  #lastTimestamp = 0;
  #serverUuid = "";
  #rotate: Uint8Array | undefined;

  // The current block.
  #block = 0;
  #blockStart: number = FIRST_POSITION;
  #firstEventOffset = -1;
  #firstEventPosition = 0;
  #blockFirstTimestamp = 0;
  #blockLastTimestamp = 0;
  #hasControl = false;
  #began = new GtidSet();

  // Offset after the newest event; -1 for a large one.
  #end = 0;

  // The transaction under way, and the newest one that ended.
  #openUuid = "";
  #openTag = "";
  #openGno = 0n;
  #openMariadb: MariadbGtid | undefined;
  #lastUuid = "";
  #lastTag = "";
  #lastGno = 0n;
  #lastMariadb: MariadbGtid | undefined;
  // Changed in place: there are millions of them a second.
  readonly #boundary: BoundaryPlace = {
    fileNumber: 0,
    position: 0,
    block: -1,
    offset: 0,
    blockStartPosition: 0,
    blockFirstEventOffset: -1,
    blockFirstEventPosition: 0,
    lastTimestamp: 0,
  };

  /** @param executed the GTIDs from before the first file; taken over */
  constructor(executed: GtidSet) {
    this.executed = executed;
  }

  /** Where the newest boundary is, as a head's record; undefined before one. */
  head(purged: Uint8Array): HeadRecord | undefined {
    if (this.#boundary.block < 0) return undefined;
    return {
      ...this.#boundary,
      executed: this.executed.encode(),
      purged,
      ...(this.mariadb && { mariadb: this.mariadb.encode() }),
      lastGtid: this.lastGtid,
    };
  }

  /** GTID of the newest transaction as text; empty before one. */
  get lastGtid(): string {
    if (this.#lastMariadb !== undefined) {
      return formatMariadbGtid(this.#lastMariadb);
    }
    if (this.#lastGno === 0n) return "";
    return formatGtid({
      uuid: this.#lastUuid,
      tag: this.#lastTag,
      gno: this.#lastGno,
    });
  }

  /** Announces a file, before the appender's `startFile`. */
  beginFile(number: number, firstBlock: number): void {
    this.#fileNumber = number;
    this.#firstBlock = firstBlock;
    this.#before = this.executed.clone();
    this.#announced = undefined;
    this.#mariadbStart = undefined;
    this.#format = new Uint8Array(0);
    this.#algorithm = "none";
    this.#secondPosition = FIRST_POSITION;
    this.#firstTimestamp = 0;
    this.#openGno = 0n;
    this.#openMariadb = undefined;
    this.#rotate = undefined;
  }

  startFile(start: FileStart): void {
    this.fileName = start.name;
    this.#serverUuid = start.serverUuid;
    this.position = FIRST_POSITION;
  }

  /** What the blocks said of the file so far, as if it ended here. */
  file(): TalliedFile {
    return {
      number: this.#fileNumber,
      name: this.fileName,
      firstBlock: this.#firstBlock,
      size: this.position,
      closed: true,
      serverUuid: this.#serverUuid,
      announced: this.#announced,
      before: this.#before,
      ...(this.#mariadbStart && { mariadbStart: this.#mariadbStart }),
      formatDescription: this.#format,
      checksumAlgorithm: this.#algorithm,
      firstTimestamp: this.#firstTimestamp,
      lastTimestamp: this.#firstTimestamp === 0 ? 0 : this.#lastTimestamp,
    };
  }

  /** Announces the next block. */
  startBlock(number: number): void {
    this.#block = number;
    this.#blockStart = this.position;
    this.#firstEventOffset = -1;
    this.#firstEventPosition = 0;
    this.#blockFirstTimestamp = 0;
    this.#blockLastTimestamp = 0;
    this.#hasControl = false;
    this.#began = new GtidSet();
  }

  /**
   * The summary of the block that was just appended.
   *
   * @param checksum CRC-32 of its bytes
   * @param endsInside whether its last event goes on in the next one
   */
  summary(checksum: number, endsInside: boolean): BlockSummary {
    const none = this.#firstEventOffset < 0;
    return {
      fileNumber: this.#fileNumber,
      startPosition: this.#blockStart,
      endPosition: this.position,
      firstEventOffset: this.#firstEventOffset,
      firstEventPosition: none ? this.position : this.#firstEventPosition,
      firstTimestamp: this.#blockFirstTimestamp,
      lastTimestamp: this.#blockLastTimestamp,
      hasControl: this.#hasControl,
      endsInside,
      began: this.#began,
      checksum,
    };
  }

  describeFile(
    formatDescription: Uint8Array,
    checksumAlgorithm: ChecksumAlgorithm,
  ): void {
    if (this.position !== FIRST_POSITION) return;
    this.#secondPosition = FIRST_POSITION + formatDescription.length;
    this.#format = formatDescription;
    this.#algorithm = checksumAlgorithm;
  }

  previousGtids(set: GtidSet): void {
    this.#announced = set;
    if (this.isFirstFile) this.executed.addSet(set);
  }

  mariadbGtidList(state: MariadbGtidState): void {
    this.#mariadbStart = state.encode();
    this.mariadb = state.clone();
  }

  closeFile(): void {
    // Whoever has the file's record compares it with `file`.
  }

  /** The file's newest rotate event; undefined if it has none. */
  get rotate():
    | { readonly event: Uint8Array; readonly algorithm: ChecksumAlgorithm }
    | undefined {
    const event = this.#rotate;
    return event && { event, algorithm: this.#algorithm };
  }

  event(
    buffer: Uint8Array,
    start: number,
    end: number,
    timestamp: number,
    control: boolean,
  ): void {
    this.#noteEvent(start, timestamp, control);
    this.position += end - start - FRAME_BYTES;
    this.#end = end;
    if (eventTypeAt(buffer, start + FRAME_BYTES) === EventType.ROTATE) {
      this.#rotate = buffer.slice(start + FRAME_BYTES, end);
    }
  }

  beginEvent(timestamp: number, control: boolean): void {
    this.#noteEvent(this.offsetOfLarge(), timestamp, control);
    this.#end = -1;
  }

  eventHeader(): void {
    // The framing was compared before.
  }

  eventBody(_buffer: Uint8Array, start: number, end: number): void {
    this.position += end - start;
  }

  beginTransaction(uuid: string, tag: string, gno: bigint): void {
    this.#began.add(uuid, tag, gno);
    this.#openUuid = uuid;
    this.#openTag = tag;
    this.#openGno = gno;
  }

  beginMariadbTransaction(gtid: MariadbGtid): void {
    this.#openMariadb = gtid;
  }

  boundary(): void {
    if (this.position <= this.#secondPosition) return;
    if (this.#openMariadb !== undefined) {
      this.mariadb ??= new MariadbGtidState();
      this.mariadb.add(this.#openMariadb);
      this.#lastMariadb = this.#openMariadb;
      this.#openMariadb = undefined;
      this.transactions++;
    }
    if (this.#openGno !== 0n) {
      this.executed.add(this.#openUuid, this.#openTag, this.#openGno);
      this.#lastUuid = this.#openUuid;
      this.#lastTag = this.#openTag;
      this.#lastGno = this.#openGno;
      this.#openGno = 0n;
      this.transactions++;
    }
    const boundary = this.#boundary;
    boundary.fileNumber = this.#fileNumber;
    boundary.position = this.position;
    boundary.block = this.#block;
    boundary.offset = this.#end < 0 ? this.offsetOfLarge() : this.#end;
    boundary.blockStartPosition = this.#blockStart;
    boundary.blockFirstEventOffset = this.#firstEventOffset;
    boundary.blockFirstEventPosition = this.#firstEventPosition;
    boundary.lastTimestamp = this.#lastTimestamp;
  }

  copyPending(): void {
    // Nothing is kept.
  }

  endOfInput(): void {
    // Nothing is kept.
  }

  ready(): undefined {
    return undefined;
  }

  flush(): Promise<void> {
    return Promise.resolve();
  }

  rollback(): Promise<void> {
    return Promise.resolve();
  }

  #noteEvent(offset: number, timestamp: number, control: boolean): void {
    this.events++;
    if (this.#firstEventOffset < 0) {
      this.#firstEventOffset = offset;
      this.#firstEventPosition = this.position;
    }
    if (control) this.#hasControl = true;
    if (timestamp === 0) return;
    this.#lastTimestamp = timestamp;
    if (this.#firstTimestamp === 0) this.#firstTimestamp = timestamp;
    if (
      this.#blockFirstTimestamp === 0 || timestamp < this.#blockFirstTimestamp
    ) this.#blockFirstTimestamp = timestamp;
    if (timestamp > this.#blockLastTimestamp) {
      this.#blockLastTimestamp = timestamp;
    }
  }
}
