import { StoreError } from "./binlog_store.ts";
import type { BlockBuilder } from "./block_builder.ts";
import {
  type BlockEngine,
  type BlockWrite,
  COMMIT_BLOCKS_MAX,
  COMMIT_BYTES_MAX,
  type EngineBatch,
  type FileRecord,
  RECORD_STRING_BYTES_MAX,
  type TailPiece,
} from "./block_engine.ts";
import { type FileRecords, recordBytes } from "./file_records.ts";
import type { HeadState } from "./head_state.ts";
import {
  type AppendCounts,
  type CommitObserver,
  NOTHING_APPENDED,
} from "./commit_observer.ts";
import { sealBytes, summaryPlace } from "./sealed_bytes.ts";
import { encodeSummary } from "./summary_codec.ts";

/** Sealed blocks that wait for the disk before `ready` asks for patience. */
const QUEUE_BYTES_MAX = 4 * COMMIT_BYTES_MAX;

/** Pieces of the newest block before one piece replaces them all. */
const TAIL_PIECES_MAX = 32;

/** The most bytes the keys of a block and of its summary take. */
const BLOCK_KEY_BYTES = 64;

/** The most bytes the head takes of a commit. */
const HEAD_BYTES_MAX = 3 * RECORD_STRING_BYTES_MAX + 1_000;

/** What a group commit needs of the writer. */
export interface CommitHost {
  /** The block under construction, with all that was appended copied into it. */
  growing(): BlockBuilder;
  /** A commit returned. */
  committed(batch: EngineBatch): void;
  /** Told of each commit that brought a part of the log to disk. */
  readonly onCommit?: CommitObserver | undefined;
}

/** How much of the block under construction is on disk. */
export interface TailState {
  /** Bytes of it. */
  readonly bytes: number;
  /** In how many pieces. */
  readonly pieces: number;
}

/** A sealed block and what is written of it. */
interface QueuedBlock {
  readonly block: BlockBuilder;
  readonly write: BlockWrite;
}

/** A commit of its own that somebody waits for. */
interface QueuedChange {
  readonly make: () => EngineBatch;
  readonly done: PromiseWithResolvers<void>;
}

/**
 * Brings blocks to disk, one commit at a time: what arrives while one is under
 * way goes into the next, so commits are small when little happens and full
 * under load. After a failure it does nothing any more: what a later commit
 * would write might come behind a hole.
 */
export class GroupCommit {
  readonly #engine: BlockEngine;
  readonly #host: CommitHost;
  readonly #files: FileRecords;
  readonly #head: HeadState;
  // Sealed blocks no commit has taken yet; the memory of those and of the ones
  // that are under way, and of the latter alone.
  readonly #queue: QueuedBlock[] = [];
  // What goes between two commits of blocks.
  readonly #changes: QueuedChange[] = [];
  #queueBytes = 0;
  #takenBytes = 0;
  #tailBytes: number;
  #tailPieces: number;
  #busy = false;
  #failure: StoreError | undefined;
  #isTold = false;
  /** What is durable, and what is once the commit under way has returned. */
  #counts = NOTHING_APPENDED;
  #takenCounts = NOTHING_APPENDED;
  readonly #idle = new Set<() => void>();
  #room: PromiseWithResolvers<void> | undefined;

  /**
   * Nothing is waiting at first.
   *
   * @param engine where blocks go
   * @param host the writer
   * @param files the records that go with them
   * @param head where the head is and goes
   * @param tail what of the block under construction is on disk
   */
  constructor(
    engine: BlockEngine,
    host: CommitHost,
    files: FileRecords,
    head: HeadState,
    tail: TailState,
  ) {
    this.#engine = engine;
    this.#host = host;
    this.#files = files;
    this.#head = head;
    this.#tailBytes = tail.bytes;
    this.#tailPieces = tail.pieces;
  }

  /** Why nothing is committed any more; undefined while it is. */
  get failure(): StoreError | undefined {
    return this.#failure;
  }

