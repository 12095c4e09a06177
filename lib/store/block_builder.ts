import { crc32 } from "../binlog/checksum.ts";
import { GtidSet } from "../gtid/gtid_set.ts";
import { formatGtid } from "../gtid/gtid.ts";
import { formatMariadbGtid, type MariadbGtid } from "../gtid/mariadb_gtid.ts";
import { MariadbGtidState } from "../gtid/mariadb_gtid_state.ts";
import {
  BLOCK_BYTES_MAX,
  type BlockSummary,
  FIRST_POSITION,
  StoreError,
} from "./binlog_store.ts";
import type { HeadRecord } from "./block_engine.ts";
import { EventWalk } from "./event_walk.ts";
import { blockPlace, SEAL_BYTES, writeSeal } from "./sealed_bytes.ts";

/** Up to this many bytes an event is copied by a loop: see `copy`. */
const LOOP_BYTES_MAX = 24;

/** About what a block takes beside its bytes: its GTID sets, mostly. */
const OBJECT_BYTES = 2_048;

/** Where a block begins, as far as its bytes do not say. */
export interface BlockStart {
  /** Number of the block, from 0, without gaps over the whole log. */
  readonly number: number;
  /** Number of the file it belongs to. */
  readonly fileNumber: number;
  /** Position in the file of its first byte. */
  readonly position: number;
}

/**
 * A block in memory: first under construction, then sealed. Bytes are only
 * ever added behind what is there, so readers may hold views of what came
 * before while it grows.
 */
export class BlockBuilder {
  /** Number of the block. */
  readonly number: number;
  /** Number of the file it belongs to. */
  readonly fileNumber: number;
  /** Position in the file of its first byte. */
  readonly startPosition: number;
  /** How many bytes it has. */
  used = 0;
  /** Offset of the first event that begins here; -1 if none does. */
  firstEventOffset: number = -1;
  /** Position of that event; meaningless while there is none. */
  firstEventPosition = 0;
  /** Lowest timestamp that is not 0; 0 if there is none. */
  firstTimestamp = 0;
  /** Highest timestamp. */
  lastTimestamp = 0;
  /** See `BlockSummary.hasControl`. */
  hasControl = false;
  /** GTIDs of transactions that begin in the block. */
  readonly began: GtidSet = new GtidSet();
  /** GTIDs of transactions that end in the block. */
  readonly ended: GtidSet = new GtidSet();

  // The newest transaction with a GTID that ended in the block.
  #lastUuid = "";
  #lastTag = "";
  #lastGno = 0n;

  /** What the Gtid_list in the block says; undefined if there is none. */
  #mariadbList: MariadbGtidState | undefined;
  /** What MariaDB transactions that end in the block add to the state. */
  #mariadbEnded: MariadbGtidState | undefined;
  #lastMariadb: MariadbGtid | undefined;

  /** Offset of the newest transaction boundary in the block; -1 if none. */
  boundaryOffset: number = -1;
  /** Position of that boundary in the file. */
  boundaryPosition = 0;
  /** Timestamp of the newest event before it that has one. */
  boundaryTimestamp = 0;
  /** What was appended up to there since the writer began; see `AppendCounts`. */
  boundaryBytes = 0;
  boundaryEvents = 0;
  boundaryTransactions = 0;

