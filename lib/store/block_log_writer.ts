import type { ChecksumAlgorithm } from "../binlog/checksum.ts";
import { formatGtid } from "../gtid/gtid.ts";
import { GtidSet } from "../gtid/gtid_set.ts";
import {
  BLOCK_BYTES_MAX,
  type FileStart,
  FIRST_POSITION,
  type LogWriter,
  StoreError,
} from "./binlog_store.ts";
import { BlockBuilder, builderAtHead } from "./block_builder.ts";
import {
  type BlockEngine,
  type BlockWrite,
  COMMIT_BYTES_MAX,
  type EngineBatch,
  type FileRecord,
  type HeadRecord,
  type TailPiece,
} from "./block_engine.ts";

/** Sealed blocks that wait for the disk before `ready` asks for patience. */
const QUEUE_BYTES_MAX = 4 * COMMIT_BYTES_MAX;

/** Pieces of the newest block before one piece replaces them all. */
const TAIL_PIECES_MAX = 32;

/** The packet header and the status byte in front of an event. */
const FRAME_BYTES = 5;

/** A block that takes no more bytes, on its way to disk. */
interface SealedBlock {
  readonly builder: BlockBuilder;
  readonly endPosition: number;
  /** The last boundary in the block; offset -1 if there is none. */
  readonly boundaryOffset: number;
  readonly boundaryPosition: number;
}

/** What the writer tells the log. */
export interface WriterHost {
  /** A block was sealed: its bytes stay in memory until evicted. */
  sealed(builder: BlockBuilder, endPosition: number): void;
  /** A commit returned: its files and head are visible now. */
  committed(
    files: readonly FileRecord[],
    head: HeadRecord | undefined,
    lastBlock: number,
  ): void;
  /** Everything from block `block` on is gone from the log. */
  rolledBack(block: number): void;
  /** The log can't be written any more. */
  failed(error: StoreError): void;
}

/** Where the writer goes on. */
export interface WriterStart {
  /** The head's file; undefined for an empty log. */
  readonly file: FileRecord | undefined;
  readonly head: HeadRecord | undefined;
  readonly executed: GtidSet;
  readonly purged: GtidSet;
  /** The block to go on with, already holding what is before the head. */
  readonly block: BlockBuilder;
  readonly tailPieces: number;
}

/**
 * The writing half of `BlockLog`: cuts events into blocks and group-commits
 * them. One commit is under way at a time; what arrives meanwhile goes into
 * the next one, so commits are small when little happens and full under load.
 */
export class BlockLogWriter implements LogWriter {
  readonly #engine: BlockEngine;
  readonly #host: WriterHost;
  #file: FileRecord | undefined;
  #fileFirstTimestamp = 0;
  #fileLastTimestamp = 0;
  #position = FIRST_POSITION;
  #block: BlockBuilder;
  #queue: SealedBlock[] = [];
  #queueBytes = 0;
  // The newest durable record of the head's file and of those behind it.
  #committedFiles = new Map<number, FileRecord>();
  #dirtyFiles = new Map<number, FileRecord>();
  #executed: GtidSet;
  #purged: GtidSet;
  #durable: GtidSet;
  #head: HeadRecord | undefined;
  // Whole events of one buffer that are not copied yet.
  #run: Uint8Array | undefined;
  #runStart = 0;
  #runEnd = 0;
  // The transaction that began last, until its end is seen.
  #openUuid = "";
  #openTag = "";
  #openGno = 0n;
  // The newest transaction of the next head; number 0 if there is none.
  #lastUuid = "";
  #lastTag = "";
  #lastGno = 0n;
  // The newest boundary in the block under construction; -1 if none.
  #boundaryOffset = -1;
  #boundaryPosition = 0;
  // How much of the block under construction is on disk, in pieces.
  #tailBytes: number;
  #tailPieces: number;
  #committing = false;
  #failure: StoreError | undefined;
  #idle = new Set<() => void>();
  #room: PromiseWithResolvers<void> | undefined;