  /** What was appended and is durable, since the writer began. */
  get counts(): AppendCounts {
    return this.#counts;
  }

  /** A failure that no caller has been told of yet. */
  get untold(): StoreError | undefined {
    return this.#isTold ? undefined : this.#failure;
  }

  /** Takes a sealed block. */
  add(block: BlockBuilder): void {
    // Made ready here, where mostly a commit is under way, and not between two.
    this.#queue.push({
      block,
      write: {
        number: block.number,
        bytes: block.stored(),
        summary: sealBytes(
          summaryPlace(block.number),
          encodeSummary(block.summary()),
        ),
      },
    });
    this.#queueBytes += block.memoryBytes;
    this.#tailBytes = 0;
    this.#tailPieces = 0;
  }

  /** Begins to commit what is there, unless a commit is under way. */
  start(): void {
    if (this.#busy || this.#failure !== undefined) return;
    void this.#commitAll();
  }

  /** See `LogWriter.ready`. */
  ready(): Promise<void> | undefined {
    if (this.#failure !== undefined) return Promise.reject(this.#tell());
    if (this.#queueBytes <= QUEUE_BYTES_MAX) return undefined;
    const room = this.#room ??= withQuietRejection();
    this.start();
    return room.promise;
  }

  /** Resolves when everything up to the last boundary is durable. */
  async flush(): Promise<void> {
    this.start();
    while (this.#busy) await this.#nextRest();
    if (this.#failure !== undefined) throw this.#tell();
  }

  /**
   * Commits a change of the records by itself, as soon as the commit under way
   * has returned; the blocks that wait come after it.
   *
   * @param make makes the batch, from the head that is durable then
   * @throws {StoreError} `failure`
   */
  change(make: () => EngineBatch): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    const done = withQuietRejection();
    this.#changes.push({ make, done });
    this.start();
    return done.promise;
  }

  /**
   * After a `flush`: commits what takes the log back to the head.
   *
   * @param make makes the batch, from the head that is durable then
   */
  async goBack(make: () => EngineBatch): Promise<void> {
    while (this.#busy) await this.#nextRest();
    if (this.#failure !== undefined) throw this.#tell();
    this.#busy = true;
    const batch = make();
    this.#tailBytes = batch.tail?.bytes.length ?? 0;
    this.#tailPieces = batch.tail === undefined ? 0 : 1;
    try {
      await this.#engine.commit(batch);
    } catch (error) {
      this.fail(error);
      throw this.#tell();
    } finally {
      this.#rest();
    }
    if (this.#changes.length > 0) this.start();
  }

  /**
   * Commits nothing until `work` is done, and nothing any more if it fails.
   * Whoever asks for a `flush` waits.
   *
   * @param work begins at once; no commit may be under way
   */
  async holdFor(work: () => Promise<void>): Promise<void> {
    this.#busy = true;
    try {
      await work();
    } catch (error) {
      this.fail(error);
    } finally {
      this.#rest();
    }
    this.start();
  }

  /** Commits nothing any more, because of `error`. */
  fail(error: unknown): void {
    this.#failure = error instanceof StoreError ? error : new StoreError(
      "io",
      `Cannot write the log: ${
        error instanceof Error ? error.message : String(error)
      }`,
      { cause: error },
    );
    this.#room?.reject(this.#tell());
    this.#room = undefined;
    for (const { done } of this.#changes.splice(0)) done.reject(this.#failure);
  }

  #tell(): StoreError {
    this.#isTold = true;
    return this.#failure!;
  }

  #nextRest(): Promise<void> {
    return new Promise((resolve) => this.#idle.add(resolve));
  }

  #rest(): void {
    this.#busy = false;
    for (const resolve of this.#idle) resolve();
    this.#idle.clear();
  }

  async #commitAll(): Promise<void> {
    this.#busy = true;
    try {
      for (;;) {
        await this.#commitChanges();
        const batch = this.#takeBatch();
        if (batch === undefined) break;
        const began = performance.now();
        await this.#engine.commit(batch);
        this.#tellOfCommit((performance.now() - began) / 1000);
        this.#publish(batch);
      }
    } catch (error) {
      this.fail(error);
    } finally {
      this.#rest();
    }
  }

  #tellOfCommit(seconds: number): void {
    const before = this.#counts;
    const { bytes, events, transactions } = this.#takenCounts;
    this.#counts = this.#takenCounts;
    this.#host.onCommit?.({
      seconds,
      bytes: bytes - before.bytes,
      events: events - before.events,
      transactions: transactions - before.transactions,
    });
  }

  async #commitChanges(): Promise<void> {
    for (;;) {
      const change = this.#changes[0];
      if (change === undefined) return;
      const batch = change.make();
      await this.#engine.commit(batch);
      this.#changes.shift();
      this.#publish(batch);
      change.done.resolve();
    }
  }

  /** The next commit; undefined when everything up to the boundary is out. */
  #takeBatch(): EngineBatch | undefined {
    const growing = this.#host.growing();
    const files = this.#files.take();
    // Files come before the head can be in them: many go in commits of their own.
    if (this.#files.hasChanges) return { blocks: [], files };
    if (this.#queue.length > 0) return this.#takeBlocks(files);
    if (growing.boundaryOffset > this.#tailBytes) {
      const tail = this.#takeTail(growing);
      return this.#withHead({ blocks: [], tail, files }, [growing]);
    }
    return files.length > 0 ? { blocks: [], files } : undefined;
  }

  #takeBlocks(files: readonly FileRecord[]): EngineBatch {
    let bytes = HEAD_BYTES_MAX;
    for (const file of files) bytes += recordBytes(file);
    let count = 0;
    for (const { write } of this.#queue) {
      bytes += write.bytes.length + write.summary.length + BLOCK_KEY_BYTES;
      if (count > 0 && bytes > COMMIT_BYTES_MAX) break;
      if (++count === COMMIT_BLOCKS_MAX) break;
    }
    const taken = this.#queue.splice(0, count);
    for (const { block } of taken) this.#takenBytes += block.memoryBytes;
    return this.#withHead(
      { blocks: taken.map(({ write }) => write), files },
      taken.map(({ block }) => block),
    );
  }

  /** `batch` with the head it moves, if it moves it. */
  #withHead(
    batch: EngineBatch,
    blocks: readonly BlockBuilder[],
  ): EngineBatch {
    const head = this.#head.advance(blocks);
    if (head === undefined) return batch;
    const last = blocks.findLast(({ boundaryOffset }) => boundaryOffset >= 0)!;
    // Of a block under construction they change while the commit is under way.
    this.#takenCounts = {
      bytes: last.boundaryBytes,
      events: last.boundaryEvents,
      transactions: last.boundaryTransactions,
    };
    return { ...batch, head };
  }

  #takeTail(growing: BlockBuilder): TailPiece {
    const whole = this.#tailPieces >= TAIL_PIECES_MAX;
    const from = whole ? 0 : this.#tailBytes;
    const piece = whole ? 0 : this.#tailPieces;
    this.#tailPieces = piece + 1;
    this.#tailBytes = growing.boundaryOffset;
    return {
      block: growing.number,
      piece,
      bytes: growing.bytes(from, growing.boundaryOffset),
    };
  }

  #publish(batch: EngineBatch): void {
    this.#queueBytes -= this.#takenBytes;
    this.#takenBytes = 0;
    if (batch.head !== undefined) this.#head.committed(batch.head);
    this.#files.committed(batch.files, this.#head.durable?.fileNumber ?? 0);
    this.#host.committed(batch);
    if (this.#room !== undefined && this.#queueBytes <= QUEUE_BYTES_MAX) {
      this.#room.resolve();
      this.#room = undefined;
    }
  }
}

/** A promise that may be rejected although nobody waits for it. */
function withQuietRejection(): PromiseWithResolvers<void> {
  const resolvers = Promise.withResolvers<void>();
  resolvers.promise.catch(() => {});
  return resolvers;
}
