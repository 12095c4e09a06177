import type { Log } from "../log/log.ts";
import type { LogPosition } from "../store/binlog_store.ts";
import { comparePositions } from "./compare_positions.ts";

/** How acknowledgements are passed on. */
export interface AckGateOptions {
  /** So many replicas have to have a transaction first; 0 waits for none. */
  readonly replicas: number;
  /** How long they may take, in ms. */
  readonly timeoutMs: number;
  readonly log: Log;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/**
 * How the gate stands:
 * - `off`: it waits for no replica;
 * - `synchronous`: a transaction is acknowledged once enough replicas have it;
 * - `degraded`: they took too long, so that nothing waits for them until enough
 *   of them have caught up.
 */
export type AckGateState = "off" | "synchronous" | "degraded";

/** How the gate stands, for people. */
export interface AckGateStatus {
  readonly state: AckGateState;
  /** Since when it is in this state. */
  readonly since: Date;
  /** How many replicas it waits for. */
  readonly required: number;
  /** Semi-synchronous replicas that are connected. */
  readonly replicas: number;
  /** How often it was degraded since the process began. */
  readonly timeouts: number;
  /** Transactions that went through because enough replicas had them. */
  readonly acknowledged: number;
  /** Transactions that went through while it was degraded. */
  readonly unacknowledged: number;
}

/** A replica that acknowledges, from the begin of its dump to its end. */
export interface AckingReplica {
  /** It has the log up to there; never goes back. */
  acknowledged(position: LogPosition): void;
  /** It is gone. */
  leave(): void;
}

/** Up to where a replica has the log. */
interface Replica {
  position: LogPosition | undefined;
}

/**
 * Between the replicas that acknowledge what they received and the source that
 * waits for us to acknowledge: says how far enough replicas have the log.
 *
 * As with MySQL's own (`plugin/semisync/semisync_source.cc`), a wait that takes
 * too long ends all waiting, until enough replicas have all that was asked for.
 */
export class AckGate {
  readonly #options: AckGateOptions;
  /** By what they are known by, each in its newest dump. */
  readonly #replicas = new Map<string, Replica>();
  /** Told when more may be acknowledged. */
  readonly #listeners = new Set<() => void>();
  #degraded = false;
  #since: number;
  #timeouts = 0;
  #acknowledged = 0;
  #unacknowledged = 0;
  /** The newest position that the source has asked for, and the oldest open one. */
  #newestAsked: LogPosition | undefined;
  #oldestAsked: LogPosition | undefined;
  /** Up to where enough replicas have the log. */
  #reached: LogPosition | undefined;

  /** @param options how many replicas to wait for, and how long */
  constructor(options: AckGateOptions) {
    this.#options = options;
    this.#since = options.now();
  }

  /** How long replicas may take, in ms. */
  get timeoutMs(): number {
    return this.#options.timeoutMs;
  }

  /** Whether it is degraded. */
  get degraded(): boolean {
    return this.#degraded;
  }

  /**
   * A replica whose dump begins.
   *
   * @param name tells it from others; the same one again takes its own place,
   * so that it never counts twice
   */
  join(name: string): AckingReplica {
    const replica: Replica = { position: undefined };
    this.#replicas.set(name, replica);
    return {
      acknowledged: (position) => {
        const last = replica.position;
        if (last !== undefined && comparePositions(position, last) <= 0) return;
        replica.position = position;
        if (this.#replicas.get(name) === replica) this.#advance();
      },
      leave: () => {
        if (this.#replicas.get(name) === replica) this.#replicas.delete(name);
      },
    };
  }

  /** Notes that the source waits for us to have the log up to there. */
  asked(position: LogPosition): void {
    if (this.#options.replicas === 0) return;
    const newest = this.#newestAsked;
    if (newest !== undefined && comparePositions(position, newest) <= 0) return;
    this.#newestAsked = position;
    if (this.#isReached(position)) return;
    this.#oldestAsked ??= position;
  }

  /** Nothing is waited for any more: the source is gone. */
  forgetAsked(): void {
    this.#oldestAsked = undefined;
  }

  /** Whether the log up to there may be acknowledged to the source. */
  allows(position: LogPosition): boolean {
    return this.#options.replicas === 0 || this.#degraded ||
      this.#isReached(position);
  }

  /** Counts so many transactions that go through now. */
  passed(count: number): void {
    if (this.#options.replicas === 0) return;
    if (this.#degraded) this.#unacknowledged += count;
    else this.#acknowledged += count;
  }

  /**
   * The begin of what replicas have to be asked for besides what is new: what
   * the source waits for or, while the gate is degraded, where replicas have
   * caught up; undefined when there is nothing.
   */
  get asksFrom(): LogPosition | undefined {
    return this.#degraded ? this.#newestAsked : this.#oldestAsked;
  }

  /**
   * The replicas took too long for `position`: stops to wait for them.
   *
   * @param position what was waited for
   */
  expire(position: LogPosition): void {
    if (this.#degraded || this.allows(position)) return;
    this.#timeouts++;
    this.#enter(true);
    const { replicas, timeoutMs, log } = this.#options;
    log.warn(
      "replicas did not acknowledge in time; going on without waiting for them",
      {
        waited_ms: timeoutMs,
        required: replicas,
        connected: this.#replicas.size,
        position: position.position,
      },
    );
    this.#tell();
  }

  /** Calls `listener` whenever more may be acknowledged; answers how to end that. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** How it stands. */
  status(): AckGateStatus {
    const { replicas } = this.#options;
    return {
      state: replicas === 0
        ? "off"
        : this.#degraded
        ? "degraded"
        : "synchronous",
      since: new Date(this.#since),
      required: replicas,
      replicas: this.#replicas.size,
      timeouts: this.#timeouts,
      acknowledged: this.#acknowledged,
      unacknowledged: this.#unacknowledged,
    };
  }

  /** A replica has more: maybe there are enough that have so much now. */
  #advance(): void {
    const { replicas, log } = this.#options;
    if (replicas === 0) return;
    const reached = this.#nthPosition(replicas);
    if (reached === undefined || this.#isReached(reached)) return;
    this.#reached = reached;
    const newest = this.#newestAsked;
    if (newest === undefined || this.#isReached(newest)) {
      this.#oldestAsked = undefined;
      if (this.#degraded) {
        this.#enter(false);
        log.info("replicas have caught up; waiting for them again", {
          required: replicas,
          connected: this.#replicas.size,
        });
      }
    } else if (
      this.#oldestAsked !== undefined && this.#isReached(this.#oldestAsked)
    ) {
      // What else is asked for lies behind this.
      this.#oldestAsked = reached;
    }
    this.#tell();
  }

  #isReached(position: LogPosition): boolean {
    return this.#reached !== undefined &&
      comparePositions(position, this.#reached) <= 0;
  }

  /** The newest position that at least `count` replicas have. */
  #nthPosition(count: number): LogPosition | undefined {
    if (this.#replicas.size < count) return undefined;
    const positions: LogPosition[] = [];
    for (const { position } of this.#replicas.values()) {
      if (position !== undefined) positions.push(position);
    }
    return positions.sort((a, b) => comparePositions(b, a))[count - 1];
  }

  #enter(degraded: boolean): void {
    this.#degraded = degraded;
    this.#since = this.#options.now();
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}
