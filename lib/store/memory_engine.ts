import type { BlockSummary } from "./binlog_store.ts";
import { StoreError } from "./binlog_store.ts";
import type {
  BlockEngine,
  EngineBatch,
  EngineState,
  FileRecord,
  HeadRecord,
} from "./block_engine.ts";
import { decodeSummary, encodeSummary } from "./summary_codec.ts";

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
  /** Pieces of the newest block. */
  tailBlock = 0;
  /** The pieces themselves. */
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

  /** @param disk what to open; a new one is an empty log */
  constructor(disk: MemoryDisk = new MemoryDisk()) {
    this.#disk = disk;
  }

  load(): Promise<EngineState> {
    const disk = this.#disk;
    this.#lease = ++disk.lease;
    const pieces = disk.head !== undefined && disk.tail.length > 0 &&
      disk.tailBlock === disk.head.block;
    return Promise.resolve({
      head: disk.head,
      files: [...disk.files.values()].sort((a, b) => a.number - b.number),
      tail: pieces ? concat(disk.tail) : undefined,
      tailPieces: pieces ? disk.tail.length : 0,
    });
  }

  async commit(batch: EngineBatch): Promise<void> {
    // A commit takes a turn of the event loop, as one on disk does.
    await Promise.resolve();
    const disk = this.#disk;
    if (this.#closed) {
      throw new StoreError("closed", "Cannot commit: the store is closed");
    }
    if (disk.lease !== this.#lease) {
      throw new StoreError(
        "fenced",
        "Cannot commit: another writer opened the store",
      );
    }
    this.#remove(batch);
    for (const block of batch.blocks) {
      disk.blocks.set(block.number, block.bytes.slice());
      disk.summaries.set(block.number, encodeSummary(block.summary));
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

  readBlocks(first: number, count: number): Promise<Uint8Array[]> {
    return Promise.resolve(this.#range(this.#disk.blocks, first, count));
  }

  readSummaries(first: number, count: number): Promise<BlockSummary[]> {
    return Promise.resolve(
      this.#range(this.#disk.summaries, first, count).map(decodeSummary),
    );
  }

  getMeta(name: string): Promise<unknown> {
    return Promise.resolve(structuredClone(this.#disk.meta.get(name)));
  }

  setMeta(name: string, value: unknown): Promise<void> {
    if (value === undefined) this.#disk.meta.delete(name);
    else this.#disk.meta.set(name, structuredClone(value));
    return Promise.resolve();
  }

  close(): Promise<void> {
    this.#closed = true;
    return Promise.resolve();
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
      if (disk.tailBlock >= from) disk.tail = [];
    }
    const after = batch.removeFilesAfter;
    if (after === undefined) return;
    for (const number of [...disk.files.keys()]) {
      if (number > after) disk.files.delete(number);
    }
  }

  #range<T>(values: Map<number, T>, first: number, count: number): T[] {
    const found: T[] = [];
    for (let number = first; number < first + count; number++) {
      const value = values.get(number);
      if (value !== undefined) found.push(value);
    }
    return found;
  }
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(
    parts.reduce((sum, part) => sum + part.length, 0),
  );
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
