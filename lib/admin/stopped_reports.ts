import type { RetentionReport } from "../retention/retention.ts";
import type { LogReport, SyncerReport } from "./control.ts";

/** What there is to say of a syncer that has not run. */
export function stoppedSyncer(log: LogReport): SyncerReport {
  return {
    wanted: false,
    state: "stopped",
    cause: undefined,
    reason: undefined,
    faultAt: undefined,
    since: undefined,
    attempts: 0,
    nextAttemptAt: undefined,
    connectedAt: undefined,
    heardAt: undefined,
    target: undefined,
    source: undefined,
    semiSync: { wanted: false, link: undefined, gate: undefined },
    candidates: [],
    tls: { mode: "disabled", files: {} },
    heartbeatMs: 0,
    sourceFile: "",
    sourcePosition: 0,
    secondsBehind: undefined,
    bytesBehind: undefined,
    log,
  };
}

/** What there is to say of a retention that has purged nothing yet. */
export function idleRetention(
  settings: RetentionReport["settings"],
): RetentionReport {
  return {
    settings,
    checkedAt: undefined,
    failure: undefined,
    failures: 0,
    freeBytes: undefined,
    lastPurge: undefined,
    purgedFiles: 0,
    purgedBytes: 0,
    heldBack: undefined,
    replicas: [],
  };
}
