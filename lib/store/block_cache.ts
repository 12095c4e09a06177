import { type BlockSummary, StoreError } from "./binlog_store.ts";
import type { BlockEngine } from "./block_engine.ts";
import { type Group, GroupCache, type LoadedGroup } from "./group_cache.ts";
import { decodeSummary } from "./summary_codec.ts";

/** Blocks that are read from the engine together: about 1 MB. */
export const GROUP_BLOCKS = 16;

/** Summaries that are read together. */
const SUMMARY_GROUP_BLOCKS = 256;

/** Summaries that are kept, in encoded bytes; decoded they take a few times that. */
const SUMMARY_BYTES_MAX = 4 * 1024 * 1024;

/** What a value in memory costs beside its bytes. */
const VALUE_BYTES = 128;

/** Whole blocks on disk and their summaries, shared by all readers. */
export class BlockCache {
  readonly #blocks: GroupCache<Uint8Array>;
  readonly #summaries: GroupCache<BlockSummary>;

  /**
   * An empty cache.
   *
   * @param engine where the blocks are
   * @param bytesMax how much of them is kept for readers yet to come, in bytes
   */
  constructor(engine: BlockEngine, bytesMax: number) {
    this.#blocks = new GroupCache({
      groupSize: GROUP_BLOCKS,
      bytesMax,
      load: async (first, count) =>
        weigh(await engine.readBlocks(first, count), (bytes) => bytes),
      free: freeBytes,
    });
    this.#summaries = new GroupCache({
      groupSize: SUMMARY_GROUP_BLOCKS,
      bytesMax: SUMMARY_BYTES_MAX,
      load: async (first, count) =>
        weigh(await engine.readSummaries(first, count), decodeSummary),
    });
  }

  /** Counts the calls of `dropFrom`; see `Group.generation`. */
  get generation(): number {
    return this.#blocks.generation;
  }

  /** The blocks read together with block `number`, if they are in memory. */
  group(number: number): Group<Uint8Array> | undefined {
    return this.#blocks.get(number);
  }

  /** Reads those blocks, held for the caller; see `GroupCache.load`. */
  loadGroup(number: number): Promise<Group<Uint8Array>> {
    return this.#blocks.load(number);
  }

  /** Starts reading the blocks around block `number` for somebody to come. */
  prefetch(number: number): void {
    this.#blocks.prefetch(number);
  }

  /**
   * The summary of block `number`, which must be on disk and not behind the
   * head; without a promise if it is in memory.
   *
   * @throws {StoreError} `corrupt` when there is none
   */
  summary(number: number): BlockSummary | Promise<BlockSummary> {
    return this.#summaries.get(number)?.at(number) ?? this.#loadSummary(number);
  }

  /** Forgets blocks from `number` on, those on their way included. */
  dropFrom(number: number): void {
    this.#blocks.dropFrom(number);
    this.#summaries.dropFrom(number);
  }

  async #loadSummary(number: number): Promise<BlockSummary> {
    const group = await this.#summaries.load(number);
    const summary = group.at(number);
    group.release();
    return summary ?? missing("summary of block", number);
  }
}

/**
 * Says that a block or summary is not there.
 *
 * @throws {StoreError} `corrupt`
 */
export function missing(what: string, number: number): never {
  throw new StoreError(
    "corrupt",
    `Cannot read the log: the ${what} ${number} is missing`,
  );
}

/**
 * Gives the memory of a block back at once. A gigabyte a second goes through
 * here, and the garbage collector would let hundreds of MB of it pile up.
 */
function freeBytes(bytes: Uint8Array): void {
  if (bytes.buffer instanceof ArrayBuffer) bytes.buffer.transfer(0);
}

function weigh<T>(
  values: readonly (Uint8Array | undefined)[],
  decode: (bytes: Uint8Array) => T,
): LoadedGroup<T> {
  let bytes = 0;
  const decoded = values.map((value) => {
    if (value === undefined) return undefined;
    bytes += value.length + VALUE_BYTES;
    return decode(value);
  });
  return { values: decoded, bytes };
}
