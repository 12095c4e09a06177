import type { PurgeAnswer } from "./log_purger.ts";
import type { StatementContext } from "./statement_context.ts";
import type { StatementCursor } from "./statement_cursor.ts";
import { StatementError, StatementFault } from "./statement_error.ts";
import type { StatementResult, StatementWarning } from "./statement_result.ts";
import { incorrectTime, parseTime } from "./statement_time.ts";

const ER_WARN_PURGE_LOG_IN_USE = 1867;
const ER_WARN_PURGE_LOG_IS_ACTIVE = 1868;

/**
 * `PURGE {BINARY | MASTER} LOGS {TO 'file' | BEFORE time}`, after the word LOGS
 * (manual: "PURGE BINARY LOGS Statement"). A time that is none removes nothing
 * and leaves a warning, as MySQL has it.
 *
 * @throws {StatementError} 1064
 */
export function purgeLogs(
  cursor: StatementCursor,
  context: StatementContext,
): StatementResult {
  if (cursor.takeWords("TO")) {
    return { kind: "purge", target: { to: cursor.expectString() } };
  }
  cursor.expectWords("BEFORE");
  const time = parseTime(cursor, context);
  if (time.kind === "time") {
    return { kind: "purge", target: { beforeMs: time.ms } };
  }
  const warnings = time.kind === "null" ? [] : [incorrectTime(time.text)];
  return { kind: "ok", change: {}, warnings };
}

/** What MySQL says when a file is asked for that the log does not have. */
export function unknownTarget(): StatementError {
  return new StatementError(
    StatementFault.ER_UNKNOWN_TARGET_BINLOG,
    "Target log not found in binlog index",
  );
}

/** The warnings of a purge that removed less than it was asked for. */
export function purgeWarnings(answer: PurgeAnswer): StatementWarning[] {
  const { heldBy, firstKept, removed, asked, keptActive } = answer;
  const first = heldBy[0];
  if (first !== undefined) {
    const why = first.kind === "connected"
      ? `it was being read by ${readersOf(answer)} thread(s)`
      : `replica ${first.name} needs ${
        first.fileName === "" ? "everything" : "it"
      }`;
    return [{
      code: ER_WARN_PURGE_LOG_IN_USE,
      message: `file ./${firstKept} was not purged because ${why}, ` +
        `purged only ${removed.length} out of ${asked} files.`,
    }];
  }
  if (!keptActive) return [];
  return [{
    code: ER_WARN_PURGE_LOG_IS_ACTIVE,
    message:
      `file ./${firstKept} was not purged because it is the active log file.`,
  }];
}

function readersOf({ heldBy, firstKept }: PurgeAnswer): number {
  return heldBy.filter(({ kind, fileName }) =>
    kind === "connected" && fileName === firstKept
  ).length;
}
