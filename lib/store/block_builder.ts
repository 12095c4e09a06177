import { crc32 } from "../binlog/checksum.ts";
import { GtidSet } from "../gtid/gtid_set.ts";
import {
  BLOCK_BYTES_MAX,
  type BlockSummary,
  FIRST_POSITION,
  StoreError,
} from "./binlog_store.ts";
import type { HeadRecord } from "./block_engine.ts";
import { EventWalk } from "./event_walk.ts";

/** Fixed part of a summary with the keys of block and summary. */
const SUMMARY_FIXED_BYTES_MAX = 200;

/** UUID, tag, counts and one interval of a GTID set in wire form. */
const GTID_RUN_BYTES_MAX = 80;

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
 * The block under construction. Bytes are only ever added behind what is
 * there, so readers may hold views of what came before while it grows.
 */
export class BlockBuilder {
  /** Number of the block. */
  readonly number: number;
  /** Number of the file it belongs to. */
  readonly fileNumber: number;
  /** Position in the file of its first byte. */
  readonly startPosition: number;
  /** The bytes so far, with room up to `BLOCK_BYTES_MAX`. */
  readonly buffer: Uint8Array<ArrayBuffer> = new Uint8Array(BLOCK_BYTES_MAX);
  /** How many of them are used. */
  used = 0;
  /** Offset of the first event that begins here; -1 if none does. */
  firstEventOffset = -1;
  /** Position of that event; meaningless while there is none. */
  firstEventPosition = 0;
  /** Lowest timestamp that is not 0; 0 if there is none. */
  firstTimestamp = 0;
  /** Highest timestamp. */
  lastTimestamp = 0;
  /** See `BlockSummary.hasControl`. */
  hasControl = false;
  /** See `BlockSummary.endsInside`. */
  endsInside = false;
  /** GTIDs of transactions that begin in the block. */
  readonly began: GtidSet = new GtidSet();
  /** GTIDs of transactions that end in the block. */
  readonly ended: GtidSet = new GtidSet();

  /** The newest transaction that ended in the block; number 0 if none did. */
  lastUuid = "";
  lastTag = "";
  lastGno = 0n;
  // Upper bound of the runs of GTIDs in `began`.
  #gtidRuns = 0;
  #nextGno = 0n;

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

  /** The bytes so far. */
  bytes(): Uint8Array<ArrayBuffer> {
    return this.buffer.subarray(0, this.used);
  }

  /** Copies `source[start, end)` behind what is there; it must fit. */
  copy(source: Uint8Array, start: number, end: number): void {
    // Small pieces: a loop costs less than making a view for set().
    if (end - start < 24) {
      const buffer = this.buffer;
      let to = this.used;
      for (let from = start; from < end; from++) buffer[to++] = source[from]!;
    } else {
      this.buffer.set(source.subarray(start, end), this.used);
    }
    this.used += end - start;
  }

  /** Notes an event that begins at `offset`. */
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
    if (gno !== this.#nextGno) this.#gtidRuns++;
    this.#nextGno = gno + 1n;
  }

  /** The most bytes the block's summary can take, its key included. */
  get summaryBytesMax(): number {
    return SUMMARY_FIXED_BYTES_MAX + this.#gtidRuns * GTID_RUN_BYTES_MAX;
  }

  /** The block's summary, given the position after its last byte. */
  summary(endPosition: number): BlockSummary {
    const none = this.firstEventOffset < 0;
    return {
      fileNumber: this.fileNumber,
      startPosition: this.startPosition,
      endPosition,
      firstEventOffset: this.firstEventOffset,
      firstEventPosition: none ? endPosition : this.firstEventPosition,
      firstTimestamp: this.firstTimestamp,
      lastTimestamp: this.lastTimestamp,
      hasControl: this.hasControl,
      endsInside: this.endsInside,
      began: this.began,
      checksum: crc32(this.bytes()),
    };
  }
}

/**
 * The block the log goes on with after it was opened or cut back: `kept` is
 * what is before the head of the block the head is in. What the bytes say is
 * read from them; `hasControl` is set without looking, which is always safe.
 *
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