  /**
   * @param engine keeps the blocks
   * @param host is told of every block and commit
   * @param start where to go on
   */
  constructor(engine: BlockEngine, host: WriterHost, start: WriterStart) {
    this.#engine = engine;
    this.#host = host;
    this.#head = start.head;
    this.#executed = start.executed;
    this.#durable = start.executed.clone();
    this.#purged = start.purged;
    this.#block = start.block;
    this.#tailBytes = start.block.used;
    this.#tailPieces = start.tailPieces;
    this.#position = start.head?.position ?? FIRST_POSITION;
    this.#goOnWith(start.file);
  }

  get fileName(): string {
    return this.#file?.name ?? "";
  }

  get position(): number {
    return this.#position;
  }

  get isFirstFile(): boolean {
    return this.#file?.number === 1;
  }

  get executed(): GtidSet {
    return this.#executed;
  }

  /** The block under construction, for readers at the head. */
  get block(): BlockBuilder {
    return this.#block;
  }

  /** GTIDs of every transaction that is durable and visible. */
  get durable(): GtidSet {
    return this.#durable;
  }

  /** GTIDs from before the first file. */
  get purged(): GtidSet {
    return this.#purged;
  }

  /** Why no more can be written; undefined while it can. */
  get failure(): StoreError | undefined {
    return this.#failure;
  }

