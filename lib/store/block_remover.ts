import type { BlockEngine } from "./block_engine.ts";

/**
 * Blocks removed in one commit. A commit of ingest that comes meanwhile waits
 * for it.
 */
const BLOCKS_AT_ONCE = 64;

/**
 * The pause after each removal, as a multiple of the time it took: what is left
 * of the disk and of a core for ingest and dumps.
 */
const PAUSE_FACTOR = 1;

/** The shortest pause, in ms. */
const PAUSE_MS_MIN = 2;

/**
 * Removes the blocks of purged files from disk, little by little and oldest
 * first: what a crash leaves of them is found again by the number of the oldest
 * block there is.
 */
export class BlockRemover {
  readonly #engine: BlockEngine;
  #next: number;
  #end: number;
  #running: Promise<void> | undefined;
  #stopped = false;
  #wake: (() => void) | undefined;

  /**
   * Nothing is removed before `removeUpTo`.
   *
   * @param engine where the blocks are
   * @param first number of the oldest block there is
   */
  constructor(engine: BlockEngine, first: number) {
    this.#engine = engine;
    this.#next = first;
    this.#end = first;
  }

  /** How many blocks are to go yet. */
  get left(): number {
    return this.#end - this.#next;
  }

  /** Has all blocks before block `end` removed. */
  removeUpTo(end: number): void {
    this.#end = Math.max(this.#end, end);
    if (this.left === 0 || this.#stopped) return;
    this.#running ??= this.#run().finally(() => this.#running = undefined);
  }

  /** Removes no more; resolves when nothing is under way. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#wake?.();
    await this.#running;
  }

  async #run(): Promise<void> {
    while (this.left > 0 && !this.#stopped) {
      const count = Math.min(this.left, BLOCKS_AT_ONCE);
      const began = performance.now();
      try {
        await this.#engine.removeBlocks(this.#next, count);
      } catch {
        // The log is as good with them: the next purge or the next opening
        // goes on here. A disk that is at fault shows itself at a commit.
        return;
      }
      this.#next += count;
      await this.#pause(PAUSE_FACTOR * (performance.now() - began));
    }
  }

  #pause(ms: number): Promise<void> {
    if (this.#stopped) return Promise.resolve();
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.#wake = undefined;
        resolve();
      };
      const timer = setTimeout(done, Math.max(ms, PAUSE_MS_MIN));
      this.#wake = done;
    });
  }
}
