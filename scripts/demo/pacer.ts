/** How far behind its plan a {@linkcode Pacer} tries to catch up. */
const ARREARS_MS = 200;

/**
 * Spreads transactions evenly over time, whoever writes them: each takes the
 * next place in line. After a stall it does not make up for more than a
 * fraction of a second, so a stall is not followed by a burst.
 */
export class Pacer {
  readonly #intervalMs: number;
  #nextMs = -Infinity;

  /** @param rate Transactions a second. */
  constructor(rate: number) {
    this.#intervalMs = 1000 / rate;
  }

  /**
   * Takes the next place.
   *
   * @param nowMs The time, by any clock that only goes forward.
   * @returns Milliseconds to wait for it.
   */
  reserve(nowMs: number): number {
    const placeMs = Math.max(this.#nextMs, nowMs - ARREARS_MS);
    // the first transaction of all is not behind anything
    const startMs = this.#nextMs === -Infinity ? nowMs : placeMs;
    this.#nextMs = startMs + this.#intervalMs;
    return Math.max(0, startMs - nowMs);
  }
}
