import type { NodeStatus } from "../admin/node_status.ts";
import type { ReplicaStatus, ServerStatus } from "../admin/server_status.ts";
import type { SyncerStatus } from "../admin/syncer_status.ts";
import { formatBytes } from "./format_bytes.ts";
import { retentionLines } from "./format_retention.ts";

const NONE = "none";

/** A node's status for people: a block about the node, a table of replicas. */
export function formatStatus(status: NodeStatus): string {
  const { syncer, server } = status;
  const rows: [string, string[]][] = [
    ["node", nodeLines(status)],
    ["source", sourceLines(syncer)],
    ["log", logLines(status)],
    ["executed", setLines(syncer.executed_gtid_set)],
    ["purged", setLines(syncer.purged_gtid_set)],
    ["kept", retentionLines(status.retention)],
    ["server", serverLines(server)],
    ["replicas", [String(server.slaves.length)]],
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  const lines = rows.flatMap(([name, values]) =>
    values.map((value, at) =>
      `${(at === 0 ? name : "").padEnd(width)}  ${printable(value)}`.trimEnd()
    )
  );
  return [...lines, ...replicaLines(server.slaves), ""].join("\n");
}

function nodeLines(status: NodeStatus): string[] {
  const unready = status.checks.filter(({ ready }) => !ready);
  const head =
    `${status.name}, kingbus ${status.version}, since ${status.started_at}`;
  if (unready.length === 0) return [`${head}, ready`];
  return [
    `${head}, not ready:`,
    ...unready.map(({ part, detail }) => `${part} ${detail}`),
  ];
}

function sourceLines(syncer: SyncerStatus): string[] {
  if (syncer.mysql_addr === "") return [NONE];
  const { candidates = [] } = syncer;
  const followed = candidates.find((one) => one.followed)?.mysql_addr ??
    syncer.mysql_addr;
  const since = syncer.since === undefined ? "" : ` since ${syncer.since}`;
  const lines = [`${syncer.state} ${followed} as ${syncer.mysql_user}${since}`];
  if (syncer.source !== undefined) {
    const { version, server_id, server_uuid } = syncer.source;
    const uuid = server_uuid === "" ? "" : `, uuid ${server_uuid}`;
    lines.push(`${version}, server id ${server_id}${uuid}`);
  }
  lines.push(...acknowledgingLines(syncer));
  if (syncer.reason !== undefined) {
    const { cause, reason } = syncer;
    lines.push(cause === undefined ? reason : `${cause}: ${reason}`);
  }
  if (syncer.state !== "following") lines.push(...attemptLines(syncer));
  if (candidates.length > 1) lines.push(...candidates.map(candidateLine));
  return lines;
}

/** How semi-synchronous replication from the source stands. */
function acknowledgingLines({ acknowledging, state }: SyncerStatus): string[] {
  if (acknowledging === undefined) return [];
  const { active, acks_sent, file, position, waiting, replicas } =
    acknowledging;
  const newest = file === "" ? "" : `, the newest ${file}:${position}`;
  const lines = active
    ? [
      `semi-sync: ${acks_sent} acknowledgements${newest}, ${waiting} waited for`,
    ]
    : state === "following"
    ? ["semi-sync: none, the source lacks it; followed asynchronously"]
    : [];
  if (replicas === undefined) return lines;
  const { required, connected, since } = replicas;
  const waits = replicas.state === "degraded"
    ? `waiting for no replica since ${since}, they took too long`
    : "waiting for replicas";
  return [...lines, `${waits}: ${required} required, ${connected} connected`];
}

function candidateLine(
  { mysql_addr, followed, cause, reason }: SyncerStatus["candidates"][number],
): string {
  const fault = cause === undefined ? "" : `, ${cause}: ${reason}`;
  return `${followed ? "* " : "  "}${mysql_addr}${fault}`;
}

/** What an operator who looks at a source that is lost wants to know. */
function attemptLines(syncer: SyncerStatus): string[] {
  const { attempts, next_attempt_at, connected_at, heard_at } = syncer;
  const parts = [
    ...attempts === 0 ? [] : [
      `${attempts} ${attempts === 1 ? "attempt" : "attempts"} failed`,
    ],
    ...next_attempt_at === undefined ? [] : [`next ${next_attempt_at}`],
    ...connected_at === undefined ? [] : [`last connected ${connected_at}`],
    ...heard_at === undefined ? [] : [`last heard of ${heard_at}`],
  ];
  return parts.length === 0 ? [] : [parts.join(", ")];
}

function logLines({ syncer, store }: NodeStatus): string[] {
  if (syncer.last_binlog_file === "") return ["empty"];
  const files = store.files === 1 ? "1 file" : `${store.files} files`;
  const newest = syncer.last_event_time === undefined
    ? ""
    : `, newest event ${syncer.last_event_time}`;
  return [
    `${syncer.last_binlog_file}:${syncer.last_file_position}, ${files}, ${
      formatBytes(store.bytes)
    }${newest}`,
  ];
}

function setLines(set: string): string[] {
  return set === "" ? [NONE] : set.split(",");
}

function serverLines(server: ServerStatus): string[] {
  const state = server.status === "running" ? "listening on" : "stopped,";
  const users = server.users.length === 0
    ? "no user can log in"
    : `users ${server.users.join(", ")}`;
  const lines = [`${state} ${server.addr}, ${users}`];
  return server.reason === undefined ? lines : [...lines, server.reason];
}

const COLUMNS: [
  string,
  (replica: ReplicaStatus) => string,
  "left" | "right",
][] = [
  ["ID", ({ connection_id }) => connection_id, "right"],
  ["FROM", ({ remote }) => remote, "left"],
  ["USER", ({ user }) => user, "left"],
  ["SERVER ID", ({ server_id }) => String(server_id), "right"],
  ["CLIENT", clientName, "left"],
  ["STATE", stateName, "left"],
  ["AT", ({ file, position }) => file && `${file}:${position}`, "left"],
  ["BEHIND", behind, "right"],
  ["SENT", ({ stats }) => formatBytes(Number(stats.bytes_sent)), "right"],
];

function replicaLines(replicas: readonly ReplicaStatus[]): string[] {
  if (replicas.length === 0) return [];
  const rows = [
    COLUMNS.map(([title]) => title),
    ...replicas.map((replica) =>
      COLUMNS.map(([, text]) => printable(text(replica)))
    ),
  ];
  const widths = COLUMNS.map((_, column) =>
    Math.max(...rows.map((row) => row[column]!.length))
  );
  const lines = rows.map((row) =>
    row.map((cell, column) =>
      COLUMNS[column]![2] === "right"
        ? cell.padStart(widths[column]!)
        : cell.padEnd(widths[column]!)
    ).join("  ").trimEnd()
  );
  return ["", ...lines];
}

function clientName(replica: ReplicaStatus): string {
  const { program, client_version, host_name } = replica;
  return [host_name, program, client_version].filter((part) => part !== "")
    .join(" ");
}

function stateName(replica: ReplicaStatus): string {
  const { replication_state, mode, semi_sync } = replica;
  if (replication_state === 0) return "connected";
  return `dumping by ${mode}${semi_sync === undefined ? "" : ", semi-sync"}`;
}

function behind({ lag_bytes }: ReplicaStatus): string {
  return lag_bytes === undefined ? "" : formatBytes(lag_bytes);
}

/** Replicas choose some of the texts; none of them may drive the terminal. */
function printable(text: string): string {
  // deno-lint-ignore no-control-regex -- they are what must not get through
  return text.replaceAll(/[\u0000-\u001f\u007f-\u009f]/g, "?");
}
