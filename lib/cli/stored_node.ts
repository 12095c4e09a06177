import type { LogReport, SyncerTarget } from "../admin/control.ts";
import { SYNCER_INTENT_META } from "../admin/intent/syncer_controller.ts";
import { reportLog } from "../admin/intent/log_report.ts";
import { type FileStatus, fileStatus } from "../admin/file_status.ts";
import type { NodeStatus } from "../admin/node_status.ts";
import { retentionStatus } from "../admin/retention_status.ts";
import { serverStatus } from "../admin/server_status.ts";
import { idleRetention, stoppedSyncer } from "../admin/stopped_reports.ts";
import { syncerStatus } from "../admin/syncer_status.ts";
import { type Address, formatAddress } from "../config/address.ts";
import type { ConfigTree } from "../config/config_schema.ts";
import { retentionSettings } from "../config/load_config.ts";
import { ReplicaNeeds } from "../retention/replica_needs.ts";
import { loadSourceIdentity } from "../server/server_identity.ts";
import type { LogSnapshot } from "../store/log_snapshot.ts";
import { databasePath } from "../store/kv/database_path.ts";
import { openKvSnapshot } from "../store/kv/open_kv_snapshot.ts";
import { VERSION } from "../version.ts";

/** What the store of a node says that does not run. */
export interface StoredNode {
  /** As a running node answers it, with nothing running. */
  readonly status: NodeStatus;
  /** The files of the log, oldest first. */
  readonly files: readonly FileStatus[];
}

/**
 * Reads what the store knows, and changes nothing.
 *
 * @throws {StoreError} when there is none, or it can't be read
 */
export async function readStoredNode(tree: ConfigTree): Promise<StoredNode> {
  const path = databasePath(tree["data-dir"]);
  await using log = await openKvSnapshot({ path });
  const report = reportLog(log);
  const { files } = log;
  return {
    status: {
      name: tree.name,
      version: VERSION,
      started_at: "",
      admin_token: tree.admin["admin-token-file"] !== undefined ||
        tree.admin["admin-token-env"] !== undefined,
      ready: false,
      checks: [{ part: "node", ready: false, detail: "does not run" }],
      syncer: await storedSyncer(log, report, tree),
      server: serverStatus({
        wanted: false,
        state: "stopped",
        reason: undefined,
        listen: formatAddress(tree.server.listen),
        users: tree.server.users.map(({ name }) => name),
        replicas: [],
        log: report,
      }),
      store: {
        files: files.length,
        bytes: files.reduce((sum, { size }) => sum + size, 0),
      },
      retention: await storedRetention(log, tree),
    },
    files: files.map(fileStatus),
  };
}

async function storedSyncer(
  log: LogSnapshot,
  report: LogReport,
  tree: ConfigTree,
): Promise<NodeStatus["syncer"]> {
  const intent = readIntent(await log.getMeta(SYNCER_INTENT_META));
  const target = intent?.target ?? configuredTarget(tree);
  const identity = await loadSourceIdentity(log);
  return syncerStatus({
    ...stoppedSyncer(report),
    wanted: intent?.run ?? target !== undefined,
    target,
    source: identity,
  });
}

async function storedRetention(
  log: LogSnapshot,
  tree: ConfigTree,
): Promise<NodeStatus["retention"]> {
  const settings = retentionSettings(tree);
  const needs = await ReplicaNeeds.open(
    {
      getMeta: (name) => log.getMeta(name),
      setMeta: () => Promise.reject(new TypeError("A snapshot is only read")),
    },
    settings.replicas,
    Date.now,
  );
  return retentionStatus({
    ...idleRetention(settings),
    replicas: needs.all.map((need) => ({
      ...need,
      connected: false,
      lost: false,
    })),
  });
}

function configuredTarget({ source }: ConfigTree): SyncerTarget | undefined {
  if (source === undefined) return undefined;
  return {
    address: formatAddress(source.address),
    user: source.user,
    serverId: source["server-id"] ?? 0,
    uuid: source.uuid ?? "",
  };
}

/** What the syncer was told last; of another version it counts as nothing. */
function readIntent(
  value: unknown,
): { run: boolean; target: SyncerTarget | undefined } | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const { run, target } = value as { run?: unknown; target?: unknown };
  if (typeof run !== "boolean") return undefined;
  return { run, target: readTarget(target) };
}

function readTarget(value: unknown): SyncerTarget | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const { address, user, serverId, uuid } = value as {
    address?: Partial<Address>;
    user?: unknown;
    serverId?: unknown;
    uuid?: unknown;
  };
  const { hostname, port } = address ?? {};
  if (typeof hostname !== "string" || typeof port !== "number") {
    return undefined;
  }
  return {
    address: formatAddress({ hostname, port }),
    user: typeof user === "string" ? user : "",
    serverId: typeof serverId === "number" ? serverId : 0,
    uuid: typeof uuid === "string" ? uuid : "",
  };
}