  startFile(start: FileStart): void {
    if (this.#file !== undefined && !this.#file.closed) this.closeFile();
    this.#flushRun();
    if (this.#block.used > 0) this.#seal();
    const number = (this.#file?.number ?? 0) + 1;
    this.#position = FIRST_POSITION;
    this.#block = new BlockBuilder({
      number: this.#block.number,
      fileNumber: number,
      position: FIRST_POSITION,
    });
    this.#fileFirstTimestamp = 0;
    this.#fileLastTimestamp = 0;
    this.#setFile({
      number,
      name: start.name,
      firstBlock: this.#block.number,
      size: 0,
      closed: false,
      serverUuid: start.serverUuid,
      previousGtids: new Uint8Array(0),
      formatDescription: new Uint8Array(0),
      checksumAlgorithm: "none",
      firstTimestamp: 0,
      lastTimestamp: 0,
    });
  }

  describeFile(
    formatDescription: Uint8Array,
    checksumAlgorithm: ChecksumAlgorithm,
  ): void {
    this.#setFile({
      ...this.#openFile(),
      formatDescription: formatDescription.slice(),
      checksumAlgorithm,
    });
  }

  previousGtids(set: GtidSet): void {
    const file = this.#openFile();
    this.#setFile({ ...file, previousGtids: set.encode() });
    if (file.number === 1) {
      this.#purged = set.clone();
      this.#executed = set.clone();
      this.#durable = set.clone();
    }
  }

  closeFile(): void {
    this.#flushRun();
    this.#noteTimestamps(this.#block);
    this.#setFile({
      ...this.#openFile(),
      closed: true,
      size: this.#position,
      firstTimestamp: this.#fileFirstTimestamp,
      lastTimestamp: this.#fileLastTimestamp,
    });
  }

  event(
    buffer: Uint8Array,
    start: number,
    end: number,
    timestamp: number,
    control: boolean,
  ): void {
    if (this.#run !== buffer || this.#runEnd !== start) {
      this.#flushRun();
      this.#run = buffer;
      this.#runStart = start;
      this.#runEnd = start;
    }
    const pending = this.#runEnd - this.#runStart;
    if (this.#block.used + pending + end - start > BLOCK_BYTES_MAX) {
      this.#flushRun();
      this.#seal();
      this.#run = buffer;
      this.#runStart = start;
      this.#runEnd = start;
    }
    const offset = this.#block.used + this.#runEnd - this.#runStart;
    this.#runEnd = end;
    this.#block.noteEvent(offset, this.#position, timestamp, control);
    this.#position += end - start - FRAME_BYTES;
  }

  beginEvent(timestamp: number, control: boolean): void {
    this.#flushRun();
    // A large event begins a block of its own, so that its header is whole.
    if (this.#block.used > 0) this.#seal();
    this.#block.noteEvent(0, this.#position, timestamp, control);
  }

  eventHeader(buffer: Uint8Array, start: number, end: number): void {
    if (this.#block.room < end - start) this.#sealInside();
    this.#block.copy(buffer, start, end);
  }

  eventBody(buffer: Uint8Array, start: number, end: number): void {
    let from = start;
    while (from < end) {
      if (this.#block.room === 0) this.#sealInside();
      const count = Math.min(end - from, this.#block.room);
      this.#block.copy(buffer, from, from + count);
      this.#position += count;
      from += count;
    }
  }

  beginTransaction(uuid: string, tag: string, gno: bigint): void {
    this.#block.noteTransaction(uuid, tag, gno);
    this.#openUuid = uuid;
    this.#openTag = tag;
    this.#openGno = gno;
  }

  boundary(): void {
    const block = this.#block;
    this.#boundaryOffset = block.used + this.#runEnd - this.#runStart;
    this.#boundaryPosition = this.#position;
    if (this.#openGno !== 0n) {
      block.ended.add(this.#openUuid, this.#openTag, this.#openGno);
      this.#executed.add(this.#openUuid, this.#openTag, this.#openGno);
      block.lastUuid = this.#openUuid;
      block.lastTag = this.#openTag;
      block.lastGno = this.#openGno;
      this.#openGno = 0n;
    }
  }

  copyPending(): void {
    this.#flushRun();
  }

  endOfInput(): void {
    this.#flushRun();
    // After a failed commit nothing may follow: its blocks are missing.
    if (this.#committing || this.#failure !== undefined) return;
    void this.#commitAll();
  }

  ready(): Promise<void> | undefined {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (this.#queueBytes <= QUEUE_BYTES_MAX) return undefined;
    this.#room ??= Promise.withResolvers<void>();
    return this.#room.promise;
  }

  async flush(): Promise<void> {
    this.endOfInput();
    while (this.#committing) {
      await new Promise<void>((resolve) => this.#idle.add(resolve));
    }
    if (this.#failure !== undefined) throw this.#failure;
  }

  async rollback(): Promise<void> {
    await this.flush();
    const head = this.#head;
    this.#openGno = 0n;
    if (
      this.#queue.length === 0 &&
      (head === undefined
        ? this.#block.number === 0 && this.#block.used === 0
        : this.#block.number === head.block &&
          this.#block.used === head.offset)
    ) return;
    await this.#cutBack(head);
  }

  /** Brings disk and memory back to `head`. */
  async #cutBack(head: HeadRecord | undefined): Promise<void> {
    const kept = head === undefined
      ? new Uint8Array(0)
      : await this.#headBytes(head);
    this.#queue = [];
    this.#queueBytes = 0;
    this.#dirtyFiles.clear();
    this.#committing = true;
    try {
      await this.#engine.commit({
        blocks: [],
        ...(head !== undefined && kept.length > 0
          ? { tail: { block: head.block, piece: 0, bytes: kept } }
          : {}),
        files: [],
        ...(head !== undefined ? { head } : {}),
        removeBlocksFrom: head?.block ?? 0,
        removeFilesAfter: head?.fileNumber ?? 0,
      });
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#committing = false;
    }
    if (this.#failure !== undefined) throw this.#failure;
    this.#restart(head, kept);
  }

  #restart(head: HeadRecord | undefined, kept: Uint8Array): void {
    this.#block = builderAtHead(head, kept);
    this.#host.rolledBack(this.#block.number);
    this.#tailBytes = kept.length;
    this.#tailPieces = kept.length > 0 ? 1 : 0;
    this.#boundaryOffset = -1;
    this.#position = head?.position ?? FIRST_POSITION;
    this.#executed = this.#durable.clone();
    this.#lastGno = 0n;
    this.#goOnWith(
      head === undefined
        ? undefined
        : this.#committedFiles.get(head.fileNumber),
    );
  }

  #goOnWith(file: FileRecord | undefined): void {
    this.#file = file;
    this.#fileFirstTimestamp = file?.firstTimestamp ?? 0;
    this.#fileLastTimestamp = file?.lastTimestamp ?? 0;
    if (file === undefined) return;
    this.#committedFiles.set(file.number, file);
    // The end of the file was on disk before all that came before it was.
    if (file.closed && file.size !== this.#position) {
      this.#setFile({ ...file, closed: false, size: 0 });
    }
  }

  async #headBytes(head: HeadRecord): Promise<Uint8Array> {
    if (this.#block.number === head.block) {
      return this.#block.buffer.slice(0, head.offset);
    }
    const queued = this.#queue.find((one) => one.builder.number === head.block);
    if (queued !== undefined) {
      return queued.builder.buffer.slice(0, head.offset);
    }
    const [bytes] = await this.#engine.readBlocks(head.block, 1);
    if (bytes === undefined || bytes.length < head.offset) {
      throw new StoreError(
        "corrupt",
        `Cannot go back to the head: block ${head.block} has ${
          bytes?.length ?? 0
        } bytes, expected at least ${head.offset}`,
      );
    }
    return bytes.slice(0, head.offset);
  }

  #openFile(): FileRecord {
    if (this.#file === undefined) {
      throw new TypeError("Cannot write to the log: no file was started");
    }
    return this.#file;
  }

  #setFile(record: FileRecord): void {
    this.#file = record;
    this.#dirtyFiles.set(record.number, record);
  }

  #flushRun(): void {
    if (this.#run === undefined) return;
    if (this.#runEnd > this.#runStart) {
      this.#block.copy(this.#run, this.#runStart, this.#runEnd);
    }
    this.#run = undefined;
    this.#runStart = 0;
    this.#runEnd = 0;
  }

  /** Widens the file's range of timestamps by a block's. */
  #noteTimestamps({ firstTimestamp, lastTimestamp }: BlockBuilder): void {
    if (
      firstTimestamp !== 0 &&
      (this.#fileFirstTimestamp === 0 ||
        firstTimestamp < this.#fileFirstTimestamp)
    ) this.#fileFirstTimestamp = firstTimestamp;
    if (lastTimestamp > this.#fileLastTimestamp) {
      this.#fileLastTimestamp = lastTimestamp;
    }
  }

  #sealInside(): void {
    this.#block.endsInside = true;
    this.#seal();
  }

  #seal(): void {
    const builder = this.#block;
    this.#noteTimestamps(builder);
    this.#queue.push({
      builder,
      endPosition: this.#position,
      boundaryOffset: this.#boundaryOffset,
      boundaryPosition: this.#boundaryPosition,
    });
    this.#queueBytes += builder.used;
    this.#host.sealed(builder, this.#position);
    this.#boundaryOffset = -1;
    this.#tailBytes = 0;
    this.#tailPieces = 0;
    this.#block = new BlockBuilder({
      number: builder.number + 1,
      fileNumber: builder.fileNumber,
      position: this.#position,
    });
  }

  async #commitAll(): Promise<void> {
    this.#committing = true;
    try {
      for (;;) {
        const next = this.#takeBatch();
        if (next === undefined) break;
        await this.#engine.commit(next);
        this.#publish(next);
      }
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#committing = false;
      for (const resolve of this.#idle) resolve();
      this.#idle.clear();
    }
  }

  /** The next commit; undefined when everything up to the boundary is out. */
  #takeBatch(): EngineBatch | undefined {
    const taken = this.#takeBlocks();
    let tail: TailPiece | undefined;
    let head: HeadRecord | undefined;
    if (taken.length > 0) {
      head = this.#headInBlocks(taken);
    } else if (this.#boundaryOffset > this.#tailBytes) {
      tail = this.#takeTail();
      this.#noteEnded(this.#block);
      head = this.#headAt(
        this.#block,
        this.#boundaryOffset,
        this.#boundaryPosition,
      );
    } else if (this.#dirtyFiles.size === 0) {
      return undefined;
    }
    const files = [...this.#dirtyFiles.values()];
    this.#dirtyFiles.clear();
    const blocks: BlockWrite[] = taken.map((one) => ({
      number: one.builder.number,
      bytes: one.builder.bytes(),
      summary: one.builder.summary(one.endPosition),
    }));
    return {
      blocks,
      files,
      ...(tail !== undefined ? { tail } : {}),
      ...(head !== undefined ? { head } : {}),
    };
  }

  #takeBlocks(): SealedBlock[] {
    let bytes = this.#head === undefined
      ? 0
      : this.#head.executed.length + this.#head.purged.length;
    let count = 0;
    for (const { builder } of this.#queue) {
      bytes += builder.used + builder.summaryBytesMax;
      if (count > 0 && bytes > COMMIT_BYTES_MAX) break;
      count++;
    }
    return this.#queue.splice(0, count);
  }

  #takeTail(): TailPiece {
    const block = this.#block;
    const whole = this.#tailPieces >= TAIL_PIECES_MAX;
    const from = whole ? 0 : this.#tailBytes;
    const piece = whole ? 0 : this.#tailPieces;
    this.#tailPieces = piece + 1;
    this.#tailBytes = this.#boundaryOffset;
    return {
      block: block.number,
      piece,
      bytes: block.buffer.subarray(from, this.#boundaryOffset),
    };
  }

  #headInBlocks(taken: readonly SealedBlock[]): HeadRecord | undefined {
    let last: SealedBlock | undefined;
    for (const one of taken) {
      this.#noteEnded(one.builder);
      if (one.boundaryOffset >= 0) last = one;
    }
    return last === undefined
      ? undefined
      : this.#headAt(last.builder, last.boundaryOffset, last.boundaryPosition);
  }

  /** Counts the block's transactions as part of the next head. */
  #noteEnded(block: BlockBuilder): void {
    if (block.lastGno === 0n) return;
    this.#durable.addSet(block.ended);
    this.#lastUuid = block.lastUuid;
    this.#lastTag = block.lastTag;
    this.#lastGno = block.lastGno;
  }

  #headAt(block: BlockBuilder, offset: number, position: number): HeadRecord {
    return {
      fileNumber: block.fileNumber,
      position,
      block: block.number,
      offset,
      blockStartPosition: block.startPosition,
      blockFirstEventOffset: block.firstEventOffset,
      blockFirstEventPosition: block.firstEventPosition,
      executed: this.#durable.encode(),
      purged: this.#purged.encode(),
      lastGtid: this.#lastGno === 0n ? this.#head?.lastGtid ?? "" : formatGtid({
        uuid: this.#lastUuid,
        tag: this.#lastTag,
        gno: this.#lastGno,
      }),
      lastTimestamp: Math.max(
        block.lastTimestamp,
        this.#head?.lastTimestamp ?? 0,
      ),
    };
  }

  #publish(batch: EngineBatch): void {
    let lastBlock = -1;
    for (const block of batch.blocks) {
      this.#queueBytes -= block.bytes.length;
      lastBlock = block.number;
    }
    if (batch.head !== undefined) this.#head = batch.head;
    for (const file of batch.files) this.#committedFiles.set(file.number, file);
    for (const number of this.#committedFiles.keys()) {
      if (number < (this.#head?.fileNumber ?? 0)) {
        this.#committedFiles.delete(number);
      }
    }
    this.#host.committed(batch.files, batch.head, lastBlock);
    if (this.#room !== undefined && this.#queueBytes <= QUEUE_BYTES_MAX) {
      this.#room.resolve();
      this.#room = undefined;
    }
  }

  #fail(error: unknown): void {
    this.#failure = error instanceof StoreError ? error : new StoreError(
      "io",
      `Cannot write the log: ${
        error instanceof Error ? error.message : String(error)
      }`,
      { cause: error },
    );
    this.#room?.reject(this.#failure);
    this.#room = undefined;
    this.#host.failed(this.#failure);
  }
}
