import type { StatementContext } from "./statement_context.ts";
import { StatementCursor } from "./statement_cursor.ts";
import { StatementError, StatementFault } from "./statement_error.ts";
import { purgeLogs } from "./statement_purge.ts";
import {
  deniedUnless,
  type NeededRight,
  PURGE_LOG,
  SEE_EVENTS,
  SEE_LOG,
  SEE_REPLICAS,
  SEE_SOURCE,
} from "./statement_right.ts";
import type { StatementResult } from "./statement_result.ts";
import { tableRefusal } from "./statement_table.ts";
import { answerSelect } from "./statement_select.ts";
import { answerSet } from "./statement_set.ts";
import {
  showBinaryLogs,
  showBinaryLogStatus,
  showBinlogEvents,
  showErrors,
  showReplicas,
  showReplicaStatus,
  showStatus,
  showVariables,
  showWarnings,
} from "./statement_show.ts";

/** Answers a statement after its leading words; leaves the cursor behind it. */
type Answer = (
  cursor: StatementCursor,
  context: StatementContext,
) => StatementResult;

/**
 * Every statement that is answered, by its leading words: the union of what
 * known replicas and change-data-capture clients send. No entry's words begin
 * another's.
 */
const STATEMENTS: readonly (readonly [string, Answer, NeededRight?])[] = [
  ["SELECT", answerSelect],
  ["SET", answerSet],
  ["SHOW VARIABLES", showVariables],
  ["SHOW GLOBAL VARIABLES", showVariables],
  ["SHOW SESSION VARIABLES", showVariables],
  ["SHOW LOCAL VARIABLES", showVariables],
  ["SHOW STATUS", showStatus],
  ["SHOW GLOBAL STATUS", showStatus],
  ["SHOW SESSION STATUS", showStatus],
  ["SHOW LOCAL STATUS", showStatus],
  ["SHOW WARNINGS", showWarnings],
  ["SHOW ERRORS", showErrors],
  ["SHOW BINARY LOGS", showBinaryLogs, SEE_LOG],
  ["SHOW MASTER LOGS", showBinaryLogs, SEE_LOG],
  ["SHOW BINARY LOG STATUS", showBinaryLogStatus, SEE_LOG],
  ["SHOW MASTER STATUS", showBinaryLogStatus, SEE_LOG],
  ["SHOW BINLOG STATUS", showBinaryLogStatus, SEE_LOG],
  ["SHOW BINLOG EVENTS", showBinlogEvents, SEE_EVENTS],
  [
    "SHOW REPLICAS",
    (_cursor, context) => showReplicas(context, false),
    SEE_REPLICAS,
  ],
  [
    "SHOW SLAVE HOSTS",
    (_cursor, context) => showReplicas(context, true),
    SEE_REPLICAS,
  ],
  [
    "SHOW REPLICA STATUS",
    (cursor, context) => showReplicaStatus(cursor, context, false),
    SEE_SOURCE,
  ],
  [
    "SHOW SLAVE STATUS",
    (cursor, context) => showReplicaStatus(cursor, context, true),
    SEE_SOURCE,
  ],
  ["PURGE BINARY LOGS", purgeLogs, PURGE_LOG],
  ["PURGE MASTER LOGS", purgeLogs, PURGE_LOG],
  ["KILL", kill],
  ["USE", use],
  ["BEGIN", transaction],
  ["START TRANSACTION", transaction],
  ["COMMIT", transaction],
  ["ROLLBACK", transaction],
];

const ENTRIES = STATEMENTS.map(([words, answer, needed]) => ({
  words: words.split(" "),
  answer,
  needed,
}));

/**
 * Answers one SQL statement as a MySQL source would, as far as replicas need
 * it. A statement that is not known or is malformed is answered with an error;
 * nothing is ever thrown because of its text, and no error here ends the
 * connection.
 */
export function answerStatement(
  text: string,
  context: StatementContext,
): StatementResult {
  try {
    const cursor = new StatementCursor(text);
    if (cursor.atEnd) {
      throw new StatementError(
        StatementFault.ER_EMPTY_QUERY,
        "Query was empty",
      );
    }
    const entry = ENTRIES.find(({ words }) => cursor.takeWords(...words));
    if (entry === undefined) throw tableRefusal(text) ?? cursor.unexpected();
    return answerWithRight(entry, cursor, context);
  } catch (error) {
    return errorResult(error);
  }
}

/** What is malformed is said to be that first, and only then refused. */
function answerWithRight(
  { answer, needed }: typeof ENTRIES[number],
  cursor: StatementCursor,
  context: StatementContext,
): StatementResult {
  const refusal = deniedUnless(needed, context);
  try {
    const result = answer(cursor, context);
    cursor.expectEnd();
    if (refusal === undefined) return result;
  } catch (error) {
    const isMalformed = error instanceof StatementError &&
      error.code === StatementFault.ER_PARSE.code;
    if (refusal === undefined || isMalformed) throw error;
  }
  throw refusal;
}

/**
 * The error that a statement is answered with; throws what is none of a
 * statement's.
 */
export function errorResult(error: unknown): StatementResult {
  if (!(error instanceof StatementError)) throw error;
  const { code, sqlState, message } = error;
  return { kind: "error", code, sqlState, message };
}

function kill(cursor: StatementCursor): StatementResult {
  const queryOnly = cursor.takeAnyWord("CONNECTION", "QUERY") === "QUERY";
  return { kind: "kill", connectionId: cursor.expectInteger(), queryOnly };
}

/** Longest database name, in characters (manual: "Identifier Length Limits"). */
const DATABASE_CHARACTERS_MAX = 64;

/** `USE name`: any name is accepted, since there is nothing in any of them. */
function use(cursor: StatementCursor): StatementResult {
  const database = cursor.expectName().slice(0, DATABASE_CHARACTERS_MAX);
  return { kind: "ok", change: { database } };
}

/** Transactions begin and end without effect: nothing is ever written. */
function transaction(cursor: StatementCursor): StatementResult {
  cursor.takeWords("WORK");
  return { kind: "ok", change: {} };
}
