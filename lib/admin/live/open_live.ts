import type { Log } from "../../log/log.ts";
import type { ServerProgress } from "../../server/dump_progress.ts";
import type { SyncerProgress } from "../../syncer/syncer_status.ts";
import type { WatchedNode } from "../admin_parts.ts";
import { everyInterval } from "./every.ts";
import { LiveFeed } from "./live_feed.ts";
import { liveStatus } from "./live_snapshot.ts";
import type { RecentWarnings } from "./recent_warnings.ts";
import type { ReplicaRates } from "./replica_rates.ts";
import { Sampler } from "./sampler.ts";

/** What is watched. */
export interface WatchedParts {
  readonly source: () => SyncerProgress;
  readonly server: () => ServerProgress;
  readonly rates: ReplicaRates;
  readonly warnings: RecentWarnings;
  readonly admin: WatchedNode;
  readonly log: Log;
}

/** What watches: its last ten minutes, what was wrong, and who reads of it. */
export interface Live extends Disposable {
  readonly sampler: Sampler;
  readonly warnings: RecentWarnings;
  readonly feed: LiveFeed;
}

/** Begins to watch, by the system's clocks and timers. */
export function openLive(parts: WatchedParts): Live {
  const { warnings, admin, log } = parts;
  const monotonicMs = () => performance.now();
  const sampler = new Sampler({
    ...parts,
    monotonicMs,
    now: Date.now,
    every: everyInterval,
  });
  const feed = new LiveFeed({
    sampler,
    warnings,
    status: () => liveStatus(admin, warnings),
    monotonicMs,
    every: everyInterval,
    log,
  });
  return {
    sampler,
    warnings,
    feed,
    [Symbol.dispose]: () => {
      feed[Symbol.dispose]();
      sampler[Symbol.dispose]();
    },
  };
}
