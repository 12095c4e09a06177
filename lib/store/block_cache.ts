import type { BlockSummary, StoredFile, StoreError } from "./binlog_store.ts";
import type { BlockReads } from "./block_engine.ts";
import { damageError } from "./damage_error.ts";
import { type Group, GroupCache, type LoadedGroup } from "./group_cache.ts";
import { blockPlace, openSealed, summaryPlace } from "./sealed_bytes.ts";
import { decodeSummary } from "./summary_codec.ts";

/** Blocks that are read from the engine together: about 1 MB. */
export const GROUP_BLOCKS = 16;

/** Summaries that are read together. */
const SUMMARY_GROUP_BLOCKS = 256;

/** Summaries that are kept, in encoded bytes; decoded they take a few times that. */
const SUMMARY_BYTES_MAX = 4 * 1024 * 1024;

/** What a value in memory costs beside its bytes. */
const VALUE_BYTES = 128;

/** What an error can say of the place of a block. */
export interface LogSite {
  /** What the store is called: the path of its database. */
  readonly store?: string | undefined;
  /** The visible file that a block belongs to, if its record is there. */
  fileOf?(block: number): StoredFile | undefined;
}

/** Whole blocks on disk and their summaries, shared by all readers. */
export class BlockCache {
  readonly #engine: BlockReads;
  readonly #site: LogSite;
  readonly #blocks: GroupCache<Uint8Array>;
  readonly #summaries: GroupCache<BlockSummary>;

  /**
   * An empty cache.
   *
   * @param engine where the blocks are
   * @param bytesMax how much of them is kept for readers yet to come, in bytes
   * @param site what errors say of the place
   */
  constructor(engine: BlockReads, bytesMax: number, site: LogSite = {}) {
    this.#blocks = new GroupCache({
      groupSize: GROUP_BLOCKS,
      bytesMax,
      load: async (first, count) =>
        weigh(first, await engine.readBlocks(first, count), openBlock),
      free: freeBytes,
    });
    this.#summaries = new GroupCache({
      groupSize: SUMMARY_GROUP_BLOCKS,
      bytesMax: SUMMARY_BYTES_MAX,
      load: async (first, count) =>
        weigh(first, await engine.readSummaries(first, count), openSummary),
    });
    this.#engine = engine;
    this.#site = site;
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
   * @throws {StoreError} `corrupt` when there is none that is sound
   */
  summary(number: number): BlockSummary | Promise<BlockSummary> {
    return this.#summaries.get(number)?.at(number) ?? this.#loadSummary(number);
  }

  /** Forgets blocks from `number` on, those on their way included. */
  dropFrom(number: number): void {
    this.#blocks.dropFrom(number);
    this.#summaries.dropFrom(number);
  }

  /**
   * What is wrong with a block that a group lacks, which others of the group
   * are not to suffer from: it is missing, or damaged.
   */
  async blockFault(number: number): Promise<StoreError> {
    const [found] = await this.#engine.readBlocks(number, 1);
    const summary = await this.#summaries.load(number);
    const position = summary.at(number)?.startPosition;
    summary.release();
    return this.#fault(`block ${number}`, number, found, position);
  }

  async #loadSummary(number: number): Promise<BlockSummary> {
    const group = await this.#summaries.load(number);
    const summary = group.at(number);
    group.release();
    if (summary !== undefined) return summary;
    const [found] = await this.#engine.readSummaries(number, 1);
    throw this.#fault(`the summary of block ${number}`, number, found);
  }

  #fault(
    what: string,
    number: number,
    found: Uint8Array | undefined,
    position?: number,
  ): StoreError {
    return damageError("Cannot read the log", {
      what,
      how: describeStored(found),
      ...this.#site,
      fileName: this.#site.fileOf?.(number)?.name,
      position,
    });
  }
}

/** What is wrong with a value that could not be opened. */
export function describeStored(found: unknown): string {
  return found === undefined
    ? "is missing"
    : "is damaged: its checksum is wrong";
}

function openBlock(number: number, stored: Uint8Array): Uint8Array | undefined {
  return openSealed(blockPlace(number), stored);
}

function openSummary(
  number: number,
  stored: Uint8Array,
): BlockSummary | undefined {
  const bytes = openSealed(summaryPlace(number), stored);
  return bytes === undefined ? undefined : decodeSummary(bytes);
}

/**
 * Gives the memory of a block back at once. A gigabyte a second goes through
 * here, and the garbage collector would let hundreds of MB of it pile up.
 */
function freeBytes(bytes: Uint8Array): void {
  if (bytes.buffer instanceof ArrayBuffer) bytes.buffer.transfer(0);
}

/** Opens stored values; one that is damaged counts as absent. */
function weigh<T>(
  first: number,
  values: readonly (Uint8Array | undefined)[],
  open: (number: number, stored: Uint8Array) => T | undefined,
): LoadedGroup<T> {
  let bytes = 0;
  const opened = values.map((value, index) => {
    if (value === undefined) return undefined;
    bytes += value.length + VALUE_BYTES;
    return open(first + index, value);
  });
  return { values: opened, bytes };
}
