import type {
  MetricsControl,
  NodeInfo,
  RetentionControl,
  ServerControl,
  SyncerControl,
} from "./control.ts";
import type { ListedFile } from "./file_status.ts";
import type { LiveFeed } from "./live/live_feed.ts";
import type { RecentWarnings } from "./live/recent_warnings.ts";
import type { Sampler } from "./live/sampler.ts";

/** What keeps the last ten minutes, and whoever watches, up to date. */
export interface LiveParts {
  readonly sampler: Pick<Sampler, "history">;
  readonly warnings: Pick<RecentWarnings, "list">;
  readonly feed: Pick<LiveFeed, "open">;
}

/** The node itself: what there is to watch. */
export interface WatchedNode {
  readonly syncer: SyncerControl;
  readonly server: ServerControl;
  readonly retention: RetentionControl;
  /** The files of the log, oldest first; asked anew for each answer. */
  readonly files: () => readonly ListedFile[];
  /** Asked anew for each answer. */
  readonly node: () => NodeInfo;
}

/** What the admin API's routes show and steer. */
export interface AdminParts extends WatchedNode {
  readonly metrics: MetricsControl;
  /** What there is to watch; see `openLive()`. */
  readonly live: LiveParts;
}
