import type { ColumnDefinition } from "../protocol/result_set.ts";
import { hasNewWords, isMariadb, isMysqlAtLeast } from "./server_version.ts";
import type { SessionProcess } from "./session_activity.ts";
import {
  integer32Column,
  integerColumn,
  longTextColumn,
  nullableTextColumn,
  textColumn,
  thousandthsColumn,
} from "./statement_column.ts";
import type { StatementContext } from "./statement_context.ts";
import type { StatementCursor } from "./statement_cursor.ts";
import type { StatementResult } from "./statement_result.ts";

/** Characters of `Info` without the word FULL. */
const INFO_CHARACTERS = 100;

/** `SHOW PROCESSLIST`: what is long is cut. */
export function showProcesslist(
  _cursor: StatementCursor,
  context: StatementContext,
): StatementResult {
  return listProcesses(context, { full: false });
}

/** `SHOW FULL PROCESSLIST`. */
export function showFullProcesslist(
  _cursor: StatementCursor,
  context: StatementContext,
): StatementResult {
  return listProcesses(context, { full: true });
}

function listProcesses(
  context: StatementContext,
  options: { full: boolean },
): StatementResult {
  return { kind: "rows", ...processTable(context, options) };
}

/**
 * All connections; without the right to monitor those of the own account.
 *
 * @param options full: with the whole of what is being answered
 */
export function processTable(
  context: StatementContext,
  { full }: { full: boolean },
): { columns: ColumnDefinition[]; rows: (string | null)[][] } {
  const { session, server } = context;
  const seesAll = session.rights.has("monitor");
  const rows = context.processes()
    .filter(({ user }) => seesAll || user === session.user)
    .map((process) => processRow(process, context, full));
  return {
    columns: processColumns(context, full),
    rows: isMariadb(server.version)
      // nothing that is done here has a progress
      ? rows.map((row) => [...row, "0.000"])
      : rows,
  };
}

function processColumns(
  { session, server }: StatementContext,
  full: boolean,
): ColumnDefinition[] {
  const { characterSet } = session;
  return [
    integerColumn("Id", 22),
    textColumn("User", 32, characterSet),
    textColumn("Host", 255, characterSet),
    nullableTextColumn("db", 64, characterSet),
    textColumn("Command", 16, characterSet),
    integer32Column("Time", 8),
    nullableTextColumn("State", 30, characterSet),
    full
      ? longTextColumn("Info", characterSet)
      : nullableTextColumn("Info", INFO_CHARACTERS, characterSet),
    ...isMariadb(server.version) ? [thousandthsColumn("Progress", 7)] : [],
  ];
}

function processRow(
  process: SessionProcess,
  { nowMs, server }: StatementContext,
  full: boolean,
): (string | null)[] {
  const { user, info, sinceMs } = process;
  const timeS = Math.max(0, Math.floor((nowMs - sinceMs) / 1000));
  return [
    process.connectionId.toString(),
    user ?? "unauthenticated user",
    process.remote,
    process.database ?? null,
    commandOf(process),
    timeS.toString(),
    stateOf(process, server.version),
    info === undefined ? null : full ? info : info.slice(0, INFO_CHARACTERS),
  ];
}

function commandOf({ activity, dump }: SessionProcess): string {
  switch (activity) {
    case "login":
      return "Connect";
    case "sleep":
      return "Sleep";
    case "query":
      return "Query";
    case "dump":
      return dump?.mode === "gtid" ? "Binlog Dump GTID" : "Binlog Dump";
  }
}

/** The texts that tools look for (manual: "Replication Source Thread States"). */
function stateOf(
  { activity, dump }: SessionProcess,
  version: string,
): string {
  switch (activity) {
    case "login":
      return isMysqlAtLeast(version, 8, 0, 0)
        ? "Receiving from client"
        : "login";
    case "sleep":
      return "";
    case "query":
      return isMariadb(version) ? "starting" : "init";
    case "dump":
      break;
  }
  if (!dump?.atEnd) {
    return hasNewWords(version)
      ? "Sending binlog event to replica"
      : "Sending binlog event to slave";
  }
  if (hasNewWords(version)) {
    return "Source has sent all binlog to replica; waiting for more updates";
  }
  return isMariadb(version) || isMysqlAtLeast(version, 5, 7, 0)
    ? "Master has sent all binlog to slave; waiting for more updates"
    : "Master has sent all binlog to slave; waiting for binlog to be updated";
}
