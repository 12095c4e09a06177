import type { ColumnDefinition } from "../protocol/result_set.ts";
import { binlogEventsError } from "./binlog_events.ts";
import { isMariadb, isMysqlAtLeast } from "./server_version.ts";
import {
  textColumn,
  unsigned32Column,
  unsignedColumn,
  variableListColumns,
} from "./statement_column.ts";
import {
  parseVariableFilter,
  type VariableRow,
} from "./statement_condition.ts";
import type { StatementContext } from "./statement_context.ts";
import type { StatementCursor } from "./statement_cursor.ts";
import { StatementError, StatementFault } from "./statement_error.ts";
import type { StatementResult, StatementWarning } from "./statement_result.ts";
import { parseLimit } from "./statement_limit.ts";
import { globalContext, systemVariables } from "./system_variable.ts";

// Characters of columns as MySQL declares them.
const FILE_NAME_CHARACTERS = 255;
const FILE_PATH_CHARACTERS = 512;
const SHORT_TEXT_CHARACTERS = 20;
const UUID_CHARACTERS = 36;
const NAME_CHARACTERS = 64;

/** `SHOW [SESSION] VARIABLES [LIKE … | WHERE …]`, after the word VARIABLES. */
export function showSessionVariables(
  cursor: StatementCursor,
  context: StatementContext,
): StatementResult {
  return showVariables(cursor, context, context);
}

/** `SHOW GLOBAL VARIABLES`: whatever the session has set. */
export function showGlobalVariables(
  cursor: StatementCursor,
  context: StatementContext,
): StatementResult {
  return showVariables(cursor, context, globalContext(context));
}

function showVariables(
  cursor: StatementCursor,
  context: StatementContext,
  readWith: StatementContext,
): StatementResult {
  const wanted = parseVariableFilter(cursor);
  const rows = systemVariables(context)
    .map((variable): VariableRow => {
      let read: string | undefined;
      return {
        name: variable.name,
        // only where it is asked for, and once: a GTID set's text is dear
        get value() {
          read ??= variable.read(readWith) ?? "";
          return read;
        },
      };
    })
    .filter(wanted)
    .map(({ name, value }) => [name, value]);
  return {
    kind: "rows",
    columns: variableListColumns(context.session.characterSet, {
      nullable: !isMariadb(context.server.version),
    }),
    rows,
  };
}

/** `SHOW ERRORS`: no statement leaves any. */
export function showErrors(
  cursor: StatementCursor,
  context: StatementContext,
): StatementResult {
  return listWarnings(cursor, context, []);
}

/** `SHOW WARNINGS`: what the statement before has left. */
export function showWarnings(
  cursor: StatementCursor,
  context: StatementContext,
): StatementResult {
  return listWarnings(cursor, context, context.session.warnings);
}

function listWarnings(
  cursor: StatementCursor,
  { session }: StatementContext,
  warnings: readonly StatementWarning[],
): StatementResult {
  const { offset, count } = parseLimit(cursor);
  return {
    kind: "rows",
    columns: [
      textColumn("Level", 7, session.characterSet),
      unsigned32Column("Code", 5),
      textColumn("Message", FILE_PATH_CHARACTERS, session.characterSet),
    ],
    rows: warnings
      .filter((_, at) => BigInt(at) >= offset && BigInt(at) < offset + count)
      .map(({ level = "Warning", code, message }) => [
        level,
        code.toString(),
        message,
      ]),
  };
}

/** `SHOW BINARY LOGS` and `SHOW MASTER LOGS`. */
export function showBinaryLogs(
  _cursor: StatementCursor,
  context: StatementContext,
): StatementResult {
  const { characterSet } = context.session;
  const columns = [
    textColumn("Log_name", FILE_NAME_CHARACTERS, characterSet),
    unsignedColumn("File_size"),
  ];
  const files = context.files();
  // MySQL has the third column since it can encrypt files, 8.0.14
  if (!isMysqlAtLeast(context.server.version, 8, 0, 14)) {
    return {
      kind: "rows",
      columns,
      rows: files.map(({ name, size }) => [name, size.toString()]),
    };
  }
  return {
    kind: "rows",
    columns: [...columns, textColumn("Encrypted", 3, characterSet)],
    rows: files.map(({ name, size }) => [name, size.toString(), "No"]),
  };
}

/** `SHOW MASTER STATUS` and `SHOW BINARY LOG STATUS`: no row while the log is empty. */
export function showBinaryLogStatus(
  _cursor: StatementCursor,
  { log, server, session }: StatementContext,
): StatementResult {
  // MariaDB's has its GTIDs in `@@gtid_binlog_pos`
  const hasGtids = !isMariadb(server.version);
  const text = (name: string, characters: number) =>
    textColumn(name, characters, session.characterSet);
  return {
    kind: "rows",
    columns: [
      text("File", FILE_PATH_CHARACTERS),
      unsignedColumn("Position"),
      text("Binlog_Do_DB", FILE_NAME_CHARACTERS),
      text("Binlog_Ignore_DB", FILE_NAME_CHARACTERS),
      ...hasGtids ? [text("Executed_Gtid_Set", 0)] : [],
    ],
    rows: log === undefined ? [] : [[
      log.fileName,
      log.position.toString(),
      "",
      "",
      ...hasGtids ? [log.executed()] : [],
    ]],
  };
}

