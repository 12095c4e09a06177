import type { Log } from "../log/log.ts";
import type { AckGate } from "../semi_sync/ack_gate.ts";
import type { SourceAttempt } from "./source_attempt.ts";

/** What the syncer needs besides the store. */
export interface SyncerDeps {
  readonly log: Log;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** A number from 0 up to 1, for jitter. */
  readonly random: () => number;
  /** Waits so many ms, or until the signal fires; the clock's if absent. */
  readonly sleep?: (waitMs: number, signal: AbortSignal) => Promise<void>;
  /** How long a source may be idle before it is asked why, in ms. */
  readonly idleCheckMs?: number;
  /** How often a source that sends is asked where its log ends, in ms. */
  readonly endCheckMs?: number;
  /** Says which transactions enough replicas have; absent: none is waited for. */
  readonly gate?: AckGate;
  /** Watches an attempt to follow a source, `host:port`, that begins. */
  readonly attempt?: ((source: string) => SourceAttempt) | undefined;
}
