import type { Log } from "../log/log.ts";

/** Why a connection was refused before it could do anything. */
export type RefusalReason =
  | "access-denied"
  | "login-timeout"
  | "malformed-login"
  | "tls-failed"
  | "tls-required"
  /** A MariaDB replica came before it was known whether the log is MariaDB's. */
  | "no-source-yet"
  | "too-many-connections"
  | "too-many-logins";

/** How often each kind of refusal has happened. */
export type RefusalCounts = Record<RefusalReason, number>;

/** Refusals of one kind from one address since a line was written. */
interface Window {
  readonly reason: RefusalReason;
  readonly host: string;
  endsAtMs: number;
  unlogged: number;
  detail: string;
}

/** One line for each address and kind in this time. */
const WINDOW_MS = 60_000;

/** Counts before the first refusal. */
export function noRefusals(): RefusalCounts {
  return {
    "access-denied": 0,
    "login-timeout": 0,
    "malformed-login": 0,
    "tls-failed": 0,
    "tls-required": 0,
    "no-source-yet": 0,
    "too-many-connections": 0,
    "too-many-logins": 0,
  };
}

/** The most addresses kept apart; the oldest is given up for a new one. */
const WINDOWS_MAX = 1024;

/**
 * Counts refused connections and logs them without letting anybody fill the
 * log: the first refusal from an address at once, those of the next minute as
 * one line with their count.
 */
export class RefusalLog {
  readonly #log: Log;
  readonly #nowMs: () => number;
  readonly #windows = new Map<string, Window>();
  readonly #counts = noRefusals();

  constructor(log: Log, nowMs: () => number) {
    this.#log = log;
    this.#nowMs = nowMs;
  }

  /** Refusals since the start, by reason. */
  get counts(): RefusalCounts {
    return { ...this.#counts };
  }

  /**
   * Notes a refusal.
   *
   * @param host the client's address without its port
   * @param detail what it was told
   */
  refused(reason: RefusalReason, host: string, detail: string): void {
    this.#counts[reason] += 1;
    this.#closeWindows(this.#nowMs());
    const key = `${reason} ${host}`;
    const window = this.#windows.get(key);
    if (window !== undefined) {
      window.unlogged += 1;
      window.detail = detail;
      return;
    }
    if (this.#windows.size >= WINDOWS_MAX) {
      const [oldest] = this.#windows.keys();
      this.#close(oldest!);
    }
    this.#write(reason, host, detail, 1);
    this.#windows.set(key, {
      reason,
      host,
      endsAtMs: this.#nowMs() + WINDOW_MS,
      unlogged: 0,
      detail,
    });
  }

  /** Writes the lines that are still due. */
  flush(): void {
    for (const key of [...this.#windows.keys()]) this.#close(key);
  }

  /** Windows end in the order they began, which is the map's. */
  #closeWindows(nowMs: number): void {
    for (const [key, { endsAtMs }] of this.#windows) {
      if (endsAtMs > nowMs) return;
      this.#close(key);
    }
  }

  #close(key: string): void {
    const window = this.#windows.get(key);
    this.#windows.delete(key);
    if (window === undefined || window.unlogged === 0) return;
    const { reason, host, detail, unlogged } = window;
    this.#write(reason, host, detail, unlogged);
  }

  #write(
    reason: RefusalReason,
    host: string,
    detail: string,
    count: number,
  ): void {
    this.#log.warn("refused a connection", { reason, host, detail, count });
  }
}
