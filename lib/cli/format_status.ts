import type { NodeStatus } from "../admin/node_status.ts";
import type { ServerStatus } from "../admin/server_status.ts";
import type { SyncerStatus } from "../admin/syncer_status.ts";
import { formatBytes } from "./format_bytes.ts";
import type { FormatOptions } from "./format_options.ts";
import { formatSeconds } from "./format_seconds.ts";
import { replicaTable } from "./format_replicas.ts";
import { retentionLines } from "./format_retention.ts";
import { printable } from "./printable.ts";
import { wrapText } from "./wrap_text.ts";

const NONE = "none";

const TONES = {
  following: "good",
  connecting: "warning",
  waiting: "warning",
  stopped: "warning",
  failed: "bad",
} as const;

/** A node's status for people: a block about the node, a table of replicas. */
export function formatStatus(
  status: NodeStatus,
  options: FormatOptions,
): string {
  const { syncer, server } = status;
  const rows: [string, readonly StatusLine[]][] = [
    ["node", nodeLines(status)],
    ["source", sourceLines(syncer)],
    ["log", logLines(status)],
    ["executed", setLines(syncer.executed_gtid_set)],
    ["purged", setLines(syncer.purged_gtid_set)],
    ["kept", retentionLines(status.retention)],
    ["server", serverLines(server)],
    ["replicas", [String(server.slaves.length)]],
  ];
  const table = replicaTable(server.slaves, options);
  const lines = labelled(rows, options);
  if (table.length > 0) lines.push("", ...table);
  return [...lines, ""].join("\n");
}

/** What the syncer does, alone. */
export function formatSource(
  syncer: SyncerStatus,
  options: FormatOptions,
): string {
  return [
    ...labelled([
      ["source", sourceLines(syncer)],
      ["log", [endOf(syncer)]],
      ["executed", setLines(syncer.executed_gtid_set)],
      ["purged", setLines(syncer.purged_gtid_set)],
    ], options),
    "",
  ].join("\n");
}

/** A line, and how it is to be looked at. */
type StatusLine = string | {
  readonly text: string;
  readonly tone: "good" | "warning" | "bad";
};

/**
 * Lines with a name in front of the first of each, made printable. One that is
 * too long goes on below itself.
 */
function labelled(
  rows: readonly (readonly [string, readonly StatusLine[]])[],
  { width, style }: FormatOptions,
): string[] {
  const indent = Math.max(...rows.map(([name]) => name.length)) + 2;
  return rows.flatMap(([name, lines]) =>
    lines.flatMap((line) => {
      const { text, tone } = typeof line === "string"
        ? { text: line, tone: undefined }
        : line;
      const pieces = wrapLine(printable(text), width - indent);
      return tone === undefined
        ? pieces
        : pieces.map((piece) => style[tone](piece));
    }).map((text, at) => {
      const label = (at === 0 ? name : "").padEnd(indent);
      return `${style.strong(label)}${text}`.trimEnd();
    })
  );
}

/** Wraps behind the spaces it begins with. */
function wrapLine(text: string, width: number): string[] {
  const [, space = "", rest = ""] = /^( *)(.*)$/s.exec(text) ?? [];
  const room = Math.max(width - space.length, 20);
  return wrapText(rest, room).map((line) => `${space}${line}`);
}

function nodeLines(status: NodeStatus): StatusLine[] {
  const unready = status.checks.filter(({ ready }) => !ready);
  const since = status.started_at === "" ? "" : `, since ${status.started_at}`;
  const head = `${status.name}, kingbus ${status.version}${since}`;
  if (unready.length === 0) return [{ text: `${head}, ready`, tone: "good" }];
  return [
    { text: `${head}, not ready:`, tone: "bad" },
    ...unready.map(({ part, detail }) => `${part} ${detail}`),
  ];
}

function sourceLines(syncer: SyncerStatus): StatusLine[] {
  if (syncer.mysql_addr === "") return [NONE];
  const { candidates = [] } = syncer;
  const followed = candidates.find((one) => one.followed)?.mysql_addr ??
    syncer.mysql_addr;
  const since = syncer.since === undefined ? "" : ` since ${syncer.since}`;
  const what = `${syncer.state} ${followed} as ${syncer.mysql_user}${since}`;
  const lines: StatusLine[] = [{ text: what, tone: TONES[syncer.state] }];
  if (syncer.source !== undefined) {
    const { version, server_id, server_uuid } = syncer.source;
    const uuid = server_uuid === "" ? "" : `, uuid ${server_uuid}`;
    lines.push(`${version}, server id ${server_id}${uuid}`);
  }
  lines.push(...acknowledgingLines(syncer));
  if (syncer.reason !== undefined) {
    const { cause, reason } = syncer;
    const text = cause === undefined ? reason : `${cause}: ${reason}`;
    lines.push({ text, tone: syncer.state === "failed" ? "bad" : "warning" });
  }
  if (syncer.advice !== undefined) lines.push(`to do: ${syncer.advice}`);
  if (syncer.state === "following") lines.push(...lagLines(syncer));
  else lines.push(...attemptLines(syncer));
  if (candidates.length > 1) lines.push(...candidates.map(candidateLine));
  return lines;
}

function lagLines(
  { lag_seconds: seconds, lag_bytes: bytes }: SyncerStatus,
): string[] {
  if (seconds === 0 && !bytes) return ["up to date"];
  const parts = [
    ...typeof seconds === "number" ? [formatSeconds(seconds)] : [],
    ...typeof bytes === "number" ? [formatBytes(bytes)] : [],
  ];
  return parts.length === 0 ? [] : [`behind by ${parts.join(", ")}`];
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
  if (syncer.last_binlog_file === "") return [endOf(syncer)];
  const files = store.files === 1 ? "1 file" : `${store.files} files`;
  return [endOf(syncer, `, ${files}, ${formatBytes(store.bytes)}`)];
}

/** Where the log ends, and of when. */
function endOf(syncer: SyncerStatus, size = ""): string {
  if (syncer.last_binlog_file === "") return "empty";
  const newest = syncer.last_event_time === undefined
    ? ""
    : `, newest event ${syncer.last_event_time}`;
  return `${syncer.last_binlog_file}:${syncer.last_file_position}${size}${newest}`;
}

function setLines(set: string): string[] {
  return set === "" ? [NONE] : set.split(",");
}

function serverLines(server: ServerStatus): StatusLine[] {
  const state = server.status === "running" ? "listening on" : "stopped,";
  const users = server.users.length === 0
    ? "no user can log in"
    : `users ${server.users.join(", ")}`;
  const line = `${state} ${server.addr}, ${users}`;
  return server.reason === undefined
    ? [line]
    : [line, { text: server.reason, tone: "bad" }];
}
