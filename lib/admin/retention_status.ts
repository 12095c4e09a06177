import * as z from "zod";
import type { PurgeOutcome, RetentionReport } from "../retention/retention.ts";
import type { ReplicaHold } from "../retention/replica_hold.ts";
import { countNumber, listOf, timeText } from "./answer_value.ts";

const HOLD_FIELDS = {
  kind: z.enum(["connected", "declared"]),
  uuid: z.string(),
  name: z.string(),
  connection_id: z.string().optional(),
  file: z.string().describe(
    "First file it needs; empty: it was never seen and needs everything.",
  ),
  position: countNumber("Position in that file."),
};

const HOLD_STATUS = z.strictObject(HOLD_FIELDS).readonly();

/** A replica because of which files stay. */
export type HoldStatus = z.output<typeof HOLD_STATUS>;

/** `data` of `PUT /binlog/purge`. */
export const PURGE_STATUS = z.strictObject({
  removed: listOf(
    z.strictObject({ name: z.string(), size: countNumber("Bytes.") })
      .readonly(),
    "The files that went, or would.",
  ),
  bytes: countNumber("Their bytes together."),
  asked: countNumber("How many files were asked for."),
  first_kept: z.string().optional(),
  kept_active: z.boolean().describe(
    "True when the file being written was asked for too: it stays.",
  ),
  held_back_by: listOf(HOLD_STATUS, "Who needs the files that stayed."),
  dry_run: z.boolean(),
  purged_gtid_set: z.string().describe("What is purged of the log now."),
}).readonly().meta({ id: "Purge" });

/** The answer of {@linkcode PURGE_STATUS}. */
export type PurgeStatus = z.output<typeof PURGE_STATUS>;

/** `data` of `GET /binlog/retention/status`. */
export const RETENTION_STATUS = z.strictObject({
  limits: z.strictObject({
    bytes: countNumber("Bytes of all files.").optional(),
    age_ms: countNumber("Milliseconds since a file's last event.").optional(),
    files: countNumber("Number of files.").optional(),
    free_disk_bytes: countNumber("What the disk is to have free.").optional(),
  }).readonly().describe("The limits there are."),
  checked_at: timeText("When they were looked at last.").optional(),
  failure: z.string().optional().describe("Why the last check failed."),
  free_bytes: countNumber(
    "What can still be written; only with `limits.free_disk_bytes`.",
  ).optional(),
  last_purge: z.strictObject({
    at: timeText("When it was."),
    limits: listOf(
      z.string(),
      "The limits that asked for it; none for a purge by hand.",
    ),
    files: countNumber("Files removed."),
    bytes: countNumber("Their bytes."),
    first: z.string(),
    last: z.string(),
  }).readonly().optional(),
  purged_files: countNumber("Files removed since kingbus was started."),
  purged_bytes: countNumber("Their bytes."),
  held_back: z.strictObject({
    limits: listOf(z.string(), "The limits that are not kept."),
    files: countNumber("Files that should go."),
    bytes: countNumber("Their bytes."),
    since: timeText("Since when."),
    by: listOf(
      z.strictObject({
        ...HOLD_FIELDS,
        since: timeText("Since when it needs them."),
      }).readonly(),
      "The replicas that need them.",
    ),
  }).readonly().optional().describe("Why a limit is not kept."),
  replicas: listOf(
    z.strictObject({
      uuid: z.string(),
      name: z.string(),
      connected: z.boolean(),
      lost: z.boolean().describe(
        "True when files it needs were purged by force.",
      ),
      file: z.string().optional().describe(
        "Where it goes on; absent: it was never seen and needs everything.",
      ),
      position: countNumber("Position in that file.").optional(),
      noted_at: timeText("When that was noted.").optional(),
    }).readonly(),
    "The replicas of `retention.replicas`.",
  ),
}).readonly().meta({ id: "RetentionStatus" });

/** The answer of {@linkcode RETENTION_STATUS}. */
export type RetentionStatus = z.output<typeof RETENTION_STATUS>;

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
