import { SYNCER_CAUSES, type SyncerCause } from "./syncer_cause.ts";

/** What a syncer has counted since the process began. */
export class SyncerCounters {
  /** Times a source has begun to send its log. */
  connections = 0;
  /** Heartbeats from the source. */
  heartbeats = 0;
  /** Faults by cause: each attempt that failed, each connection lost. */
  readonly faults: Record<SyncerCause, number> = Object.fromEntries(
    SYNCER_CAUSES.map((cause) => [cause, 0]),
  ) as Record<SyncerCause, number>;
}
