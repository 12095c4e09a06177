import {
  type BlockSummary,
  type LogReader,
  type LogSlice,
  type StoredFile,
  StoreError,
} from "./binlog_store.ts";
import type { BlockSource } from "./block_source.ts";
import type { Group } from "./group_cache.ts";

/** A place in the blocks of the log. */
export interface BlockOffset {
  /** Number of the block. */
  readonly block: number;
  /** Offset in it. */
  readonly offset: number;
}

/** What a reader needs of the log. */
export interface ReaderHost {
  /** Where the bytes of blocks are. */
  readonly source: BlockSource;
  /** Where the visible log ends; undefined while it is empty. */
  visibleEnd(): BlockOffset | undefined;
  /** The visible file of that number. */
  file(number: number): StoredFile | undefined;
}

/** Reads `BlockLog` block by block, up to the head. */
export class BlockReader implements LogReader {
  readonly #host: ReaderHost;
  readonly #source: BlockSource;
  #file: StoredFile;
  #block: number;
  #offset: number;
  // Blocks read from disk together with the current one: nobody else's use of
  // the cache can make this reader read them twice.
  #held: Group<Uint8Array> | undefined;

  /**
   * Begins in the middle of a file or at its begin.
   *
   * @param host the log
   * @param file the file to begin in
   * @param start where in its blocks, at the begin of an event
   */
  constructor(host: ReaderHost, file: StoredFile, start: BlockOffset) {
    this.#host = host;
    this.#source = host.source;
    this.#file = file;
    this.#block = start.block;
    this.#offset = start.offset;
  }

  get file(): StoredFile {
    return this.#host.file(this.#file.number) ?? this.#file;
  }

  next(): LogSlice | undefined | Promise<LogSlice | undefined> {
    for (;;) {
      this.#checkPurged();
      const end = this.#visibleOffset();
      if (end === undefined) return undefined;
      const bytes = this.#bytes();
      if (bytes === undefined) return quiet(this.#nextLater());
      const slice = this.#cut(bytes, end);
      if (slice !== undefined) return slice;
    }
  }

  peek(): BlockSummary | undefined | Promise<BlockSummary | undefined> {
    this.#checkPurged();
    if (this.#offset !== 0 || this.#visibleOffset() !== Infinity) {
      return undefined;
    }
    const summary = this.#source.summary(this.#block);
    return summary instanceof Promise
      ? quiet(this.#unlessPurged(summary))
      : summary;
  }

  skip(): void {
    this.#block++;
    this.#offset = 0;
  }

  nextFile(): boolean {
    const next = this.#host.file(this.#file.number + 1);
    if (next === undefined) this.#checkPurged();
    // More of this file may have become visible together with the next one.
    if (next === undefined || this.#block < next.firstBlock) return false;
    this.#file = next;
    this.#block = next.firstBlock;
    this.#offset = 0;
    return true;
  }

  /** Nothing of a purged file is read, even while its blocks are there. */
  #checkPurged(cause?: unknown): void {
    if (this.#host.file(this.#file.number) !== undefined) return;
    this.#letGo();
    throw purgedError(this.#file.name, cause);
  }

  /** What is `loading`, whose failure is no surprise after a purge. */
  async #unlessPurged<T>(loading: Promise<T>): Promise<T> {
    try {
      return await loading;
    } catch (error) {
      this.#checkPurged(error);
      throw error;
    }
  }

  /** How far the current block may be read; undefined if not at all. */
  #visibleOffset(): number | undefined {
    const head = this.#host.visibleEnd();
    if (head === undefined || this.#block > head.block) return undefined;
    const next = this.#host.file(this.#file.number + 1);
    if (next !== undefined && this.#block >= next.firstBlock) return undefined;
    if (this.#block < head.block) return Infinity;
    return this.#offset < head.offset ? head.offset : undefined;
  }

  /** The current block, if it is in memory. */
  #bytes(): Uint8Array | undefined {
    const number = this.#block;
    const source = this.#source;
    const memory = source.inMemory(number);
    if (memory !== undefined) {
      this.#letGo();
      return memory;
    }
    const held = this.#held;
    if (held !== undefined && held.generation === source.generation) {
      const bytes = held.at(number);
      if (bytes !== undefined) return bytes;
    }
    this.#letGo();
    this.#prefetch();
    this.#held = source.group(number);
    this.#held?.hold();
    return this.#held?.at(number);
  }

  /** The blocks held may be freed: the last slice is not used any more. */
  #letGo(): void {
    this.#held?.release();
    this.#held = undefined;
  }

  async #nextLater(): Promise<LogSlice | undefined> {
    const loaded = await this.#unlessPurged(
      this.#source.loadGroup(this.#block),
    );
    this.#letGo();
    this.#held = loaded;
    // The head may have moved meanwhile, so look again how far to go.
    return await this.next();
  }

  #prefetch(): void {
    const head = this.#host.visibleEnd();
    if (head !== undefined) this.#source.prefetch(this.#block, head.block);
  }

  /** What is left of the current block; undefined if that is nothing. */
  #cut(bytes: Uint8Array, end: number): LogSlice | undefined {
    const from = this.#offset;
    const to = Math.min(end, bytes.length);
    if (end === Infinity) {
      this.#block++;
      this.#offset = 0;
    } else {
      this.#offset = to;
    }
    if (from >= to) return undefined;
    return {
      file: this.file,
      bytes: from === 0 && to === bytes.length
        ? bytes
        : bytes.subarray(from, to),
    };
  }
}

/**
 * Says that a file is not there any more.
 *
 * @param file its name, or what else is known of it
 * @param cause what came of trying to read it
 */
export function purgedError(file: string, cause?: unknown): StoreError {
  return new StoreError(
    "purged",
    `Cannot read ${file}: it was purged; read from a newer file, and take what is missing from a backup`,
    cause === undefined ? {} : { cause },
  );
}

/** A promise whose failure does no harm when nobody awaits it in time. */
function quiet<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return promise;
}
