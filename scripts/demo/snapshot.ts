import type { GtidSet } from "../../lib/gtid/gtid_set.ts";
import type { LagSummary } from "./lag_tracker.ts";
import type { WorkloadCounts } from "./workload.ts";

/** Where the demo's servers are. */
export interface DemoAddresses {
  readonly source: string;
  readonly kingbus: string;
  readonly replica: string;
}

/** What the three servers say about themselves at one time. */
export interface ServersState {
  /** What the source has executed. */
  readonly source: GtidSet;
  /** What kingbus holds: its head. */
  readonly kingbus: GtidSet;
  readonly file: string;
  readonly position: number;
  /** Size of the log kingbus keeps. */
  readonly storedBytes: number;
  readonly storedFiles: number;
  /** What kingbus has sent to the replica. */
  readonly sentBytes: number;
  /** What the replica has executed. */
  readonly replica: GtidSet;
  /** Why the replica does not replicate at present. */
  readonly trouble: string | undefined;
}

/** What the demo is about. */
export type DemoPhase = "writing" | "catching up" | "comparing";

/** All that the live view shows. */
export interface Snapshot {
  readonly phase: DemoPhase;
  /** Since the writing began. */
  readonly elapsedMs: number;
  /** How long to write; `undefined`: until told to end. */
  readonly seconds: number | undefined;
  readonly addresses: DemoAddresses;
  readonly servers: ServersState;
  /** Transactions the source has committed. */
  readonly transactions: number;
  /** Transactions a second on the source. */
  readonly rate: number;
  /** Transactions that the replica has not executed yet. */
  readonly behind: number;
  /** The lag now. */
  readonly lagMs: number | undefined;
  readonly recentLag: LagSummary | undefined;
  /** Rates and lags of the past, oldest first, at even intervals. */
  readonly rateHistory: readonly number[];
  readonly lagHistory: readonly number[];
  readonly written: WorkloadCounts;
}
