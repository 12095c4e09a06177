import { GtidSet } from "../gtid/gtid_set.ts";
import {
  type BinlogStore,
  type BlockSummary,
  FIRST_POSITION,
  type LogPosition,
  type LogReader,
  type LogWriter,
  type StoredFile,
  StoreError,
  type StoreHead,
  type WaitOptions,
} from "./binlog_store.ts";
import { BlockBuilder, builderAtHead } from "./block_builder.ts";
import { BlockCache, GROUP_BLOCKS } from "./block_cache.ts";
import type {
  BlockEngine,
  EngineState,
  FileRecord,
  HeadRecord,
} from "./block_engine.ts";
import { BlockLogWriter } from "./block_log_writer.ts";
import { BlockReader } from "./block_reader.ts";
import { EventWalk } from "./event_walk.ts";

/** Limits of a log's use of memory. */
export interface BlockLogOptions {
  /** Newest blocks kept in memory for the readers near the head, in bytes. */
  readonly tailBytes?: number;
  /** Older blocks kept in memory after a reader needed them, in bytes. */
  readonly cacheBytes?: number;
}

const TAIL_BYTES_DEFAULT = 32 * 1024 * 1024;
const CACHE_BYTES_DEFAULT = 24 * 1024 * 1024;

/** How far ahead of a reader blocks are fetched. */
const PREFETCH_BLOCKS = 2 * GROUP_BLOCKS;

/** A sealed block in memory. */
interface TailBlock {
  readonly bytes: Uint8Array;
  readonly builder: BlockBuilder;
  readonly endPosition: number;
}

/** The head as it was committed; its GTID sets are decoded when asked for. */
class VisibleHead implements StoreHead {
  readonly version: number;
  readonly record: HeadRecord;
  readonly fileName: string;
  #executed: GtidSet | undefined;
  #purged: GtidSet | undefined;

  constructor(version: number, record: HeadRecord, fileName: string) {
    this.version = version;
    this.record = record;
    this.fileName = fileName;
  }

  get fileNumber(): number {
    return this.record.fileNumber;
  }

  get position(): number {
    return this.record.position;
  }

  get executed(): GtidSet {
    return this.#executed ??= GtidSet.decode(this.record.executed);
  }

  get purged(): GtidSet {
    return this.#purged ??= GtidSet.decode(this.record.purged);
  }

  get lastGtid(): string {
    return this.record.lastGtid;
  }

  get lastTimestamp(): number {
    return this.record.lastTimestamp;
  }
}

/**
 * `BinlogStore` over any `BlockEngine`: blocks in memory near the head and in
 * a shared cache behind it, readers, and those who wait for the head.
 */
export class BlockLog implements BinlogStore {
  readonly #engine: BlockEngine;
  readonly #cache: BlockCache;
  readonly #tailBytesMax: number;
  readonly #tail = new Map<number, TailBlock>();
  #tailBytes = 0;
  /** Blocks up to this number are on disk whole. */
  #lastBlock: number;
  /** Every file on disk by number, those behind the head included. */
  readonly #known = new Map<number, StoredFile>();
  #files: readonly StoredFile[] = [];
  #head: VisibleHead | undefined;
  readonly #writer: BlockLogWriter;
  readonly #waiting = new Set<(moved: boolean) => void>();
  #closed = false;

