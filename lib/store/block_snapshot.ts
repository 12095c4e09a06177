import type { GtidSet } from "../gtid/gtid_set.ts";
import {
  type BlockSummary,
  type LogPosition,
  type LogReader,
  type LogSlice,
  type StoredFile,
  StoreError,
  type StoreHead,
} from "./binlog_store.ts";
import { builderAtHead } from "./block_builder.ts";
import type { BlockReads } from "./block_engine.ts";
import type { ReaderHost } from "./block_reader.ts";
import { type BlockMemoryOptions, BlockSource } from "./block_source.ts";
import type { RecoveredLog } from "./log_recovery.ts";
import type { LogSnapshot } from "./log_snapshot.ts";
import { openBlockReader } from "./open_block_reader.ts";
import { VisibleFiles } from "./visible_files.ts";
import { VisibleHead } from "./visible_head.ts";

/** What a snapshot reads from: a log that somebody else may be writing. */
export interface SnapshotSource extends BlockReads {
  /** Number of the oldest file there is now; undefined if there is none. */
  oldestFile(): Promise<number | undefined>;
  /** See `BinlogStore.getMeta`. */
  getMeta(name: string): Promise<unknown>;
  /** Lets go of what is below. */
  close(): Promise<void>;
}

/** A log in blocks as it was at one moment. */
export class BlockSnapshot implements LogSnapshot {
  readonly #below: SnapshotSource;
  readonly #files = new VisibleFiles();
  readonly #head: VisibleHead | undefined;
  readonly #host: ReaderHost;
  #closed = false;

  /**
   * Shows `log`, whatever comes behind its head.
   *
   * @param below where whole blocks are, the snapshot's own from now on
   * @param log head, files, and what is before the head of the head's block
   * @param options limits of the use of memory
   * @throws {StoreError} `corrupt` when head and block do not fit together
   */
  constructor(
    below: SnapshotSource,
    log: RecoveredLog,
    options: BlockMemoryOptions = {},
  ) {
    const { head, files, kept } = log;
    const headBlock = builderAtHead(head, kept);
    const last = headBlock.number - 1;
    const source = new BlockSource(
      below,
      () => headBlock,
      last,
      options,
      (block) => this.#files.ofBlock(block),
    );
    this.#below = below;
    this.#host = {
      source,
      visibleEnd: () => head,
      file: (number) => this.#files.get(number),
    };
    for (const record of files) this.#files.note(record);
    if (head === undefined) return;
    this.#files.showUpTo(head);
    const { name } = this.#files.get(head.fileNumber)!;
    this.#head = new VisibleHead(1, head, name);
  }

  get head(): StoreHead | undefined {
    return this.#head;
  }

  get files(): readonly StoredFile[] {
    return this.#files.all;
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
    if (this.#closed) {
      throw new StoreError("closed", "Cannot read the log: it was closed");
    }
    const record = this.#head?.record;
    const reader = openBlockReader(this.#host, record, start);
    const told = (error: unknown) => this.#tell(error, start.fileNumber);
    return new ToldReader(await reader.catch(told), told);
  }

  getMeta(name: string): Promise<unknown> {
    return this.#below.getMeta(name);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#below.close();
  }

  /** See `close`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Throws `error`, or what it comes from: the file was purged meanwhile. */
  async #tell(error: unknown, fileNumber: number): Promise<never> {
    if (!(error instanceof StoreError) || error.kind !== "corrupt") throw error;
    const oldest = await this.#below.oldestFile();
    if (oldest === undefined || oldest <= fileNumber) throw error;
    const name = this.#files.get(fileNumber)?.name ?? `file ${fileNumber}`;
    throw new StoreError(
      "purged",
      `Cannot read ${name}: it was purged meanwhile; begin with a later file`,
      { cause: error },
    );
  }
}

/** A reader whose faults are told better. */
class ToldReader implements LogReader {
  readonly #reader: LogReader;
  readonly #tell: (error: unknown, fileNumber: number) => Promise<never>;

  constructor(
    reader: LogReader,
    tell: (error: unknown, fileNumber: number) => Promise<never>,
  ) {
    this.#reader = reader;
    this.#tell = tell;
  }

  get file(): StoredFile {
    return this.#reader.file;
  }

  next(): LogSlice | undefined | Promise<LogSlice | undefined> {
    return this.#told(this.#reader.next());
  }

  peek(): BlockSummary | undefined | Promise<BlockSummary | undefined> {
    return this.#told(this.#reader.peek());
  }

  skip(): void {
    this.#reader.skip();
  }

  nextFile(): boolean {
    return this.#reader.nextFile();
  }

  #told<T>(answer: T | Promise<T>): T | Promise<T> {
    if (!(answer instanceof Promise)) return answer;
    const number = this.file.number;
    const told = answer.catch((error) => this.#tell(error, number));
    // Nobody may be waiting for it: see `LogReader.next`.
    told.catch(() => {});
    return told;
  }
}
