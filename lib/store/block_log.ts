import type { GtidSet } from "../gtid/gtid_set.ts";
import {
  type BinlogStore,
  BLOCK_BYTES_MAX,
  type DiskUse,
  type LogPosition,
  type LogReader,
  type LogWriter,
  type PurgeOptions,
  type PurgeResult,
  type StoredFile,
  StoreError,
  type StoreHead,
  type WaitOptions,
} from "./binlog_store.ts";
import type { BlockEngine, EngineBatch, HeadRecord } from "./block_engine.ts";
import { BlockLogWriter } from "./block_log_writer.ts";
import { purgedError, type ReaderHost } from "./block_reader.ts";
import { BlockRemover } from "./block_remover.ts";
import { type BlockMemoryOptions, BlockSource } from "./block_source.ts";
import type { CommitObserver } from "./commit_observer.ts";
import { FilePurger } from "./file_purger.ts";
import { HeadWaiters } from "./head_waiters.ts";
import { type RecoveredLog, recoverLog } from "./log_recovery.ts";
import { openBlockReader } from "./open_block_reader.ts";
import { VisibleFiles } from "./visible_files.ts";
import { VisibleHead } from "./visible_head.ts";

/** Free space that stays in any case, in bytes, and as a share of the log. */
const SPARE_BYTES_MIN = 64 * 1024 * 1024;
const SPARE_SHARE = 1 / 8;

/** Blocks behind the head removed in one commit: reads wait for it. */
const CLEARED_AT_ONCE = 32;

/** How a log is opened. */
export interface BlockLogOptions extends BlockMemoryOptions {
  /**
   * Space of purged files that is kept for what is appended next, in bytes: at
   * least so much, or as much as the largest file has; 64 MiB if absent.
   */
  readonly spareBytes?: number;
  /** Told of each commit that brought a part of the log to disk. */
  readonly onCommit?: CommitObserver | undefined;
}

/** `BinlogStore` over any `BlockEngine`. */
export class BlockLog implements BinlogStore {
  readonly #engine: BlockEngine;
  readonly #source: BlockSource;
  readonly #writer: BlockLogWriter;
  readonly #files = new VisibleFiles();
  readonly #waiters = new HeadWaiters();
  readonly #remover: BlockRemover;
  readonly #purger: FilePurger;
  readonly #readerHost: ReaderHost;
  #head: VisibleHead | undefined;
  // Blocks behind the head that are to go before one is written there.
  #garbageLeft = 0;
  #metaVersion = 0;
  #recovering: Promise<void> | undefined;
  #closing: Promise<void> | undefined;
  #closed = false;