  private constructor(
    engine: BlockEngine,
    state: EngineState,
    options: BlockLogOptions,
  ) {
    this.#engine = engine;
    this.#cache = new BlockCache(
      engine,
      options.cacheBytes ?? CACHE_BYTES_DEFAULT,
    );
    this.#tailBytesMax = options.tailBytes ?? TAIL_BYTES_DEFAULT;
    const head = state.head;
    const block = builderAtHead(head, state.tail ?? new Uint8Array(0));
    this.#lastBlock = block.number - 1;
    for (const record of state.files) this.#noteFile(record);
    this.#writer = new BlockLogWriter(engine, {
      sealed: (builder, endPosition) => this.#keep(builder, endPosition),
      committed: (files, newHead, lastBlock) =>
        this.#committed(files, newHead, lastBlock),
      rolledBack: (from) => this.#rolledBack(from),
      failed: () => {},
    }, {
      file: state.files.find((one) => one.number === head?.fileNumber),
      head,
      executed: head === undefined
        ? new GtidSet()
        : GtidSet.decode(head.executed),
      purged: head === undefined ? new GtidSet() : GtidSet.decode(head.purged),
      block,
      tailPieces: state.tailPieces,
    });
    if (head !== undefined) this.#moveHead(head, 1);
  }

  /**
   * Takes the lease, removes what a crash left behind the head, and opens.
   *
   * @throws {StoreError} `locked`, `format`, `corrupt` or `io`
   */
  static async open(
    engine: BlockEngine,
    options: BlockLogOptions = {},
  ): Promise<BlockLog> {
    const found = await engine.load();
    return new BlockLog(engine, await recover(engine, found), options);
  }

  get head(): StoreHead | undefined {
    return this.#head;
  }

  get files(): readonly StoredFile[] {
    return this.#files;
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
    return this.#files.find((file) => file.name === name);
  }

  findFile(executed: GtidSet): StoredFile | undefined {
    for (let index = this.#files.length - 1; index >= 0; index--) {
      const file = this.#files[index]!;
      if (executed.containsSet(file.previousGtids)) return file;
    }
    return undefined;
  }

  async openReader(start: LogPosition): Promise<LogReader> {
    const file = this.#visibleFile(start.fileNumber);
    if (file === undefined) {
      throw new StoreError(
        "unknown-file",
        `Cannot read file ${start.fileNumber} of the log: there is none`,
      );
    }
    if (start.position < FIRST_POSITION) {
      throw new StoreError(
        "position-before-start",
        `Cannot read ${file.name} from position ${start.position}: it begins at ${FIRST_POSITION}`,
      );
    }
    if (start.position > file.size) {
      throw new StoreError(
        "position-after-end",
        `Cannot read ${file.name} from position ${start.position}: it ends at ${file.size}`,
      );
    }
    const at = await this.#locate(file, start.position);
    return new BlockReader(this.#readerHost, file, at.block, at.offset);
  }

  waitForHead(version: number, options: WaitOptions = {}): Promise<boolean> {
    const { signal, timeoutMs } = options;
    if (this.#closed || signal?.aborted) return Promise.resolve(false);
    if ((this.#head?.version ?? 0) > version) return Promise.resolve(true);
    return new Promise((resolve) => {
      const done = (moved: boolean) => {
        this.#waiting.delete(done);
        if (timer !== undefined) clearTimeout(timer);
        signal?.removeEventListener("abort", aborted);
        resolve(moved);
      };
      const aborted = () => done(false);
      const timer = timeoutMs === undefined
        ? undefined
        : setTimeout(aborted, timeoutMs);
      signal?.addEventListener("abort", aborted);
      this.#waiting.add(done);
    });
  }

  getMeta(name: string): Promise<unknown> {
    return this.#engine.getMeta(name);
  }

  setMeta(name: string, value: unknown): Promise<void> {
    return this.#engine.setMeta(name, value);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    try {
      if (this.failure === undefined) await this.#writer.flush();
    } finally {
      this.#closed = true;
      for (const done of [...this.#waiting]) done(false);
      await this.#engine.close();
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  readonly #readerHost = {
    visibleEnd: () => this.#head?.record,
    file: (number: number) => this.#visibleFile(number),
    blockBytes: (number: number) => this.#blockBytes(number),
    blockSummary: (number: number) => this.#blockSummary(number),
    prefetch: (block: number, last: number) => this.#prefetch(block, last),
  };

  #visibleFile(number: number): StoredFile | undefined {
    const oldest = this.#files[0];
    return oldest === undefined
      ? undefined
      : this.#files[number - oldest.number];
  }

  #blockBytes(number: number): Uint8Array | Promise<Uint8Array> {
    const growing = this.#writer.block;
    if (number === growing.number) return growing.bytes();
    return this.#tail.get(number)?.bytes ?? this.#cache.block(number);
  }

  #blockSummary(number: number): BlockSummary | Promise<BlockSummary> {
    const block = this.#tail.get(number);
    if (block === undefined) return this.#cache.summary(number);
    return block.builder.summary(block.endPosition);
  }

  #prefetch(block: number, last: number): void {
    if (block % GROUP_BLOCKS !== 0) return;
    const to = Math.min(block + PREFETCH_BLOCKS, last - 1);
    for (let at = block + GROUP_BLOCKS; at <= to; at += GROUP_BLOCKS) {
      if (!this.#tail.has(at)) this.#cache.prefetch(at);
    }
  }

  /** The block and the offset in it where the event at `position` begins. */
  async #locate(
    file: StoredFile,
    position: number,
  ): Promise<{ block: number; offset: number }> {
    const head = this.#head!.record;
    if (position === FIRST_POSITION) {
      return { block: file.firstBlock, offset: 0 };
    }
    const next = this.#visibleFile(file.number + 1);
    let low = file.firstBlock;
    let high = next === undefined ? head.block : next.firstBlock - 1;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      const start = middle === head.block
        ? head.blockStartPosition
        : (await this.#blockSummary(middle)).startPosition;
      if (start <= position) low = middle;
      else high = middle - 1;
    }
    return await this.#locateInBlock(file, position, low);
  }

  async #locateInBlock(
    file: StoredFile,
    position: number,
    block: number,
  ): Promise<{ block: number; offset: number }> {
    const head = this.#head!.record;
    const bytes = await this.#blockBytes(block);
    const first = block === head.block
      ? {
        offset: head.blockFirstEventOffset,
        position: head.blockFirstEventPosition,
        end: head.offset,
      }
      : await this.#firstEvent(block, bytes.length);
    if (first.offset >= 0) {
      const walk = new EventWalk(
        bytes.subarray(0, first.end),
        first.offset,
        first.position,
      );
      while (walk.endPosition < position && walk.next());
      if (walk.endPosition === position) {
        return {
          block,
          offset: walk.offset < 0 ? first.offset : walk.end,
        };
      }
    }
    throw new StoreError(
      "position-inside-event",
      `Cannot read ${file.name} from position ${position}: no event begins there`,
    );
  }

  async #firstEvent(
    block: number,
    end: number,
  ): Promise<{ offset: number; position: number; end: number }> {
    const summary = await this.#blockSummary(block);
    return {
      offset: summary.firstEventOffset,
      position: summary.firstEventPosition,
      end,
    };
  }

  #keep(builder: BlockBuilder, endPosition: number): void {
    const bytes = builder.bytes();
    this.#tail.set(builder.number, { bytes, builder, endPosition });
    this.#tailBytes += bytes.length;
    this.#evict();
  }

  /** Lets go of the oldest blocks in memory, never of one not yet on disk. */
  #evict(): void {
    for (const [number, block] of this.#tail) {
      if (this.#tailBytes <= this.#tailBytesMax) return;
      if (number > this.#lastBlock) return;
      this.#tail.delete(number);
      this.#tailBytes -= block.bytes.length;
    }
  }

  #rolledBack(from: number): void {
    for (const [number, block] of [...this.#tail]) {
      if (number < from) continue;
      this.#tail.delete(number);
      this.#tailBytes -= block.bytes.length;
    }
    this.#cache.dropFrom(from);
    this.#lastBlock = Math.min(this.#lastBlock, from - 1);
    for (const number of [...this.#known.keys()]) {
      if (number > (this.#head?.fileNumber ?? 0)) this.#known.delete(number);
    }
  }

  #committed(
    files: readonly FileRecord[],
    head: HeadRecord | undefined,
    lastBlock: number,
  ): void {
    for (const record of files) this.#noteFile(record);
    if (lastBlock > this.#lastBlock) {
      this.#lastBlock = lastBlock;
      this.#evict();
    }
    const newHead = head ?? this.#head?.record;
    if (newHead === undefined) return;
    this.#moveHead(newHead, (this.#head?.version ?? 0) + 1);
    for (const done of [...this.#waiting]) done(true);
  }

  #noteFile(record: FileRecord): void {
    this.#known.set(record.number, {
      number: record.number,
      name: record.name,
      firstBlock: record.firstBlock,
      size: record.size,
      closed: record.closed,
      serverUuid: record.serverUuid,
      previousGtids: record.previousGtids.length === 0
        ? new GtidSet()
        : GtidSet.decode(record.previousGtids),
      formatDescription: record.formatDescription,
      checksumAlgorithm: record.checksumAlgorithm,
      firstTimestamp: record.firstTimestamp,
      lastTimestamp: record.lastTimestamp,
    });
  }

  #moveHead(record: HeadRecord, version: number): void {
    const open = this.#known.get(record.fileNumber);
    if (open === undefined) {
      throw new StoreError(
        "corrupt",
        `Cannot find file ${record.fileNumber}, which the head is in`,
      );
    }
    // Earlier files ended before the head came into this one.
    const files = this.#files.slice(0, -1);
    const oldest = files[0]?.number ?? Math.min(...this.#known.keys());
    for (
      let number = oldest + files.length;
      number < record.fileNumber;
      number++
    ) files.push(this.#known.get(number)!);
    files.push({
      ...open,
      // The end of a file may be on disk before all that comes before it is.
      closed: open.closed && open.size === record.position,
      size: record.position,
      lastTimestamp: Math.max(open.lastTimestamp, record.lastTimestamp),
    });
    this.#files = files;
    this.#head = new VisibleHead(version, record, open.name);
  }
}

/**
 * Removes what a crash left behind the head: blocks and files beyond it, and
 * the part of the head's own block that is.
 */
async function recover(
  engine: BlockEngine,
  found: EngineState,
): Promise<EngineState> {
  const head = found.head;
  const files = found.files.filter((file) =>
    file.number <= (head?.fileNumber ?? 0)
  );
  if (head === undefined) {
    await engine.commit({
      blocks: [],
      files: [],
      removeBlocksFrom: 0,
      removeFilesAfter: 0,
    });
    return { head, files, tail: undefined, tailPieces: 0 };
  }
  const whole = found.tail ?? (await engine.readBlocks(head.block, 1))[0];
  if (whole === undefined || whole.length < head.offset) {
    throw new StoreError(
      "corrupt",
      `Cannot open the log: block ${head.block}, which the head is in, has ${
        whole?.length ?? 0
      } bytes, expected at least ${head.offset}`,
    );
  }
  const tail = whole.slice(0, head.offset);
  await engine.commit({
    blocks: [],
    tail: { block: head.block, piece: 0, bytes: tail },
    files: [],
    head,
    removeBlocksFrom: head.block,
    removeFilesAfter: head.fileNumber,
  });
  return { head, files, tail, tailPieces: 1 };
}
