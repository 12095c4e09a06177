import type { LagTracker } from "./lag_tracker.ts";
import { RateMeter } from "./rate_meter.ts";
import type {
  DemoAddresses,
  DemoPhase,
  ServersState,
  Snapshot,
} from "./snapshot.ts";
import type { WorkloadCounts } from "./workload.ts";

/** What a {@linkcode SnapshotMaker} makes snapshots of. */
export interface SnapshotSubject {
  readonly addresses: DemoAddresses;
  /** How long to write; `undefined`: until told to end. */
  readonly seconds: number | undefined;
  readonly tracker: LagTracker;
  /** Asked anew for each snapshot. */
  readonly written: () => WorkloadCounts;
  /** Transactions the source had executed when the writing began. */
  readonly transactionsBefore: number;
  /** When the writing began. */
  readonly startMs: number;
}

/** Period of the values in the histories, and how many are kept. */
const HISTORY_MS = 1_000;
const HISTORY_COUNT = 120;

/** Makes snapshots of what the servers say, and remembers rates and lags. */
export class SnapshotMaker {
  readonly #subject: SnapshotSubject;
  readonly #rates = new RateMeter();
  readonly #rateHistory: number[] = [];
  readonly #lagHistory: number[] = [];
  #historyAtMs: number;

  constructor(subject: SnapshotSubject) {
    this.#subject = subject;
    this.#historyAtMs = subject.startMs;
  }

  /** @param nowMs The time, by the clock of {@linkcode SnapshotSubject.startMs}. */
  make(phase: DemoPhase, servers: ServersState, nowMs: number): Snapshot {
    const { addresses, seconds, tracker, written, startMs } = this.#subject;
    const transactions = Number(servers.source.count()) -
      this.#subject.transactionsBefore;
    const rate = this.#rates.read(transactions, nowMs);
    const lagMs = tracker.currentMs(nowMs);
    if (nowMs - this.#historyAtMs >= HISTORY_MS) {
      this.#historyAtMs = nowMs;
      remember(this.#rateHistory, rate);
      if (lagMs !== undefined) remember(this.#lagHistory, lagMs);
    }
    return {
      phase,
      elapsedMs: nowMs - startMs,
      seconds,
      addresses,
      servers,
      transactions,
      rate,
      behind: Number(servers.source.subtract(servers.replica).count()),
      lagMs,
      recentLag: tracker.recent(),
      rateHistory: this.#rateHistory,
      lagHistory: this.#lagHistory,
      written: written(),
    };
  }
}

function remember(history: number[], value: number): void {
  history.push(value);
  if (history.length > HISTORY_COUNT) history.shift();
}
