/** Counts that are older do not matter to the rate. */
const WINDOW_MS = 2_000;

/** Rate of a counter that only grows, over the last two seconds. */
export class RateMeter {
  readonly #readings: { count: number; atMs: number }[] = [];

  /**
   * Takes a reading of the counter.
   *
   * @returns Its growth a second; 0 at the first reading.
   */
  read(count: number, atMs: number): number {
    const readings = this.#readings;
    readings.push({ count, atMs });
    // one reading from before the window stays, as its left edge
    while (readings.length > 2 && readings[1]!.atMs <= atMs - WINDOW_MS) {
      readings.shift();
    }
    const first = readings[0]!;
    if (atMs <= first.atMs) return 0;
    return (count - first.count) * 1000 / (atMs - first.atMs);
  }
}
