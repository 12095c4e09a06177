import type { ReplicaStatus } from "../admin/server_status.ts";
import { formatBytes } from "./format_bytes.ts";
import { formatSeconds } from "./format_seconds.ts";
import type { FormatOptions } from "./format_options.ts";
import { formatTable, type TableColumn } from "./table.ts";

const COLUMNS: readonly TableColumn<ReplicaStatus>[] = [
  { title: "ID", text: ({ connection_id }) => connection_id, align: "right" },
  { title: "FROM", text: ({ remote }) => remote, min: 15 },
  { title: "USER", text: ({ user }) => user, min: 4, drop: 3 },
  {
    title: "SERVER ID",
    text: ({ server_id }) => String(server_id),
    align: "right",
    drop: 1,
  },
  { title: "CLIENT", text: clientName, min: 10, drop: 5 },
  { title: "STATE", text: stateName, min: 15, drop: 2 },
  { title: "AT", text: ({ file, position }) => file && `${file}:${position}` },
  { title: "LAG", text: lag, align: "right" },
  { title: "BEHIND", text: behind, align: "right" },
  { title: "RATE", text: rate, align: "right", drop: 6 },
  {
    title: "SENT",
    text: ({ stats }) => formatBytes(Number(stats.bytes_sent)),
    align: "right",
    drop: 4,
  },
];

/** A table of replicas, fitted to a width; nothing when there are none. */
export function replicaTable(
  replicas: readonly ReplicaStatus[],
  options: FormatOptions,
): string[] {
  return replicas.length === 0 ? [] : formatTable(replicas, COLUMNS, options);
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

/** Seconds of the source's clock; empty while not known. */
function lag({ lag_seconds: seconds }: ReplicaStatus): string {
  return typeof seconds === "number" ? formatSeconds(seconds) : "";
}

function rate({ bytes_per_second: bytes }: ReplicaStatus): string {
  return typeof bytes === "number" ? `${formatBytes(Math.round(bytes))}/s` : "";
}

function behind({ lag_bytes }: ReplicaStatus): string {
  return lag_bytes === undefined ? "" : formatBytes(lag_bytes);
}
