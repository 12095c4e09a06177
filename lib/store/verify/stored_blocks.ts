import { StoreError } from "../binlog_store.ts";
import type { VerifySource } from "./verify_source.ts";

/** Blocks that are read together. */
const GROUP_BLOCKS = 16;

/** Blocks in a row, with their summaries: undefined where there is none. */
export interface BlockGroup {
  readonly blocks: readonly (Uint8Array<ArrayBuffer> | undefined)[];
  readonly summaries: readonly (Uint8Array | undefined)[];
  /** How many were asked for. */
  readonly count: number;
}

/** Reads blocks and summaries, those beside what can't be read as well. */
export class StoredBlocks {
  readonly #source: VerifySource;
  readonly #unreadable = new Map<number, string>();

  /** Reads nothing yet. */
  constructor(source: VerifySource) {
    this.#source = source;
  }

  /**
   * The next blocks of `first` to `last`, which may be infinite.
   *
   * @throws {StoreError} other than `corrupt`
   */
  async group(first: number, last: number): Promise<BlockGroup> {
    const count = Math.min(GROUP_BLOCKS, last - first + 1);
    if (count <= 0) return { blocks: [], summaries: [], count: 0 };
    const source = this.#source;
    const [blocks, summaries] = await Promise.all([
      this.#readEach(first, count, source.readBlocks.bind(source)),
      this.#readEach(first, count, source.readSummaries.bind(source)),
    ]);
    return {
      blocks: blocks as readonly (Uint8Array<ArrayBuffer> | undefined)[],
      summaries,
      count,
    };
  }

  /**
   * One block; undefined if there is none or it can't be read.
   *
   * @throws {StoreError} other than `corrupt`
   */
  async block(number: number): Promise<Uint8Array | undefined> {
    const source = this.#source;
    const read = source.readBlocks.bind(source);
    return (await this.#readEach(number, 1, read))[0];
  }

  /** What the database says of a block or summary that it can't read. */
  faultOf(number: number): string | undefined {
    return this.#unreadable.get(number);
  }

  /** Reads values together; one by one where the database itself is damaged. */
  async #readEach(
    first: number,
    count: number,
    read: VerifySource["readBlocks"],
  ): Promise<readonly (Uint8Array | undefined)[]> {
    try {
      return await read(first, count);
    } catch (error) {
      if (!isDamage(error)) throw error;
    }
    const values: (Uint8Array | undefined)[] = [];
    for (let number = first; number < first + count; number++) {
      try {
        values.push((await read(number, 1))[0]);
      } catch (error) {
        if (!isDamage(error)) throw error;
        this.#unreadable.set(number, `can't be read: ${error.message}`);
        values.push(undefined);
      }
    }
    return values;
  }
}

function isDamage(error: unknown): error is StoreError {
  return error instanceof StoreError && error.kind === "corrupt";
}
