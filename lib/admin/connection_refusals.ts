import type { Log } from "../log/log.ts";

/** Why a connection to the admin API was ended in the place of an answer. */
export type AdminRefusalReason =
  /** There was no place for it. */
  | "too-many-connections"
  /** What it sent is no HTTP request that can be read. */
  | "malformed"
  /** A request did not come in time. */
  | "too-slow"
  /** The head of its request is too large. */
  | "head-too-large"
  /** No TLS came of it. */
  | "tls-failed"
  /** Nobody read the answer. */
  | "not-read";

/** How often each of them has happened. */
export type AdminRefusalCounts = Readonly<Record<AdminRefusalReason, number>>;

/** Is told of each connection that is ended so; must not throw. */
export type AdminRefusalObserver = (reason: AdminRefusalReason) => void;

/** No connection was refused. */
export const NOTHING_REFUSED: AdminRefusalCounts = {
  "too-many-connections": 0,
  "malformed": 0,
  "too-slow": 0,
  "head-too-large": 0,
  "tls-failed": 0,
  "not-read": 0,
};

/** The log has a line on connections without a place at most so often. */
const LOG_MS = 60_000;

/**
 * Tells of connections that the admin API refused. Who finds no place may be a
 * probe or Prometheus, which can't say why: that is worth a line in every log,
 * once a minute at most.
 */
export class ConnectionRefusals {
  readonly #log: Log;
  readonly #observer: AdminRefusalObserver | undefined;
  readonly #now: () => number;
  #loggedAt = -Infinity;
  #unlogged = 0;

  /** @param parts `now` is in ms, and never goes back */
  constructor(parts: {
    readonly log: Log;
    readonly observer?: AdminRefusalObserver | undefined;
    readonly now?: () => number;
  }) {
    this.#log = parts.log;
    this.#observer = parts.observer;
    this.#now = parts.now ?? (() => performance.now());
  }

  /** Takes one; `remote` is the IP address it is from. */
  refused(reason: AdminRefusalReason, remote: string): void {
    this.#observer?.(reason);
    if (reason !== "too-many-connections") {
      this.#log.debug("admin connection refused", { reason, remote });
      return;
    }
    this.#unlogged++;
    const now = this.#now();
    if (now - this.#loggedAt < LOG_MS) return;
    this.#log.warn("the admin API has no place for more connections", {
      remote,
      since_last_line: this.#unlogged,
    });
    this.#loggedAt = now;
    this.#unlogged = 0;
  }
}
