import * as z from "zod";
import { COMPRESSION_ALGORITHMS } from "../protocol/compression.ts";
import { countNumber, listOf, timeText } from "./answer_value.ts";
import type { ReplicaReport, ServerReport } from "./control.ts";
import { LOG_FIELDS, logStatus } from "./syncer_status.ts";

/** What a connection may be compressed with in an answer. */
const COMPRESSION = z.enum(["none", ...COMPRESSION_ALGORITHMS]);

/** A replica, under the original's names, then what it did not tell. */
export const REPLICA_STATUS = z.strictObject({
  replication_state: z.literal([0, 1]).describe(
    "1 while it is sent the log, else 0.",
  ),
  server_id: countNumber("What it says of itself; 0 before it has."),
  server_uuid: z.string().describe("MariaDB's replicas have none."),
  host_name: z.string().describe("What it registered as its own host name."),
  port: countNumber("The port it registered."),
  user: z.string(),
  connect_time: timeText("When it connected."),
  heartbeat: countNumber("Nanoseconds between heartbeats, 0 for none."),
  connection_id: z.string().describe(
    "That of `SHOW PROCESSLIST` and `KILL`; 64 bits, as text.",
  ),
  remote: z.string().describe("`ip:port` it came from."),
  mode: z.enum(["", "gtid", "position"]).describe("How it asked for the log."),
  file: z.string().describe("Up to where it was sent the log."),
  position: countNumber("Position in that file."),
  lag_bytes: countNumber("What it has not been sent yet.").optional(),
  lag_seconds: countNumber(
    "How long ago the first event was made that it was not sent yet: this machine's clock less the source's. 0 when it was sent all there is; null before its dump, and until the first event was read for it.",
  ).nullable(),
  bytes_per_second: countNumber(
    "What it was sent a second, over the last ten or since it connected.",
  ),
  program: z.string().describe("What its client library says it is."),
  client_version: z.string(),
  tls: z.string().describe(
    "TLS version of its connection, such as `TLSv1.3`; empty without TLS.",
  ),
  tls_cipher: z.string().describe("Cipher suite, as OpenSSL names it."),
  compression: COMPRESSION,
  semi_sync: z.strictObject({
    acks_asked: countNumber("Acknowledgements it was asked for."),
    acks_received: countNumber("Those that came."),
    file: z.string().describe("Where the newest one is."),
    position: countNumber("Position in that file."),
  }).readonly().optional().describe(
    "What it has acknowledged, if it is semi-synchronous.",
  ),
  stats: z.strictObject({
    bytes_sent: z.string().describe("64 bits, as text."),
  }).readonly(),
}).readonly().meta({ id: "Replica" });

/** One of {@linkcode REPLICA_STATUS}. */
export type ReplicaStatus = z.output<typeof REPLICA_STATUS>;

/**
 * `data` of `GET /binlog/server/status`: the original's fields less the
 * passwords, then what it did not tell.
 */
export const SERVER_STATUS = z.strictObject({
  addr: z.string().describe("Where it listens, or would."),
  user: z.string().describe("First of `users`; the original knew one."),
  slaves: listOf(
    REPLICA_STATUS,
    "Each client that has registered or is sent the log.",
  ),
  ...LOG_FIELDS,
  status: z.enum(["running", "stopped"]),
  users: listOf(z.string(), "The accounts replicas can log in with."),
  wanted: z.boolean().describe(
    "True when it is meant to run, whether it does or not.",
  ),
  reason: z.string().optional().describe(
    "Why it does not run although it should.",
  ),
}).readonly().meta({ id: "ServerStatus" });

/** The answer of {@linkcode SERVER_STATUS}. */
export type ServerStatus = z.output<typeof SERVER_STATUS>;

/** The answer for a report. */
export function serverStatus(report: ServerReport): ServerStatus {
  return {
    addr: report.listen,
    user: report.users[0] ?? "",
    slaves: report.replicas.map(replicaStatus),
    ...logStatus(report.log),
    status: report.state,
    users: report.users,
    wanted: report.wanted,
    reason: report.reason,
  };
}

function replicaStatus(replica: ReplicaReport): ReplicaStatus {
  return {
    replication_state: replica.state === "dumping" ? 1 : 0,
    server_id: Number(replica.serverId),
    server_uuid: replica.uuid,
    host_name: replica.hostName,
    port: replica.port,
    user: replica.user,
    connect_time: replica.connectedAt.toISOString(),
    heartbeat: replica.heartbeatMs * 1_000_000,
    connection_id: replica.connectionId,
    remote: replica.remote,
    mode: replica.mode,
    file: replica.file,
    position: replica.position,
    lag_bytes: replica.lagBytes,
    lag_seconds: replica.lagSeconds ?? null,
    bytes_per_second: replica.bytesPerSecond,
    program: replica.program,
    client_version: replica.clientVersion,
    tls: replica.tls?.version ?? "",
    tls_cipher: replica.tls?.cipher ?? "",
    compression: replica.compression ?? "none",
    semi_sync: replica.acks && {
      acks_asked: replica.acks.asked,
      acks_received: replica.acks.received,
      file: replica.acks.file,
      position: replica.acks.position,
    },
    stats: { bytes_sent: String(replica.bytesSent) },
  };
}
