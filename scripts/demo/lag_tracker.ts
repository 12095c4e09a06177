/** Lags measured, in milliseconds. */
export interface LagSummary {
  readonly count: number;
  readonly medianMs: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

/** Lags the live view looks back on. */
const RECENT_COUNT = 100;

/**
 * Follows beats, numbered from 1, from the source to the replica. The lag of a
 * beat is the time from when the source had committed it until the replica
 * showed it. All times come from one clock.
 */
export class LagTracker {
  readonly #lags: number[] = [];
  /** Beats on their way, oldest first. */
  readonly #underWay: { beat: number; atMs: number }[] = [];
  #seenBeat = 0;

  /** The source has acknowledged a beat. */
  sent(beat: number, atMs: number): void {
    // the replica may be faster than the source's answer to us
    if (beat <= this.#seenBeat) this.#lags.push(0);
    else this.#underWay.push({ beat, atMs });
  }

  /** The replica shows a beat, and so all that went before it. */
  seen(beat: number, atMs: number): void {
    this.#seenBeat = Math.max(this.#seenBeat, beat);
    while (this.#underWay.length > 0 && this.#underWay[0]!.beat <= beat) {
      this.#lags.push(Math.max(0, atMs - this.#underWay.shift()!.atMs));
    }
  }

  /** Whether a beat is on its way. */
  get waiting(): boolean {
    return this.#underWay.length > 0;
  }

  /**
   * The lag now: that of the newest beat, or more if one has been on its way
   * for longer; `undefined` before the first beat.
   */
  currentMs(nowMs: number): number | undefined {
    const last = this.#lags.at(-1);
    const oldest = this.#underWay[0];
    if (oldest === undefined) return last;
    return Math.max(last ?? 0, nowMs - oldest.atMs);
  }

  /** The lags of the last seconds. */
  recent(): LagSummary | undefined {
    return summarize(this.#lags.slice(-RECENT_COUNT));
  }

  /** All lags. */
  summary(): LagSummary | undefined {
    return summarize([...this.#lags]);
  }
}

/** Sorts the lags given; `undefined` if there are none. */
function summarize(lags: number[]): LagSummary | undefined {
  lags.sort((a, b) => a - b);
  const count = lags.length;
  if (count === 0) return undefined;
  // nearest rank: the least lag that so many of all do not exceed
  const rank = (part: number): number => lags[Math.ceil(part * count) - 1]!;
  return {
    count,
    medianMs: rank(0.5),
    p99Ms: rank(0.99),
    maxMs: lags[count - 1]!,
  };
}
