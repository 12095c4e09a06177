import { StoreError } from "./binlog_store.ts";
import type {
  BlockEngine,
  EngineBatch,
  EngineDiskUse,
  EngineState,
  FileRecord,
  HeadRecord,
} from "./block_engine.ts";
import { concatBytes } from "./concat_bytes.ts";

/**
 * What a `MemoryEngine` keeps. It outlives the engine, as a disk outlives a
 * process, so that a test can open it again.
 */
export class MemoryDisk {
  /** Head of the log. */
  head: HeadRecord | undefined;
  /** File records by number. */
  readonly files: Map<number, FileRecord> = new Map();
  /** Whole blocks by number. */
  readonly blocks: Map<number, Uint8Array> = new Map();
  /** Encoded summaries by block number. */
  readonly summaries: Map<number, Uint8Array> = new Map();
  /** Number of the block that is not whole yet. */
  tailBlock = 0;
  /** Its pieces. */
  tail: Uint8Array[] = [];
  /** Values by name. */
  readonly meta: Map<string, unknown> = new Map();
  /** Counts the writers; only the newest may commit. */
  lease = 0;
}

/** The in-memory twin of the key-value engine: reference and test double. */
export class MemoryEngine implements BlockEngine {
  readonly #disk: MemoryDisk;
  #lease = 0;
  #closed = false;

  /**
   * An engine that has not loaded anything yet.
   *
   * @param disk what to open; a new one is an empty log
   */
  constructor(disk: MemoryDisk = new MemoryDisk()) {
    this.#disk = disk;
  }

  async load(): Promise<EngineState> {
    await Promise.resolve();
    const disk = this.#disk;
    if (this.#lease === 0) this.#lease = ++disk.lease;
    else this.#checkWriter();
    const hasTail = disk.head !== undefined && disk.tail.length > 0 &&
      disk.tailBlock === disk.head.block;
    return {
      head: disk.head,
      files: [...disk.files.values()].sort((a, b) => a.number - b.number),
      tail: hasTail ? concatBytes(disk.tail) : undefined,
      oldestBlock: disk.blocks.size === 0
        ? undefined
        : disk.blocks.keys().reduce((one, other) => Math.min(one, other)),
      newestBlock: disk.blocks.size === 0
        ? undefined
        : disk.blocks.keys().reduce((one, other) => Math.max(one, other)),
    };
  }

  async commit(batch: EngineBatch): Promise<void> {
    // It answers later, as a disk does.
    await Promise.resolve();
    this.#checkWriter();
    const disk = this.#disk;
    this.#remove(batch);
    for (const block of batch.blocks) {
      disk.blocks.set(block.number, block.bytes.slice());
      disk.summaries.set(block.number, block.summary.slice());
      if (block.number === disk.tailBlock) disk.tail = [];
    }
    const tail = batch.tail;
    if (tail !== undefined) {
      if (tail.piece === 0 || tail.block !== disk.tailBlock) disk.tail = [];
      disk.tailBlock = tail.block;
      disk.tail[tail.piece] = tail.bytes.slice();
    }
    for (const file of batch.files) disk.files.set(file.number, file);
    if (batch.head !== undefined) disk.head = batch.head;
  }

  async removeBlocks(first: number, count: number): Promise<void> {
    await Promise.resolve();
    this.#checkWriter();
    for (let number = first; number < first + count; number++) {
      this.#disk.blocks.delete(number);
      this.#disk.summaries.delete(number);
    }
  }

  shrink(): Promise<boolean> {
    return Promise.resolve(false);
  }

  async diskUse(): Promise<EngineDiskUse> {
    await Promise.resolve();
    this.#checkOpen();
    return { databaseBytes: 0, freeInsideBytes: 0 };
  }

  readBlocks(
    first: number,
    count: number,
  ): Promise<readonly (Uint8Array | undefined)[]> {
    return this.#range(this.#disk.blocks, first, count);
  }

  readSummaries(
    first: number,
    count: number,
  ): Promise<readonly (Uint8Array | undefined)[]> {
    return this.#range(this.#disk.summaries, first, count);
  }

  async getMeta(name: string): Promise<unknown> {
    await Promise.resolve();
    this.#checkOpen();
    return structuredClone(this.#disk.meta.get(name));
  }

  async setMeta(name: string, value: unknown): Promise<void> {
    await Promise.resolve();
    this.#checkWriter();
    if (value === undefined) this.#disk.meta.delete(name);
    else this.#disk.meta.set(name, structuredClone(value));
  }

  close(): Promise<void> {
    this.#closed = true;
    return Promise.resolve();
  }

  #checkOpen(): void {
    if (!this.#closed) return;
    throw new StoreError("closed", "Cannot use the log: the store is closed");
  }

  #checkWriter(): void {
    this.#checkOpen();
    if (this.#disk.lease === this.#lease) return;
    throw new StoreError(
      "fenced",
      "Cannot write the log: another writer opened the store",
    );
  }

  #remove(batch: EngineBatch): void {
    const disk = this.#disk;
    const from = batch.removeBlocksFrom;
    if (from !== undefined) {
      for (const number of [...disk.blocks.keys()]) {
        if (number < from) continue;
        disk.blocks.delete(number);
        disk.summaries.delete(number);
      }
      disk.tail = [];
    }
    if (batch.removeBlock !== undefined) {
      disk.blocks.delete(batch.removeBlock);
      disk.summaries.delete(batch.removeBlock);
      disk.tail = [];
    }
    if (batch.removeFile !== undefined) disk.files.delete(batch.removeFile);
    const after = batch.removeFilesAfter;
    if (after === undefined) return;
    for (const number of [...disk.files.keys()]) {
      if (number > after) disk.files.delete(number);
    }
  }

  async #range(
    values: Map<number, Uint8Array>,
    first: number,
    count: number,
  ): Promise<readonly (Uint8Array | undefined)[]> {
    await Promise.resolve();
    this.#checkOpen();
    const found = Array.from(
      { length: count },
      // A copy, as from a disk: who reads it may free it.
      (_, index) => values.get(first + index)?.slice(),
    );
    return found.slice(0, found.findLastIndex((one) => one !== undefined) + 1);
  }
}
