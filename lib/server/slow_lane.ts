import { sleep } from "../connection/sleep.ts";

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
    this.#last = turn.then(() => sleep(this.#pauseMs, this.#signal));
    return turn;
  }
}
