import { type BlockSummary, StoreError } from "./binlog_store.ts";
import type { BlockEngine } from "./block_engine.ts";

/** Blocks that are read from the engine together: about 1 MB. */
export const GROUP_BLOCKS = 16;

/** Summaries that are read together. */
const SUMMARY_GROUP_BLOCKS = 256;

/** Groups of summaries that are kept. */
const SUMMARY_GROUPS_MAX = 32;

/** Consecutive values read in one go. */
interface Group<T> {
  readonly first: number;
  readonly values: readonly T[];
}

/**
 * Whole blocks on disk, read in groups and shared by all readers: many readers
 * at about the same place cost one read. The least recently used groups go
 * first; one that is still being sent lives on until its reader lets go of it.
 */
export class BlockCache {
  readonly #engine: BlockEngine;
  readonly #groupsMax: number;
  readonly #blocks = new Map<number, Group<Uint8Array>>();
  readonly #loading = new Map<number, Promise<Group<Uint8Array>>>();
  readonly #summaries = new Map<number, Group<BlockSummary>>();

  /**
   * @param engine where the blocks are
   * @param bytesMax how much is kept for readers yet to come, in bytes
   */
  constructor(engine: BlockEngine, bytesMax: number) {
    this.#engine = engine;
    this.#groupsMax = Math.max(
      2,
      Math.floor(bytesMax / (GROUP_BLOCKS * 65536)),
    );
  }

  /** The bytes of block `number`, now if they are in memory. */
  block(number: number): Uint8Array | Promise<Uint8Array> {
    const index = Math.floor(number / GROUP_BLOCKS);
    const group = this.#blocks.get(index);
    const bytes = group?.values[number - group.first];
    if (bytes !== undefined) {
      if (number === group!.first) this.#touch(index, group!);
      return bytes;
    }
    return this.#loadBlock(index, number);
  }

  /** Starts reading the group of block `number` unless it is there. */
  prefetch(number: number): void {
    const index = Math.floor(number / GROUP_BLOCKS);
    if (this.#blocks.has(index) || this.#loading.has(index)) return;
    // Whoever needs the group sees the fault; a prefetch has nobody to tell.
    this.#load(index).catch(() => {});
  }

  /** The summary of block `number`, which must be on disk. */
  summary(number: number): BlockSummary | Promise<BlockSummary> {
    const index = Math.floor(number / SUMMARY_GROUP_BLOCKS);
    const group = this.#summaries.get(index);
    const summary = group?.values[number - group.first];
    return summary ?? this.#loadSummary(index, number);
  }

  /** Forgets blocks from `number` on. */
  dropFrom(number: number): void {
    for (const index of [...this.#blocks.keys()]) {
      if ((index + 1) * GROUP_BLOCKS > number) this.#blocks.delete(index);
    }
    for (const index of [...this.#summaries.keys()]) {
      if ((index + 1) * SUMMARY_GROUP_BLOCKS > number) {
        this.#summaries.delete(index);
      }
    }
    this.#loading.clear();
  }

  #touch(index: number, group: Group<Uint8Array>): void {
    this.#blocks.delete(index);
    this.#blocks.set(index, group);
  }

  async #loadBlock(index: number, number: number): Promise<Uint8Array> {
    const group = await (this.#loading.get(index) ?? this.#load(index));
    const bytes = group.values[number - group.first];
    if (bytes === undefined) throw missing("block", number);
    return bytes;
  }

  #load(index: number): Promise<Group<Uint8Array>> {
    const loading = this.#read(index).finally(() => {
      if (this.#loading.get(index) === loading) this.#loading.delete(index);
    });
    this.#loading.set(index, loading);
    return loading;
  }

  async #read(index: number): Promise<Group<Uint8Array>> {
    const first = index * GROUP_BLOCKS;
    const values = await this.#engine.readBlocks(first, GROUP_BLOCKS);
    const group = { first, values };
    this.#blocks.delete(index);
    this.#blocks.set(index, group);
    for (const oldest of this.#blocks.keys()) {
      if (this.#blocks.size <= this.#groupsMax) break;
      this.#blocks.delete(oldest);
    }
    return group;
  }

  async #loadSummary(index: number, number: number): Promise<BlockSummary> {
    const first = index * SUMMARY_GROUP_BLOCKS;
    const values = await this.#engine.readSummaries(
      first,
      SUMMARY_GROUP_BLOCKS,
    );
    this.#summaries.delete(index);
    this.#summaries.set(index, { first, values });
    for (const oldest of this.#summaries.keys()) {
      if (this.#summaries.size <= SUMMARY_GROUPS_MAX) break;
      this.#summaries.delete(oldest);
    }
    const summary = values[number - first];
    if (summary === undefined) throw missing("summary of block", number);
    return summary;
  }
}

function missing(what: string, number: number): StoreError {
  return new StoreError(
    "corrupt",
    `Cannot read the log: the ${what} ${number} is missing`,
  );
}