/** Position of the first event of every file. */
const FIRST_EVENT_POSITION = 4n;

/**
 * `SHOW BINLOG EVENTS [IN 'file'] [FROM position] [LIMIT …]`. The events
 * themselves are read from the log by whoever sends the answer.
 *
 * @throws {StatementError} 1220 for an unknown file
 */
export function showBinlogEvents(
  cursor: StatementCursor,
  context: StatementContext,
): StatementResult {
  const name = cursor.takeWords("IN") ? cursor.expectString() : undefined;
  const from = cursor.takeWords("FROM")
    ? cursor.expectInteger()
    : FIRST_EVENT_POSITION;
  const { offset, count } = parseLimit(cursor);
  const columns = binlogEventColumns(context);
  const files = context.files();
  const file = name === undefined
    ? files[0]
    : files.find((stored) => stored.name === name);
  if (file === undefined && name !== undefined) {
    throw binlogEventsError("Could not find target log");
  }
  // 5.6 shows one row for LIMIT 0 and 9.7 shows all of them; this is what it says.
  if (file === undefined || count === 0n) {
    return { kind: "rows", columns, rows: [] };
  }
  const exact = Number.parseInt(context.server.version, 10) < 8;
  const request = { fileName: file.name, from, exact, offset, count };
  return { kind: "events", columns, request };
}

function binlogEventColumns({ session }: StatementContext): ColumnDefinition[] {
  const text = (name: string) =>
    textColumn(name, SHORT_TEXT_CHARACTERS, session.characterSet);
  return [
    text("Log_name"),
    unsignedColumn("Pos", 12),
    text("Event_type"),
    unsigned32Column("Server_id", 11),
    unsignedColumn("End_log_pos", 12),
    text("Info"),
  ];
}

/** `SHOW REPLICAS`. */
export function showReplicas(
  _cursor: StatementCursor,
  context: StatementContext,
): StatementResult {
  return listReplicas(context, ["Server_Id", "Source_Id", "Replica_UUID"]);
}

/** `SHOW SLAVE HOSTS`: the old names. */
export function showSlaveHosts(
  _cursor: StatementCursor,
  context: StatementContext,
): StatementResult {
  return listReplicas(context, ["Server_id", "Master_id", "Slave_UUID"]);
}

function listReplicas(
  context: StatementContext,
  [idName, sourceName, uuidName]: readonly [string, string, string],
): StatementResult {
  const { characterSet } = context.session;
  const { serverId, version } = context.server;
  // MariaDB's replicas have none
  const hasUuid = !isMariadb(version);
  return {
    kind: "rows",
    columns: [
      unsigned32Column(idName, 11),
      textColumn("Host", FILE_NAME_CHARACTERS, characterSet),
      unsigned32Column("Port", 8),
      unsigned32Column(sourceName, 11),
      ...hasUuid ? [textColumn(uuidName, UUID_CHARACTERS, characterSet)] : [],
    ],
    rows: context.replicas().map((replica) => [
      replica.serverId,
      replica.hostName,
      replica.port.toString(),
      serverId,
      ...hasUuid ? [replica.uuid] : [],
    ]),
  };
}

/** `SHOW DATABASES [LIKE …]`: there is none. */
export function showDatabases(
  cursor: StatementCursor,
  context: StatementContext,
): StatementResult {
  const pattern = takeLike(cursor);
  return nameList("Database", pattern, context);
}

/**
 * `SHOW TABLES [{FROM | IN} database] [LIKE …]`: there is none.
 *
 * @throws {StatementError} 1046 without a database
 */
export function showTables(
  cursor: StatementCursor,
  context: StatementContext,
): StatementResult {
  const named = cursor.takeAnyWord("FROM", "IN") !== undefined
    ? cursor.expectName()
    : undefined;
  const pattern = takeLike(cursor);
  const database = named ?? context.session.database;
  if (database === undefined) {
    throw new StatementError(
      StatementFault.ER_NO_DB,
      "No database selected",
    );
  }
  return nameList(`Tables_in_${database}`, pattern, context);
}

function takeLike(cursor: StatementCursor): string | undefined {
  return cursor.takeWords("LIKE") ? cursor.expectString() : undefined;
}

function nameList(
  title: string,
  pattern: string | undefined,
  { session }: StatementContext,
): StatementResult {
  const name = pattern === undefined ? title : `${title} (${pattern})`;
  return {
    kind: "rows",
    columns: [
      textColumn(name.slice(0, 128), NAME_CHARACTERS, session.characterSet),
    ],
    rows: [],
  };
}
