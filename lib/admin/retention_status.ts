import type { PurgeOutcome, RetentionReport } from "../retention/retention.ts";
import type { ReplicaHold } from "../retention/replica_hold.ts";

/** A replica because of which files stay. */
export interface HoldStatus {
  readonly kind: "connected" | "declared";
  readonly uuid: string;
  readonly name: string;
  readonly connection_id?: string | undefined;
  /** First file it needs; empty: it was never seen and needs everything. */
  readonly file: string;
  readonly position: number;
}

/** `data` of `PUT /binlog/purge`. */
export interface PurgeStatus {
  readonly removed: readonly { readonly name: string; readonly size: number }[];
  readonly bytes: number;
  /** How many files were asked for. */
  readonly asked: number;
  readonly first_kept?: string | undefined;
  /** True when the file being written was asked for too: it stays. */
  readonly kept_active: boolean;
  readonly held_back_by: readonly HoldStatus[];
  readonly dry_run: boolean;
  /** What is purged of the log now. */
  readonly purged_gtid_set: string;
}

/** `data` of `GET /binlog/retention/status`. Times are RFC 3339. */
export interface RetentionStatus {
  /** The limits there are. */
  readonly limits: {
    readonly bytes?: number | undefined;
    readonly age_ms?: number | undefined;
    readonly files?: number | undefined;
    readonly free_disk_bytes?: number | undefined;
  };
  readonly checked_at?: string | undefined;
  /** Why the last check failed. */
  readonly failure?: string | undefined;
  /** What can still be written; only with `limits.free_disk_bytes`. */
  readonly free_bytes?: number | undefined;
  readonly last_purge?: {
    readonly at: string;
    /** The limits that asked for it; none for a purge by hand. */
    readonly limits: readonly string[];
    readonly files: number;
    readonly bytes: number;
    readonly first: string;
    readonly last: string;
  } | undefined;
  /** Since kingbus was started. */
  readonly purged_files: number;
  readonly purged_bytes: number;
  /** Why a limit is not kept. */
  readonly held_back?: {
    readonly limits: readonly string[];
    readonly files: number;
    readonly bytes: number;
    readonly since: string;
    readonly by: readonly (HoldStatus & { readonly since: string })[];
  } | undefined;
  /** The replicas of `retention.replicas`. */
  readonly replicas: readonly {
    readonly uuid: string;
    readonly name: string;
    readonly connected: boolean;
    /** True when files it needs were purged by force. */
    readonly lost: boolean;
    /** Where it goes on; absent: it was never seen and needs everything. */
    readonly file?: string | undefined;
    readonly position?: number | undefined;
    readonly noted_at?: string | undefined;
  }[];
}

/** The answer to a purge by hand. */
export function purgeStatus(
  outcome: PurgeOutcome,
  more: { readonly dryRun: boolean; readonly purged: string },
): PurgeStatus {
  return {
    removed: outcome.removed,
    bytes: outcome.bytes,
    asked: outcome.asked,
    first_kept: outcome.firstKept,
    kept_active: outcome.keptActive,
    held_back_by: outcome.heldBy.map(holdStatus),
    dry_run: more.dryRun,
    purged_gtid_set: more.purged,
  };
}

/** The answer for a report. */
export function retentionStatus(report: RetentionReport): RetentionStatus {
  const { settings, lastPurge, heldBack } = report;
  return {
    limits: {
      bytes: settings.bytesMax,
      age_ms: settings.ageMaxMs,
      files: settings.filesMax,
      free_disk_bytes: settings.freeDiskBytesMin,
    },
    checked_at: report.checkedAt?.toISOString(),
    failure: report.failure,
    free_bytes: report.freeBytes,
    last_purge: lastPurge && { ...lastPurge, at: lastPurge.at.toISOString() },
    purged_files: report.purgedFiles,
    purged_bytes: report.purgedBytes,
    held_back: heldBack && {
      limits: heldBack.limits,
      files: heldBack.files,
      bytes: heldBack.bytes,
      since: heldBack.since.toISOString(),
      by: heldBack.by.map((hold) => ({
        ...holdStatus(hold),
        since: hold.since.toISOString(),
      })),
    },
    replicas: report.replicas.map((replica) => ({
      uuid: replica.uuid,
      name: replica.name,
      connected: replica.connected,
      lost: replica.lost,
      file: replica.from?.fileName,
      position: replica.from?.position,
      noted_at: replica.notedAtMs === undefined
        ? undefined
        : new Date(replica.notedAtMs).toISOString(),
    })),
  };
}

function holdStatus(hold: ReplicaHold): HoldStatus {
  return {
    kind: hold.kind,
    uuid: hold.uuid,
    name: hold.name,
    connection_id: hold.connectionId,
    file: hold.fileName,
    position: hold.position,
  };
}
