import type { Log } from "../../log/log.ts";
import { RequestError } from "../request_error.ts";

/** Wrong tokens of one address within {@linkcode WINDOW_MS} that get a 401. */
const REFUSALS_MAX = 10;
/** How long they are counted. */
const WINDOW_MS = 10_000;
/** Addresses that are counted at once; what is more is counted as one. */
const ADDRESSES_MAX = 1000;
/** The log has a line at most so often. */
const LOG_MS = 10_000;

/**
 * Counts wrong tokens. Who goes on sending them is told to wait; the right one
 * is let in all the same, so that nobody can lock others out.
 */
export class TokenRefusals {
  readonly #log: Log;
  readonly #now: () => number;
  #windowEndsAt = -Infinity;
  #byAddress = new Map<string, number>();
  #total = 0;
  #loggedAt = -Infinity;
  #loggedTotal = 0;

  constructor({ log, now }: { log: Log; now: () => number }) {
    this.#log = log;
    this.#now = now;
  }

  /** All there were. */
  get total(): number {
    return this.#total;
  }

  /** Counts one, and makes the answer: 401, or 429 when there were too many. */
  refuse(remote: string): RequestError {
    const now = this.#now();
    this.#total++;
    this.#sayIt(remote, now);
    if (now >= this.#windowEndsAt) {
      this.#byAddress = new Map();
      this.#windowEndsAt = now + WINDOW_MS;
    }
    const isNew = !this.#byAddress.has(remote);
    const key = isNew && this.#byAddress.size >= ADDRESSES_MAX ? "" : remote;
    const count = (this.#byAddress.get(key) ?? 0) + 1;
    this.#byAddress.set(key, count);
    if (count <= REFUSALS_MAX) {
      return new RequestError(401, "the token is none of kingbus's", {
        headers: {
          "www-authenticate": 'Bearer realm="kingbus", error="invalid_token"',
        },
      });
    }
    const waitS = Math.max(1, Math.ceil((this.#windowEndsAt - now) / 1000));
    return new RequestError(
      429,
      `too many wrong tokens: try again in ${waitS} s`,
      { headers: { "retry-after": String(waitS) } },
    );
  }

  #sayIt(remote: string, now: number): void {
    if (now - this.#loggedAt < LOG_MS) return;
    this.#log.warn("wrong token at the admin API", {
      remote,
      since_last_line: this.#total - this.#loggedTotal,
      total: this.#total,
    });
    this.#loggedAt = now;
    this.#loggedTotal = this.#total;
  }
}
