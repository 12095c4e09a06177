import { type Address, formatAddress } from "../config/address.ts";
import type { Retry, SyncerCause } from "./syncer_cause.ts";
import type { SyncerFault } from "./syncer_fault.ts";

/**
 * Name under which the store keeps which candidate was followed last, as
 * `host:port`: a restart goes on with it.
 */
export const FOLLOWED_META = "source/followed";

/** How one of the servers that can be followed does. */
export interface CandidateStatus {
  /** `host:port`. */
  readonly address: string;
  /** True for the one that is followed, or was last. */
  readonly followed: boolean;
  /** Why the last attempt to follow it failed; absent if it did not. */
  readonly cause?: SyncerCause;
  readonly reason?: string;
  /** When that was. */
  readonly failedAt?: Date;
}

/** Which servers there are, and how patient to be. */
export interface CandidatesOptions {
  /** In the order in which they are tried; the first one is followed first. */
  readonly addresses: readonly Address[];
  /** The one that was followed last, as `host:port`; undefined if none was. */
  readonly followed: string | undefined;
  /** How long the followed one may be lost before others are tried, in ms. */
  readonly switchAfterMs: number;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** What to do after an attempt failed. */
export interface NextAttempt {
  /** `now`: another server comes at once; else when to try again. */
  readonly retry: Retry | "now";
  /** The longest wait before that, in ms. */
  readonly waitMsMax: number;
}

/** A server that refuses us, or can't be followed, is asked this seldom, in ms. */
const REFUSED_AGAIN_MS = 60_000;

interface Candidate {
  readonly address: Address;
  readonly name: string;
  fault: SyncerFault | undefined;
  failedAt: number;
}

/**
 * Chooses among the servers that can be followed. It keeps to the one that is
 * followed, whichever it is, until that is lost for longer than it may be, or
 * can't be followed any more. Then the others are tried in order; the first one
 * that sends its log is the followed one from then on. When none did, the round
 * begins anew after a pause, with the one that was followed.
 */
export class Candidates {
  readonly #all: readonly Candidate[];
  readonly #options: CandidatesOptions;
  #home: Candidate;
  #current: Candidate;
  /** Those still to be tried in this round. */
  #queue: Candidate[] = [];
  #lostAt: number | undefined;

  /** @param options which servers there are */
  constructor(options: CandidatesOptions) {
    this.#options = options;
    const byName = new Map(
      options.addresses.map((address) => [formatAddress(address), address]),
    );
    this.#all = [...byName].map(([name, address]) => ({
      name,
      address,
      fault: undefined,
      failedAt: 0,
    }));
    this.#home = this.#all.find(({ name }) => name === options.followed) ??
      this.#all[0]!;
    this.#current = this.#home;
  }

  /** The one to try now, or that is followed. */
  get current(): Address {
    return this.#current.address;
  }

  /** How each of them does, in order. */
  status(): CandidateStatus[] {
    return this.#all.map((one) => ({
      address: one.name,
      followed: one === this.#home,
      ...(one.fault === undefined ? {} : {
        cause: one.fault.cause,
        reason: one.fault.reason,
        failedAt: new Date(one.failedAt),
      }),
    }));
  }

  /** The fault to report: that of the one that is followed. */
  get fault(): SyncerFault | undefined {
    return this.#home.fault;
  }

  /** The current one sends its log: it is followed from now on. */
  followed(): void {
    if (this.#home === this.#current && this.#home.fault === undefined) return;
    this.#home = this.#current;
    this.#home.fault = undefined;
    this.#queue = [];
    this.#lostAt = undefined;
  }

  /** The attempt with the current one failed; says what is next. */
  failed(fault: SyncerFault): NextAttempt {
    const now = this.#options.now();
    this.#current.fault = fault;
    this.#current.failedAt = now;
    if (this.#all.length === 1) {
      return { retry: fault.retry, waitMsMax: Infinity };
    }
    if (this.#lostAt === undefined) {
      this.#lostAt = now;
      this.#queue = this.#all.filter((one) => one !== this.#home);
    }
    const leftMs = this.#lostAt + this.#options.switchAfterMs - now;
    const isHome = this.#current === this.#home;
    if (isHome && fault.retry !== "never" && leftMs > 0) {
      return { retry: fault.retry, waitMsMax: leftMs };
    }
    const next = this.#take(now);
    if (next !== undefined) {
      this.#current = next;
      return { retry: "now", waitMsMax: 0 };
    }
    return this.#nextRound(now);
  }

  /** The next one of the round that is not known to refuse us. */
  #take(now: number): Candidate | undefined {
    for (;;) {
      const next = this.#queue.shift();
      if (next?.fault === undefined || next.fault.retry === "soon") return next;
      if (now - next.failedAt >= REFUSED_AGAIN_MS) return next;
    }
  }

  #nextRound(now: number): NextAttempt {
    const home = this.#home;
    this.#queue = [home, ...this.#all.filter((one) => one !== home)];
    const next = this.#take(now);
    this.#current = next ?? home;
    const hopeless = this.#all.every(({ fault }) => fault?.retry === "never");
    const retry = next === undefined ? "slowly" : "soon";
    return { retry: hopeless ? "never" : retry, waitMsMax: Infinity };
  }
}
