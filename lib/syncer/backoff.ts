import type { Retry } from "./syncer_cause.ts";

/** The first wait and the longest one, before jitter, in ms. */
const WAITS_MS = {
  soon: { first: 250, longest: 15_000 },
  // An account that locks after some wrong passwords gets few of them.
  slowly: { first: 30_000, longest: 300_000 },
} as const;

/** The longest pause before a source that was lost is tried again, in ms. */
export const RETRY_MS_MAX: number = WAITS_MS.soon.longest;

/** A connection that lasted so long was a good one, in ms. */
export const SETTLED_MS = 10_000;

/**
 * How long to wait before the next attempt, in ms: doubles with each failure
 * up to a limit, and is spread over its upper half so that many who lost the
 * same server do not come back at once.
 *
 * @param failures attempts that failed in a row, from 1
 * @param random from 0 up to 1
 * @param retry how soon another attempt may help
 */
export function backoffMs(
  failures: number,
  random: number,
  retry: Exclude<Retry, "never"> = "soon",
): number {
  const { first, longest } = WAITS_MS[retry];
  const wait = Math.min(longest, first * 2 ** (failures - 1));
  return wait / 2 + wait / 2 * random;
}

/** What a back-off needs. */
export interface BackoffDeps {
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** A number from 0 up to 1, for jitter. */
  readonly random: () => number;
}

/**
 * Counts attempts that failed, and says how long to wait after each. Waits grow
 * with every failure until a connection has lasted: one that ends at once, as
 * when two replicas with one id end each other's dumps, keeps them long.
 */
export class Backoff {
  readonly #deps: BackoffDeps;
  #attempts = 0;
  /** Failures in a row that are tried again in the same way. */
  #alike = 0;
  #retry: Retry = "soon";
  #connectedAt: number | undefined;

  constructor(deps: BackoffDeps) {
    this.#deps = deps;
  }

  /** Attempts in a row that failed; 0 once a connection has lasted. */
  get attempts(): number {
    return this.settled ? 0 : this.#attempts;
  }

  /** Notes that the source sends its log. */
  connected(): void {
    this.#connectedAt = this.#deps.now();
  }

  /** Notes that the attempt failed; answers how long to wait, in ms. */
  failed(retry: Exclude<Retry, "never">): number {
    this.gaveUp();
    if (retry !== this.#retry) this.#alike = 0;
    this.#retry = retry;
    this.#alike++;
    return backoffMs(this.#alike, this.#deps.random(), retry);
  }

  /** Notes that the attempt failed, after which there is none. */
  gaveUp(): void {
    if (this.settled) {
      this.#attempts = 0;
      this.#alike = 0;
    }
    this.#connectedAt = undefined;
    this.#attempts++;
  }

  /** Whether the log has been coming for as long as a good connection lasts. */
  get settled(): boolean {
    return this.#connectedAt !== undefined &&
      this.#deps.now() - this.#connectedAt >= SETTLED_MS;
  }
}
