import type { BlockEngine } from "./block_engine.ts";

/**
 * Blocks removed in one commit. A commit of ingest that comes meanwhile waits
 * for it.
 */
const BLOCKS_AT_ONCE = 32;

/**
 * The pause after each step, as a multiple of the time it took: what is left of
 * the disk and of a core for ingest and dumps. Nobody waits for a smaller file.
 */
const PAUSE_FACTOR = { remove: 1, shrink: 3 } as const;

/** The shortest pause, in ms. */
const PAUSE_MS_MIN = { remove: 2, shrink: 10 } as const;

/**
 * Removes the blocks of purged files from disk, little by little and oldest
 * first, and gives the space back that is not soon needed again. What a crash
 * leaves of them is found by the number of the oldest block there is.
 */
export class BlockRemover {
  readonly #engine: BlockEngine;
  readonly #keepBytes: () => number;
  #next: number;
  #end: number;
  #running: Promise<void> | undefined;
  #stopped = false;
  #wake: (() => void) | undefined;

  /**
   * Nothing is done before `removeUpTo`.
   *
   * @param engine where the blocks are
   * @param first number of the oldest block there is
   * @param keepBytes how much free space is to stay for what comes next
   */
  constructor(engine: BlockEngine, first: number, keepBytes: () => number) {
    this.#engine = engine;
    this.#keepBytes = keepBytes;
    this.#next = first;
    this.#end = first;
  }

  /** How many blocks are to go yet. */
  get left(): number {
    return this.#end - this.#next;
  }

  /** True while blocks are removed or their space is given back. */
  get isAtWork(): boolean {
    return this.#running !== undefined;
  }

  /** Has all blocks before block `end` removed. */
  removeUpTo(end: number): void {
    this.#end = Math.max(this.#end, end);
    if (this.#stopped) return;
    this.#running ??= this.#run();
  }

  /** Removes no more; resolves when nothing is under way. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#wake?.();
    await this.#running;
  }

  async #run(): Promise<void> {
    try {
      while (!this.#stopped) {
        const began = performance.now();
        const step = this.left > 0 ? "remove" : "shrink";
        if (step === "remove") await this.#remove();
        else if (!await this.#engine.shrink(this.#keepBytes())) break;
        const pause = PAUSE_FACTOR[step] * (performance.now() - began);
        await this.#pause(Math.max(pause, PAUSE_MS_MIN[step]));
      }
    } catch {
      // The log is as good with them: the next purge or the next opening goes
      // on here. A disk that is at fault shows itself at a commit.
    } finally {
      this.#running = undefined;
    }
  }

  async #remove(): Promise<void> {
    const count = Math.min(this.left, BLOCKS_AT_ONCE);
    await this.#engine.removeBlocks(this.#next, count);
    this.#next += count;
  }

  #pause(ms: number): Promise<void> {
    if (this.#stopped) return Promise.resolve();
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.#wake = undefined;
        resolve();
      };
      const timer = setTimeout(done, ms);
      this.#wake = done;
    });
  }
}
