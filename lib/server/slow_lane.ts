/**
 * Lets large pieces of work begin one after another, with a pause behind each:
 * what takes a tenth of a second of the event loop is not asked for again and
 * again.
 */
export class SlowLane {
  readonly #pauseMs: number;
  readonly #signal: AbortSignal;
  #last: Promise<void> = Promise.resolve();

  /**
   * @param pauseMs between the beginnings of two
   * @param signal ends all pauses
   */
  constructor(pauseMs: number, signal: AbortSignal) {
    this.#pauseMs = pauseMs;
    this.#signal = signal;
  }

  /** Resolves when it is the caller's turn. */
  enter(): Promise<void> {
    const turn = this.#last;
    this.#last = turn.then(() => this.#pause());
    return turn;
  }

  #pause(): Promise<void> {
    const signal = this.#signal;
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        signal.removeEventListener("abort", end);
        resolve();
      };
      const timer = setTimeout(end, this.#pauseMs);
      signal.addEventListener("abort", end, { once: true });
    });
  }
}
