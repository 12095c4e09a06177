import type { WatchedNode } from "../admin_parts.ts";
import { fileStatus } from "../file_status.ts";
import { nodeStatus } from "../routes/node_routes.ts";
import type { ReplicaStatus } from "../server_status.ts";
import type { LiveStatus } from "./live_status.ts";
import type { RecentWarnings } from "./recent_warnings.ts";

/** What one event shows at most of what a node can have very many of. */
const REPLICAS_MAX = 100;
const FILES_MAX = 100;
const WARNINGS_MAX = 50;

/** Characters of a GTID set that are shown; `GET /status` has all of it. */
const GTIDS_MAX = 8192;

/** All that a page shows of the node now, however large the node is. */
export function liveStatus(
  parts: WatchedNode,
  warnings: Pick<RecentWarnings, "list">,
): LiveStatus {
  const status = nodeStatus(parts);
  const { syncer, server } = status;
  const slaves = furthestBehind(server.slaves);
  return {
    ...status,
    syncer: withShortGtids(syncer),
    server: { ...withShortGtids(server), slaves },
    replicas: summaryOf(server.slaves, slaves.length),
    files: parts.files().slice(-FILES_MAX).map((file) => {
      const { previous_gtids: _, ...shown } = fileStatus(file);
      return shown;
    }),
    warnings: warnings.list(WARNINGS_MAX),
  };
}

/** Those to look at, in the order they came. */
function furthestBehind(
  replicas: readonly ReplicaStatus[],
): readonly ReplicaStatus[] {
  if (replicas.length <= REPLICAS_MAX) return replicas;
  const shown = new Set(
    replicas.toSorted((one, other) =>
      (other.lag_seconds ?? 0) - (one.lag_seconds ?? 0) ||
      (other.lag_bytes ?? 0) - (one.lag_bytes ?? 0)
    ).slice(0, REPLICAS_MAX),
  );
  return replicas.filter((replica) => shown.has(replica));
}

function summaryOf(
  replicas: readonly ReplicaStatus[],
  shown: number,
): LiveStatus["replicas"] {
  const lags = replicas.map(({ lag_seconds }) => lag_seconds)
    .filter((lag) => lag !== null);
  return {
    total: replicas.length,
    shown,
    sending: replicas.filter(({ replication_state }) => replication_state === 1)
      .length,
    behind: lags.filter((lag) => lag > 0).length,
    lag_seconds: lags.length === 0
      ? null
      : lags.reduce((most, lag) => Math.max(most, lag)),
    bytes_per_second: replicas.reduce(
      (sum, { bytes_per_second }) => sum + bytes_per_second,
      0,
    ),
  };
}

function withShortGtids<
  Log extends { executed_gtid_set: string; purged_gtid_set: string },
>(log: Log): Log {
  return {
    ...log,
    executed_gtid_set: shortened(log.executed_gtid_set),
    purged_gtid_set: shortened(log.purged_gtid_set),
  };
}

/** What is cut can't be taken for a GTID set: it does not parse. */
function shortened(gtids: string): string {
  return gtids.length <= GTIDS_MAX
    ? gtids
    : `${gtids.slice(0, GTIDS_MAX)}… (${gtids.length - GTIDS_MAX} more)`;
}
