import { StoreError } from "../binlog_store.ts";
import { whileLocked } from "./while_locked.ts";

/**
 * The most bytes in one atomic commit. Deno KV takes 800 KiB; what is left is
 * for what it adds to our values.
 */
const BATCH_BYTES_MAX = 812_000;

/** The most changes in one atomic commit; Deno KV takes 1000. */
const BATCH_MUTATIONS_MAX = 950;

/** What a key takes: its name, and a number or two. */
const KEY_BYTES = 32;

/** Puts one atomic commit together, and counts what Deno KV will count. */
export class KvBatch {
  readonly #atomic: Deno.AtomicOperation;
  #bytes = 0;
  #mutations = 0;

  /**
   * An empty batch.
   *
   * @param atomic what to fill; has its checks already
   */
  constructor(atomic: Deno.AtomicOperation) {
    this.#atomic = atomic;
  }

  /** True when there is nothing in it. */
  get isEmpty(): boolean {
    return this.#mutations === 0;
  }

  /** Whether so many more changes with so many bytes of values fit. */
  fits(mutations: number, bytes: number): boolean {
    return this.#mutations + mutations <= BATCH_MUTATIONS_MAX &&
      this.#bytes + mutations * KEY_BYTES + bytes <= BATCH_BYTES_MAX;
  }

  /**
   * Sets a value.
   *
   * @param valueBytes about how many bytes it takes
   */
  set(key: Deno.KvKey, value: unknown, valueBytes: number): void {
    this.#atomic.set(key, value);
    this.#mutations++;
    this.#bytes += KEY_BYTES + valueBytes;
  }

  /** Removes a value. */
  delete(key: Deno.KvKey): void {
    this.#atomic.delete(key);
    this.#mutations++;
    this.#bytes += KEY_BYTES;
  }

  /**
   * Makes it durable.
   *
   * @throws {StoreError} `fenced` when a check fails; what Deno KV throws
   */
  async commit(): Promise<void> {
    const result = await whileLocked(() => this.#atomic.commit());
    if (result.ok) return;
    throw fencedError();
  }
}

/** What a writer gets that has lost its lease. */
export function fencedError(): StoreError {
  return new StoreError(
    "fenced",
    "Cannot write the log: another process opened the same data and writes it now",
  );
}
