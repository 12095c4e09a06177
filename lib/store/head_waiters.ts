import type { WaitOptions } from "./binlog_store.ts";

/** The longest a timer can run; a longer time would fire at once. */
const TIMER_MS_MAX = 0x7fff_ffff;

/** Those who wait for the head to move. */
export class HeadWaiters {
  readonly #waiting = new Set<(moved: boolean) => void>();

  /** Resolves with true at the next `wake`, else with false. */
  wait(options: WaitOptions): Promise<boolean> {
    const { signal, timeoutMs } = options;
    if (signal?.aborted) return Promise.resolve(false);
    return new Promise((resolve) => {
      const done = (moved: boolean): void => {
        this.#waiting.delete(done);
        clearTimeout(timer);
        signal?.removeEventListener("abort", giveUp);
        resolve(moved);
      };
      const giveUp = (): void => done(false);
      const timer = timeoutMs === undefined
        ? undefined
        : setTimeout(giveUp, Math.min(timeoutMs, TIMER_MS_MAX));
      signal?.addEventListener("abort", giveUp);
      this.#waiting.add(done);
    });
  }

  /** Ends all waits; `moved` says whether the head moved. */
  wake(moved: boolean): void {
    for (const done of [...this.#waiting]) done(moved);
  }
}
