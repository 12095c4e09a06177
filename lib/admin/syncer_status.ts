import * as z from "zod";
import { COMPRESSION_ALGORITHMS } from "../protocol/compression.ts";
import { adviceFor } from "../syncer/cause_text.ts";
import { SYNCER_CAUSES } from "../syncer/syncer_cause.ts";
import { countNumber, listOf, timeText } from "./answer_value.ts";
import type { LogReport, SemiSyncReport, SyncerReport } from "./control.ts";

/** Where the stored log ends, under the names the original kingbus uses. */
export const LOG_FIELDS = {
  current_gtid: z.string().describe("The newest transaction's; empty: none."),
  last_binlog_file: z.string(),
  last_file_position: countNumber("Where the stored log ends in that file."),
  executed_gtid_set: z.string().describe(
    "A GTID set; in a log of MariaDB its state, as `@@gtid_binlog_state`.",
  ),
  purged_gtid_set: z.string().describe("What is purged of it."),
  gtid_binlog_pos: z.string().optional().describe(
    "In a log of MariaDB the newest GTID of each domain, as `@@gtid_binlog_pos`.",
  ),
  last_event_time: timeText(
    "When the newest event was made, by the source's clock.",
  ).optional(),
};

const LOG_STATUS = z.strictObject(LOG_FIELDS).readonly();

/** What has {@linkcode LOG_FIELDS}. */
export type LogStatus = z.output<typeof LOG_STATUS>;

/** Semi-synchronous replication from the source. */
const ACKNOWLEDGING_STATUS = z.strictObject({
  active: z.boolean().describe(
    "False while there is no connection, or the source sends an asynchronous dump.",
  ),
  acks_sent: countNumber("Acknowledgements sent."),
  file: z.string().describe("Where the newest one is, as the source counts."),
  position: countNumber("Position in that file."),
  waiting: countNumber("Events that the source waits for now."),
  replicas: z.strictObject({
    state: z.enum(["synchronous", "degraded"]),
    since: timeText("Since when it is in that state."),
    required: countNumber("`server.wait-for-replicas`."),
    connected: countNumber("How many replicas acknowledge."),
    timeouts: countNumber("How often it was waited in vain."),
  }).readonly().optional().describe(
    "The replicas that have to acknowledge first, if any do.",
  ),
}).readonly();

/** The answer of {@linkcode ACKNOWLEDGING_STATUS}. */
export type AcknowledgingStatus = z.output<typeof ACKNOWLEDGING_STATUS>;

/**
 * `data` of `GET /binlog/syncer/status`: the original's fields less the
 * password, then what it did not tell.
 */
export const SYNCER_STATUS = z.strictObject({
  syncer_id: countNumber("Server id towards the source."),
  syncer_uuid: z.string().describe("UUID towards the source."),
  mysql_addr: z.string().describe("`host:port` to follow; empty: none yet."),
  mysql_user: z.string(),
  semi_sync: z.boolean().describe("Whether acknowledging is asked for."),
  ...LOG_FIELDS,
  status: z.enum(["running", "stopped"]),
  wanted: z.boolean().describe(
    "True when it is meant to run, whether it does or not.",
  ),
  state: z.enum(["stopped", "connecting", "following", "waiting", "failed"]),
  cause: z.enum(SYNCER_CAUSES).optional().describe(
    "What keeps it from following, in one word.",
  ),
  reason: z.string().optional().describe(
    "What happened, to which file, position and GTIDs, and what to do.",
  ),
  advice: z.string().optional().describe(
    "What to do about the cause, whatever the reason.",
  ),
  since: timeText("Since when it is in that state.").optional(),
  attempts: countNumber(
    "Attempts in a row that failed; 0 once a connection has lasted.",
  ),
  next_attempt_at: timeText("When it tries again, while it waits for that.")
    .optional(),
  connected_at: timeText("When the source last began to send its log.")
    .optional(),
  connected_since: timeText(
    "`connected_at` of the connection there is; absent while there is none.",
  ).optional(),
  lag_seconds: countNumber(
    "How old the newest event stored was when the source last sent anything; 0 once it has nothing more to send, null while it is not followed and until anything is stored.",
  ).nullable(),
  lag_bytes: countNumber(
    "What of the source's log has not come, by its end as last asked for; 0 once the source has nothing more to send, null while that is not known.",
  ).nullable(),
  heard_at: timeText(
    "When anything came from the source last, heartbeats too.",
  ).optional(),
  source: z.strictObject({
    server_id: z.string(),
    server_uuid: z.string().describe("Empty for a MariaDB server."),
    version: z.string(),
    tls: z.string().describe(
      "TLS version of the connection, such as `TLSv1.3`; empty without TLS.",
    ),
    tls_cipher: z.string().describe("Cipher suite, as OpenSSL names it."),
    compression: z.enum(["none", ...COMPRESSION_ALGORITHMS]),
  }).readonly().optional().describe("The server found at `mysql_addr`."),
  acknowledging: ACKNOWLEDGING_STATUS.optional().describe(
    "How the acknowledging to the source goes, where it is asked for.",
  ),
  candidates: listOf(
    z.strictObject({
      mysql_addr: z.string(),
      followed: z.boolean().describe(
        "True for the one that is followed, or was last.",
      ),
      cause: z.string().optional().describe(
        "Why it could not be followed when that was tried last.",
      ),
      reason: z.string().optional(),
      failed_at: timeText("When that was.").optional(),
    }).readonly(),
    "The servers it may follow, in the order in which they are tried.",
  ),
}).readonly().meta({ id: "SyncerStatus" });

/** The answer of {@linkcode SYNCER_STATUS}. */
export type SyncerStatus = z.output<typeof SYNCER_STATUS>;

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
    advice: report.cause && adviceFor(report.cause),
    since: report.since?.toISOString(),
    attempts: report.attempts,
    next_attempt_at: report.nextAttemptAt?.toISOString(),
    connected_at: report.connectedAt?.toISOString(),
    connected_since: state === "following"
      ? report.connectedAt?.toISOString()
      : undefined,
    lag_seconds: report.secondsBehind ?? null,
    lag_bytes: report.bytesBehind ?? null,
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
