import type { CompressionAlgorithm } from "../protocol/compression.ts";
import type { ReplicaReport, ServerReport } from "./control.ts";
import { type LogStatus, logStatus } from "./syncer_status.ts";

/** A replica, under the original's names, then what it did not tell. */
export interface ReplicaStatus {
  /** 1 while it is sent the log, else 0. */
  readonly replication_state: 0 | 1;
  readonly server_id: number;
  readonly server_uuid: string;
  readonly host_name: string;
  readonly port: number;
  readonly user: string;
  /** RFC 3339. */
  readonly connect_time: string;
  /** Nanoseconds, 0 for none. */
  readonly heartbeat: number;
  readonly connection_id: string;
  readonly remote: string;
  readonly mode: "" | "gtid" | "position";
  readonly file: string;
  readonly position: number;
  readonly lag_bytes?: number | undefined;
  readonly program: string;
  readonly client_version: string;
  /** TLS version of its connection, such as `TLSv1.3`; empty without TLS. */
  readonly tls: string;
  /** Cipher suite of it, as OpenSSL names it. */
  readonly tls_cipher: string;
  /** What its connection is compressed with. */
  readonly compression: "none" | CompressionAlgorithm;
  /** What it has acknowledged, if it is semi-synchronous. */
  readonly semi_sync?: {
    readonly acks_asked: number;
    readonly acks_received: number;
    readonly file: string;
    readonly position: number;
  } | undefined;
  /** 64-bit counters, as text. */
  readonly stats: { readonly bytes_sent: string };
}

/**
 * `data` of `GET /binlog/server/status`: the original's fields less the
 * passwords, then what it did not tell.
 */
export interface ServerStatus extends LogStatus {
  readonly addr: string;
  /** First of `users`; the original knew one. */
  readonly user: string;
  readonly slaves: readonly ReplicaStatus[];
  readonly status: "running" | "stopped";
  readonly users: readonly string[];
  /** True when it is meant to run, whether it does or not. */
  readonly wanted: boolean;
  readonly reason?: string | undefined;
}

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
