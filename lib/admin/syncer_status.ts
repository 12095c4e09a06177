import type { CompressionAlgorithm } from "../protocol/compression.ts";
import type { LogReport, SemiSyncReport, SyncerReport } from "./control.ts";

/** Where the stored log ends, under the names the original kingbus uses. */
export interface LogStatus {
  readonly current_gtid: string;
  readonly last_binlog_file: string;
  readonly last_file_position: number;
  /** A GTID set; in a log of MariaDB its state, as `@@gtid_binlog_state`. */
  readonly executed_gtid_set: string;
  readonly purged_gtid_set: string;
  /** In a log of MariaDB the newest GTID of each domain, as `@@gtid_binlog_pos`. */
  readonly gtid_binlog_pos?: string | undefined;
  /** When the newest event was made, RFC 3339. */
  readonly last_event_time?: string | undefined;
}

/**
 * `data` of `GET /binlog/syncer/status`: the original's fields less the
 * password, then what it did not tell.
 */
export interface SyncerStatus extends LogStatus {
  readonly syncer_id: number;
  readonly syncer_uuid: string;
  readonly mysql_addr: string;
  readonly mysql_user: string;
  readonly semi_sync: boolean;
  readonly status: "running" | "stopped";
  /** True when it is meant to run, whether it does or not. */
  readonly wanted: boolean;
  readonly state: SyncerReport["state"];
  /** What keeps it from following, one word; see docs/admin-api.md. */
  readonly cause?: SyncerReport["cause"];
  readonly reason?: string | undefined;
  /** RFC 3339. */
  readonly since?: string | undefined;
  /** Attempts in a row that failed; 0 once a connection has lasted. */
  readonly attempts: number;
  /** When it tries again, RFC 3339; while it waits for that. */
  readonly next_attempt_at?: string | undefined;
  /** When the source last began to send its log, RFC 3339. */
  readonly connected_at?: string | undefined;
  /** When anything came from the source last, heartbeats too, RFC 3339. */
  readonly heard_at?: string | undefined;
  /** The server found at `mysql_addr`. */
  readonly source?: {
    readonly server_id: string;
    readonly server_uuid: string;
    readonly version: string;
    /** TLS version of the connection, such as `TLSv1.3`; empty without TLS. */
    readonly tls: string;
    /** Cipher suite of it, as OpenSSL names it. */
    readonly tls_cipher: string;
    /** What the connection is compressed with, while there is one. */
    readonly compression: "none" | CompressionAlgorithm;
  } | undefined;
  /** How the acknowledging to the source goes, where it is asked for. */
  readonly acknowledging?: AcknowledgingStatus | undefined;
  /** The servers it may follow, in the order in which they are tried. */
  readonly candidates: readonly {
    readonly mysql_addr: string;
    /** True for the one that is followed, or was last. */
    readonly followed: boolean;
    /** Why it could not be followed when that was tried last. */
    readonly cause?: string | undefined;
    readonly reason?: string | undefined;
    /** RFC 3339. */
    readonly failed_at?: string | undefined;
  }[];
}

/** Semi-synchronous replication from the source. */
export interface AcknowledgingStatus {
  /** False while the source sends an asynchronous dump, or none. */
  readonly active: boolean;
  readonly acks_sent: number;
  /** The newest acknowledgement. */
  readonly file: string;
  readonly position: number;
  /** Events that the source waits for. */
  readonly waiting: number;
  /** The replicas that have to acknowledge first, if any do. */
  readonly replicas?: {
    readonly state: "synchronous" | "degraded";
    /** RFC 3339. */
    readonly since: string;
    readonly required: number;
    readonly connected: number;
    readonly timeouts: number;
  } | undefined;
}

/** The answer for a report. */
export function syncerStatus(report: SyncerReport): SyncerStatus {
  const { target, source, state } = report;
  const isRunning = state !== "stopped" && state !== "failed";
  return {
    syncer_id: target?.serverId ?? 0,
    syncer_uuid: target?.uuid ?? "",
    mysql_addr: target?.address ?? "",
    mysql_user: target?.user ?? "",
    semi_sync: report.semiSync.wanted,
    ...logStatus(report.log),
    status: isRunning ? "running" : "stopped",
    wanted: report.wanted,
    state,
    cause: report.cause,
    reason: report.reason,
    since: report.since?.toISOString(),
    attempts: report.attempts,
    next_attempt_at: report.nextAttemptAt?.toISOString(),
    connected_at: report.connectedAt?.toISOString(),
    heard_at: report.heardAt?.toISOString(),
    source: source && {
      server_id: source.serverId,
      server_uuid: source.uuid,
      version: source.version,
      tls: source.tls?.version ?? "",
      tls_cipher: source.tls?.cipher ?? "",
      compression: source.compression ?? "none",
    },
    acknowledging: acknowledgingStatus(report.semiSync),
    candidates: report.candidates.map((candidate) => ({
      mysql_addr: candidate.address,
      followed: candidate.followed,
      cause: candidate.cause,
      reason: candidate.reason,
      failed_at: candidate.failedAt?.toISOString(),
    })),
  };
}

function acknowledgingStatus(
  { link, gate }: SemiSyncReport,
): AcknowledgingStatus | undefined {
  if (link === undefined) return undefined;
  return {
    active: link.active,
    acks_sent: link.acks,
    file: link.file,
    position: link.position,
    waiting: link.waiting,
    replicas: gate === undefined || gate.state === "off" ? undefined : {
      state: gate.state,
      since: gate.since.toISOString(),
      required: gate.required,
      connected: gate.replicas,
      timeouts: gate.timeouts,
    },
  };
}

/** The fields that both status answers have. */
export function logStatus(log: LogReport): LogStatus {
  return {
    current_gtid: log.currentGtid,
    last_binlog_file: log.file,
    last_file_position: log.position,
    executed_gtid_set: log.executed,
    purged_gtid_set: log.purged,
    gtid_binlog_pos: log.gtidBinlogPos,
    last_event_time: log.lastEventAt?.toISOString(),
  };
}
