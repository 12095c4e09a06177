import {
  type BlockSummary,
  type LogReader,
  type LogSlice,
  type StoredFile,
  StoreError,
} from "./binlog_store.ts";

/** What a reader needs of the log. */
export interface ReaderHost {
  /** Where the visible log ends; undefined while it is empty. */
  visibleEnd(): { block: number; offset: number } | undefined;
  /** The visible file of that number. */
  file(number: number): StoredFile | undefined;
  /** The bytes of a block, at least as far as they are visible. */
  blockBytes(number: number): Uint8Array | Promise<Uint8Array>;
  /** The summary of a whole block. */
  blockSummary(number: number): BlockSummary | Promise<BlockSummary>;
  /** Asks for blocks that will be read soon. */
  prefetch(block: number, last: number): void;
}

/** Reads `BlockLog` block by block, up to the head. */
export class BlockReader implements LogReader {
  readonly #host: ReaderHost;
  #fileNumber: number;
  #block: number;
  #offset: number;

  /**
   * @param host the log
   * @param file the file to begin in
   * @param block the block to begin in
   * @param offset where in that block, at the begin of an event
   */
  constructor(
    host: ReaderHost,
    file: StoredFile,
    block: number,
    offset: number,
  ) {
    this.#host = host;
    this.#fileNumber = file.number;
    this.#block = block;
    this.#offset = offset;
  }

  get file(): StoredFile {
    const file = this.#host.file(this.#fileNumber);
    if (file === undefined) {
      throw new StoreError(
        "unknown-file",
        `Cannot read file ${this.#fileNumber} of the log: it was removed`,
      );
    }
    return file;
  }

  next(): LogSlice | undefined | Promise<LogSlice | undefined> {
    for (;;) {
      const end = this.#visibleOffset();
      if (end === undefined) return undefined;
      const bytes = this.#host.blockBytes(this.#block);
      if (!(bytes instanceof Uint8Array)) return this.#nextLater(bytes);
      const slice = this.#cut(bytes, end);
      if (slice !== undefined) return slice;
    }
  }

  async #nextLater(
    loading: Promise<Uint8Array>,
  ): Promise<LogSlice | undefined> {
    const bytes = await loading;
    // The head may have moved meanwhile, so look again how far to go.
    const end = this.#visibleOffset();
    if (end === undefined) return undefined;
    return this.#cut(bytes, end) ?? this.next();
  }

  /** How far the current block may be read; undefined if not at all. */
  #visibleOffset(): number | undefined {
    const head = this.#host.visibleEnd();
    if (head === undefined || this.#block > head.block) return undefined;
    const next = this.#host.file(this.#fileNumber + 1);
    if (next !== undefined && this.#block >= next.firstBlock) return undefined;
    if (this.#block < head.block) {
      this.#host.prefetch(this.#block, head.block);
      return Infinity;
    }
    return this.#offset < head.offset ? head.offset : undefined;
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

  peek(): BlockSummary | undefined | Promise<BlockSummary | undefined> {
    if (this.#offset !== 0 || this.#visibleOffset() !== Infinity) {
      return undefined;
    }
    return this.#host.blockSummary(this.#block);
  }

  skip(): void {
    this.#block++;
    this.#offset = 0;
  }

  nextFile(): boolean {
    const next = this.#host.file(this.#fileNumber + 1);
    if (next === undefined) return false;
    this.#fileNumber = next.number;
    this.#block = next.firstBlock;
    this.#offset = 0;
    return true;
  }
}
