import type { BlockSummary, StoredFile } from "./binlog_store.ts";
import type { BlockBuilder } from "./block_builder.ts";
import { BlockCache, GROUP_BLOCKS } from "./block_cache.ts";
import type { BlockReads } from "./block_engine.ts";
import type { Group } from "./group_cache.ts";

/** Limits of a log's use of memory. */
export interface BlockMemoryOptions {
  /** Newest blocks kept in memory for the readers near the head, in bytes. */
  readonly tailBytes?: number;
  /** Older blocks kept in memory after a reader needed them, in bytes. */
  readonly cacheBytes?: number;
  /** What errors call the store: the path of its database. */
  readonly store?: string;
}

const TAIL_BYTES_DEFAULT = 32 * 1024 * 1024;
const CACHE_BYTES_DEFAULT = 24 * 1024 * 1024;

/** How far ahead of a reader blocks are fetched. */
const PREFETCH_BLOCKS = 2 * GROUP_BLOCKS;

/**
 * Finds the bytes of a block wherever they are: in the block under
 * construction, in a sealed one that is still in memory, or on disk.
 */
export class BlockSource {
  readonly #cache: BlockCache;
  readonly #tailBytesMax: number;
  readonly #growing: () => BlockBuilder;
  // Sealed blocks by number, oldest first, without gaps.
  readonly #tail = new Map<number, BlockBuilder>();
  #tailBytes = 0;
  /** Blocks up to this number are on disk whole. */
  #lastOnDisk: number;

  /**
   * Nothing is in memory at first.
   *
   * @param engine where whole blocks are
   * @param growing the block under construction
   * @param lastOnDisk number of the last whole block on disk; -1 if none
   * @param options limits
   * @param fileOf the visible file of a block, for what errors say
   */
  constructor(
    engine: BlockReads,
    growing: () => BlockBuilder,
    lastOnDisk: number,
    options: BlockMemoryOptions,
    fileOf?: (block: number) => StoredFile | undefined,
  ) {
    this.#cache = new BlockCache(
      engine,
      options.cacheBytes ?? CACHE_BYTES_DEFAULT,
      { store: options.store, ...(fileOf === undefined ? {} : { fileOf }) },
    );
    this.#tailBytesMax = options.tailBytes ?? TAIL_BYTES_DEFAULT;
    this.#growing = growing;
    this.#lastOnDisk = lastOnDisk;
  }

  /** Counts the calls of `cutBack`: blocks of before may be others now. */
  get generation(): number {
    return this.#cache.generation;
  }

  /** The bytes of block `number`, at least as far as they are visible. */
  inMemory(number: number): Uint8Array | undefined {
    const growing = this.#growing();
    if (number === growing.number) return growing.bytes();
    return this.#tail.get(number)?.bytes();
  }

  /** The blocks read together with block `number`, if they are in memory. */
  group(number: number): Group<Uint8Array> | undefined {
    return this.#cache.group(number);
  }

  /**
   * Reads those blocks, held for the caller, who has to release them. Block
   * `number` is among them, unless it came into memory or the log was cut back
   * meanwhile: look for it again.
   *
   * @throws {StoreError} `corrupt` when the block is missing or damaged; `io`,
   * `closed`
   */
  async loadGroup(number: number): Promise<Group<Uint8Array>> {
    const group = await this.#cache.loadGroup(number);
    if (
      group.at(number) === undefined &&
      group.generation === this.generation &&
      this.inMemory(number) === undefined
    ) {
      group.release();
      throw await this.#cache.blockFault(number);
    }
    return group;
  }

  /**
   * A copy of the bytes of block `number`, from wherever they are.
   *
   * @throws {StoreError} as `loadGroup`
   */
  async bytes(number: number): Promise<Uint8Array> {
    for (;;) {
      const found = this.inMemory(number) ?? this.group(number)?.at(number);
      if (found !== undefined) return found.slice();
      const loaded = await this.loadGroup(number);
      const bytes = loaded.generation === this.generation
        ? loaded.at(number)?.slice()
        : undefined;
      loaded.release();
      if (bytes !== undefined) return bytes;
    }
  }

  /** The summary of a block before the one the head is in. */
  summary(number: number): BlockSummary | Promise<BlockSummary> {
    return this.#tail.get(number)?.summary() ?? this.#cache.summary(number);
  }

  /**
   * Starts reading what a reader at `block` will need soon.
   *
   * @param block the block it reads now
   * @param end the block the head is in
   */
  prefetch(block: number, end: number): void {
    const to = Math.min(block + PREFETCH_BLOCKS, end - 1);
    for (let at = block + GROUP_BLOCKS; at <= to; at += GROUP_BLOCKS) {
      const first = at - at % GROUP_BLOCKS;
      if (!this.#tail.has(first)) this.#cache.prefetch(first);
    }
  }

  /** Takes a block that was sealed. */
  sealed(block: BlockBuilder): void {
    this.#tail.set(block.number, block);
    this.#tailBytes += block.memoryBytes;
    this.#evict();
  }

  /** Notes that blocks up to `number` are on disk. */
  onDisk(number: number): void {
    if (number <= this.#lastOnDisk) return;
    this.#lastOnDisk = number;
    this.#evict();
  }

  /** Forgets what was read from disk from block `number` on. */
  forgetRead(number: number): void {
    this.#cache.dropFrom(number);
  }

  /** Forgets blocks from `number` on, which are no longer part of the log. */
  cutBack(number: number): void {
    for (const block of [...this.#tail.values()]) {
      if (block.number >= number) this.#letGo(block);
    }
    this.#cache.dropFrom(number);
    this.#lastOnDisk = Math.min(this.#lastOnDisk, number - 1);
  }

  /** Lets go of the oldest blocks in memory, never of one not yet on disk. */
  #evict(): void {
    for (const block of this.#tail.values()) {
      if (this.#tailBytes <= this.#tailBytesMax) return;
      if (block.number > this.#lastOnDisk) return;
      this.#letGo(block);
    }
  }

  #letGo(block: BlockBuilder): void {
    this.#tail.delete(block.number);
    this.#tailBytes -= block.memoryBytes;
  }
}