  // All of BLOCK_BYTES_MAX, until sealed; and room for the seal.
  #buffer: Uint8Array<ArrayBuffer> = new Uint8Array(
    BLOCK_BYTES_MAX + SEAL_BYTES,
  );
  #endPosition = 0;
  #endsInside = false;
  #summary: BlockSummary | undefined;

  /** Begins an empty block at `start`. */
  constructor(start: BlockStart) {
    this.number = start.number;
    this.fileNumber = start.fileNumber;
    this.startPosition = start.position;
  }

  /** Bytes that still fit. */
  get room(): number {
    return BLOCK_BYTES_MAX - this.used;
  }

  /** About how many bytes of memory it takes. */
  get memoryBytes(): number {
    return OBJECT_BYTES + this.#buffer.byteLength;
  }

  /** The bytes so far, from offset `from` up to `to`; a view. */
  bytes(from = 0, to: number = this.used): Uint8Array<ArrayBuffer> {
    return this.#buffer.subarray(from, to);
  }

  /** Copies `source[start, end)` behind what is there; it must fit. */
  copy(source: Uint8Array, start: number, end: number): void {
    // Small pieces: a loop costs less than making a view for set().
    if (end - start < LOOP_BYTES_MAX) {
      const buffer = this.#buffer;
      let to = this.used;
      for (let from = start; from < end; from++) buffer[to++] = source[from]!;
    } else {
      this.#buffer.set(source.subarray(start, end), this.used);
    }
    this.used += end - start;
  }

  /**
   * Notes an event that begins at `offset`.
   *
   * @param offset where in the block its packet begins
   * @param position where in the file the event begins
   * @param timestamp its timestamp in Unix seconds; 0 for none
   * @param control see `BlockSummary.hasControl`
   */
  noteEvent(
    offset: number,
    position: number,
    timestamp: number,
    control: boolean,
  ): void {
    if (this.firstEventOffset < 0) {
      this.firstEventOffset = offset;
      this.firstEventPosition = position;
    }
    if (timestamp !== 0) {
      if (this.firstTimestamp === 0 || timestamp < this.firstTimestamp) {
        this.firstTimestamp = timestamp;
      }
      if (timestamp > this.lastTimestamp) this.lastTimestamp = timestamp;
    }
    if (control) this.hasControl = true;
  }

  /** Notes a transaction that begins in the block. */
  noteTransaction(uuid: string, tag: string, gno: bigint): void {
    this.began.add(uuid, tag, gno);
  }

  /** Notes that a transaction that began here or earlier ends in the block. */
  noteEnd(uuid: string, tag: string, gno: bigint): void {
    this.ended.add(uuid, tag, gno);
    this.#lastUuid = uuid;
    this.#lastTag = tag;
    this.#lastGno = gno;
  }

  /** As `noteEnd`, of a transaction with a MariaDB GTID. */
  noteMariadbEnd(gtid: MariadbGtid): void {
    this.#mariadbEnded ??= new MariadbGtidState();
    this.#mariadbEnded.add(gtid);
    this.#lastMariadb = gtid;
  }

  /** Notes a Gtid_list, which comes before any transaction of its file. */
  noteMariadbList(state: MariadbGtidState): void {
    this.#mariadbList = state.clone();
    this.#mariadbEnded = undefined;
  }

  /**
   * The GTID of the newest transaction that ended in the block, as text;
   * undefined if none with a GTID did.
   */
  get lastGtid(): string | undefined {
    if (this.#lastMariadb !== undefined) {
      return formatMariadbGtid(this.#lastMariadb);
    }
    if (this.#lastGno === 0n) return undefined;
    return formatGtid({
      uuid: this.#lastUuid,
      tag: this.#lastTag,
      gno: this.#lastGno,
    });
  }

  /**
   * The state of a MariaDB log after the block's newest boundary.
   *
   * @param before the state before the block; may be changed and given back
   * @returns undefined when nothing of MariaDB has come yet
   */
  mariadbAfter(
    before: MariadbGtidState | undefined,
  ): MariadbGtidState | undefined {
    const state = this.#mariadbList?.clone() ?? before;
    if (this.#mariadbEnded === undefined) return state;
    const after = state ?? new MariadbGtidState();
    after.addState(this.#mariadbEnded);
    return after;
  }

  /**
   * Notes that nothing more is added.
   *
   * @param endPosition position in the file after the last byte
   * @param endsInside see `BlockSummary.endsInside`
   */
  seal(endPosition: number, endsInside: boolean): void {
    this.#endPosition = endPosition;
    this.#endsInside = endsInside;
    // Many small files would hold many large buffers.
    if (this.used <= BLOCK_BYTES_MAX / 2) {
      this.#buffer = this.#buffer.slice(0, this.used + SEAL_BYTES);
    }
  }

  /** The sealed block as it goes to disk: its bytes and their seal; a view. */
  stored(): Uint8Array<ArrayBuffer> {
    const { checksum } = this.summary();
    writeSeal(this.#buffer, this.used, blockPlace(this.number), checksum);
    return this.#buffer.subarray(0, this.used + SEAL_BYTES);
  }

  /** The summary of the sealed block. */
  summary(): BlockSummary {
    return this.#summary ??= this.#makeSummary();
  }

  #makeSummary(): BlockSummary {
    const none = this.firstEventOffset < 0;
    return {
      fileNumber: this.fileNumber,
      startPosition: this.startPosition,
      endPosition: this.#endPosition,
      firstEventOffset: this.firstEventOffset,
      firstEventPosition: none ? this.#endPosition : this.firstEventPosition,
      firstTimestamp: this.firstTimestamp,
      lastTimestamp: this.lastTimestamp,
      hasControl: this.hasControl,
      endsInside: this.#endsInside,
      began: this.began,
      checksum: crc32(this.bytes()),
    };
  }
}

/**
 * The block the log goes on with after it was opened or cut back. What its
 * bytes say is read from them; `hasControl` is set without looking, which is
 * always safe.
 *
 * @param head where the log ends; undefined for an empty log
 * @param kept what is before the head of the block the head is in
 * @throws {StoreError} `corrupt` when the bytes do not end where the head is
 */
export function builderAtHead(
  head: HeadRecord | undefined,
  kept: Uint8Array,
): BlockBuilder {
  if (head === undefined) {
    return new BlockBuilder({
      number: 0,
      fileNumber: 0,
      position: FIRST_POSITION,
    });
  }
  const builder = new BlockBuilder({
    number: head.block,
    fileNumber: head.fileNumber,
    position: head.blockStartPosition,
  });
  builder.copy(kept, 0, kept.length);
  if (head.blockFirstEventOffset < 0) return builder;
  const walk = new EventWalk(
    builder.bytes(),
    head.blockFirstEventOffset,
    head.blockFirstEventPosition,
  );
  while (walk.next()) {
    builder.noteEvent(walk.offset, walk.position, walk.timestamp, true);
    const gtid = walk.gtid();
    if (gtid !== null) builder.noteTransaction(gtid.uuid, gtid.tag, gtid.gno);
  }
  if (walk.endPosition !== head.position) {
    throw new StoreError(
      "corrupt",
      `Cannot go on at the head: block ${head.block} ends at position ${walk.endPosition}, the head is at ${head.position}`,
    );
  }
  return builder;
}