  private constructor(
    engine: BlockEngine,
    log: RecoveredLog,
    oldestBlock: number | undefined,
    options: BlockLogOptions,
  ) {
    const { head, files, kept } = log;
    const firstBlock = files[0]?.firstBlock ?? 0;
    this.#engine = engine;
    // Blocks before that one are of files that were purged before a crash.
    this.#remover = new BlockRemover(
      engine,
      Math.min(oldestBlock ?? firstBlock, firstBlock),
      () => spareBytes(this.files, options.spareBytes ?? SPARE_BYTES_MIN),
    );
    this.#purger = new FilePurger({
      files: () => {
        if (this.failure !== undefined) throw this.failure;
        return this.files;
      },
      summary: (number) => this.#source.summary(number),
      purgeFile: (file, gone) => this.#writer.purgeFile(file, gone),
      removeUpTo: (end) => this.#remover.removeUpTo(end),
    });
    this.#writer = new BlockLogWriter(
      engine,
      {
        sealed: (block) => this.#source.sealed(block),
        committed: (batch) => this.#committed(batch),
        cutBack: (block, file) => this.#cutBack(block, file),
        bytes: (block) => this.#source.bytes(block),
        onCommit: options.onCommit,
      },
      { head, file: files.at(-1), kept },
    );
    this.#source = new BlockSource(
      engine,
      () => this.#writer.block,
      this.#writer.block.number - 1,
      options,
      (block) => this.#files.ofBlock(block),
    );
    this.#readerHost = {
      source: this.#source,
      visibleEnd: () => this.#head?.record,
      file: (number) => this.#files.get(number),
    };
    for (const record of files) this.#files.note(record);
    if (head !== undefined) this.#moveHead(head);
    this.#remover.removeUpTo(firstBlock);
    this.#clear(log);
  }

  /**
   * Takes the lease, removes what a crash left behind the head, and opens.
   *
   * @param engine what keeps the log, the opened log's own from now on; closed
   * when opening fails
   * @param options limits of the use of memory
   * @throws {StoreError} `format`, `corrupt`, `fenced` or `io`
   */
  static async open(
    engine: BlockEngine,
    options: BlockLogOptions = {},
  ): Promise<BlockLog> {
    try {
      const found = await engine.load();
      const log = await recoverLog(engine, found);
      return new BlockLog(engine, log, found.oldestBlock, options);
    } catch (error) {
      await engine.close();
      if (error instanceof StoreError) throw error;
      throw new StoreError(
        "corrupt",
        `Cannot open the log: ${
          error instanceof Error ? error.message : String(error)
        }`,
        { cause: error },
      );
    }
  }

  get head(): StoreHead | undefined {
    return this.#head;
  }

  get files(): readonly StoredFile[] {
    return this.#files.all;
  }

  get writer(): LogWriter {
    return this.#writer;
  }

  get failure(): StoreError | undefined {
    return this.#writer.failure;
  }

  get closed(): boolean {
    return this.#closed;
  }

  fileByName(name: string): StoredFile | undefined {
    return this.files.find((file) => file.name === name);
  }

  findFile(executed: GtidSet): StoredFile | undefined {
    return this.files.findLast((file) =>
      executed.containsSet(file.previousGtids)
    );
  }

  async openReader(start: LogPosition): Promise<LogReader> {
    if (this.#closed) throw closedError("read the log");
    const { fileNumber } = start;
    const file = this.#files.get(fileNumber);
    try {
      return await openBlockReader(this.#readerHost, this.#head?.record, start);
    } catch (error) {
      const oldest = this.files[0]?.number ?? 0;
      if (fileNumber < 1 || fileNumber >= oldest) throw error;
      throw purgedError(file?.name ?? `file ${fileNumber} of the log`, error);
    }
  }

  waitForHead(version: number, options: WaitOptions = {}): Promise<boolean> {
    if (this.#closed || options.signal?.aborted) return Promise.resolve(false);
    if ((this.#head?.version ?? 0) > version) return Promise.resolve(true);
    return this.#waiters.wait(options);
  }

  purge(upTo: number, options: PurgeOptions = {}): Promise<PurgeResult> {
    return this.#purger.purge(upTo, options);
  }

  async diskUse(): Promise<DiskUse> {
    return {
      ...await this.#engine.diskUse(),
      removingBytes: (this.#remover.left + this.#garbageLeft) * BLOCK_BYTES_MAX,
      settled: !this.#remover.isAtWork && this.#garbageLeft === 0,
    };
  }

  getMeta(name: string): Promise<unknown> {
    return this.#engine.getMeta(name);
  }

  get metaVersion(): number {
    return this.#metaVersion;
  }

  async setMeta(name: string, value: unknown): Promise<void> {
    try {
      await this.#engine.setMeta(name, value);
    } finally {
      // One that failed may have come through.
      this.#metaVersion++;
    }
  }

  recover(): Promise<void> {
    return this.#recovering ??= this.#recover().finally(() => {
      this.#recovering = undefined;
    });
  }

  close(): Promise<void> {
    return this.#closing ??= this.#close();
  }

  /** See `close`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #recover(): Promise<void> {
    const { failure } = this;
    if (failure === undefined) return;
    if (failure.kind !== "full" && failure.kind !== "io") throw failure;
    const engine = this.#engine;
    const log = await recoverLog(engine, await engine.load());
    const { head, files, kept } = log;
    if (this.#closing !== undefined) throw closedError("write the log");
    const block = head?.block ?? 0;
    const oldest = files[0];
    // What a purge removed that was not known to have succeeded.
    for (const { number } of this.#files.all) {
      if (oldest !== undefined && number < oldest.number) {
        this.#files.purged(number);
      }
    }
    // The writer first: readers find the head's block there.
    this.#writer.goOn({ head, file: files.at(-1), kept });
    this.#cutBack(block, head?.fileNumber ?? 0);
    this.#source.onDisk(block - 1);
    for (const record of files) this.#files.note(record);
    if (head !== undefined) {
      this.#moveHead(head);
      this.#waiters.wake(true);
    }
    this.#remover.removeUpTo(oldest?.firstBlock ?? 0);
    this.#clear(log);
  }

  /**
   * Removes what recovering has left behind the head, before anything is
   * written there. When the store closes meanwhile, the next opening goes on.
   */
  #clear({ head, garbageEnd }: RecoveredLog): void {
    if (garbageEnd === undefined) return;
    const first = head === undefined ? 0 : head.block + 1;
    this.#garbageLeft = garbageEnd - first + 1;
    void this.#writer.holdFor(async () => {
      while (this.#garbageLeft > 0 && this.#closing === undefined) {
        const count = Math.min(this.#garbageLeft, CLEARED_AT_ONCE);
        const at = garbageEnd + 1 - this.#garbageLeft;
        await this.#engine.removeBlocks(at, count);
        this.#garbageLeft -= count;
      }
      // Blocks were read together with those before them.
      this.#source.forgetRead(first);
    });
  }

  async #close(): Promise<void> {
    try {
      await this.#recovering?.catch(() => {});
      if (this.failure === undefined) await this.#writer.flush();
      const loss = this.#writer.untoldLoss;
      if (loss !== undefined) throw loss;
    } finally {
      this.#closed = true;
      this.#writer.stop(closedError("write the log", this.failure));
      this.#waiters.wake(false);
      await this.#remover.stop();
      await this.#engine.close();
    }
  }

  #committed(batch: EngineBatch): void {
    if (batch.removeFile !== undefined) {
      this.#files.purged(batch.removeFile);
      this.#growPurged(batch.head!);
      return;
    }
    for (const record of batch.files) this.#files.note(record);
    this.#source.onDisk(batch.blocks.at(-1)?.number ?? -1);
    if (batch.head !== undefined) {
      this.#moveHead(batch.head);
      this.#waiters.wake(true);
    } else if (this.#head !== undefined && batch.files.length > 0) {
      // The file the head is in may have ended there.
      this.#files.showUpTo(this.#head.record);
    }
  }

  #moveHead(record: HeadRecord): void {
    this.#files.showUpTo(record);
    const { name } = this.#files.get(record.fileNumber)!;
    this.#head = new VisibleHead((this.#head?.version ?? 0) + 1, record, name);
  }

  /** The head stays where it is: nobody waits for this. */
  #growPurged(record: HeadRecord): void {
    const { version, fileName } = this.#head!;
    this.#head = new VisibleHead(version, record, fileName);
  }

  #cutBack(block: number, file: number): void {
    this.#source.cutBack(block);
    this.#files.cutBack(file);
  }
}

/**
 * How much free space a log soon fills again: what is purged next is about what
 * was appended since the last time.
 */
function spareBytes(files: readonly StoredFile[], least: number): number {
  let largest = 0;
  let total = 0;
  for (const { size } of files) {
    largest = Math.max(largest, size);
    total += size;
  }
  return Math.max(least, largest, total * SPARE_SHARE);
}

function closedError(what: string, cause?: StoreError): StoreError {
  return new StoreError(
    "closed",
    `Cannot ${what}: the store is closed`,
    cause === undefined ? {} : { cause },
  );
}
