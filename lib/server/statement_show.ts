import type { ColumnDefinition } from "../protocol/result_set.ts";
import { binlogEventsError } from "./binlog_events.ts";
import { replicaStatusColumns } from "./replica_status_columns.ts";
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
import type { StatementResult, StatementWarning } from "./statement_result.ts";
import { parseLimit } from "./statement_select.ts";
import { systemVariables } from "./system_variable.ts";

// Characters of columns as MySQL declares them.
const FILE_NAME_CHARACTERS = 255;
const FILE_PATH_CHARACTERS = 512;
const SHORT_TEXT_CHARACTERS = 20;
const UUID_CHARACTERS = 36;

/** `SHOW VARIABLES [LIKE … | WHERE …]`, after the word VARIABLES. */
export function showVariables(
  cursor: StatementCursor,
  context: StatementContext,
): StatementResult {
  const wanted = parseVariableFilter(cursor);
  const rows = systemVariables(context)
    .map((variable): VariableRow => ({
      name: variable.name,
      // read only where it is asked for: a GTID set's text is dear
      get value() {
        return variable.read(context) ?? "";
      },
    }))
    .filter(wanted)
    .map(({ name, value }) => [name, value]);
  return {
    kind: "rows",
    columns: variableListColumns(context.session.characterSet),
    rows,
  };
}

/** `SHOW STATUS [LIKE … | WHERE …]`: there are no status variables. */
export function showStatus(
  cursor: StatementCursor,
  context: StatementContext,
): StatementResult {
  parseVariableFilter(cursor);
  return {
    kind: "rows",
    columns: variableListColumns(context.session.characterSet),
    rows: [],
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
      .map(({ code, message }) => ["Warning", code.toString(), message]),
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
  if (!hasEncryptedColumn(context.server.version)) {
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

function hasEncryptedColumn(version: string): boolean {
  return Number.parseInt(version, 10) >= 8 && !version.includes("MariaDB");
}

/** `SHOW MASTER STATUS` and `SHOW BINARY LOG STATUS`: no row while the log is empty. */
export function showBinaryLogStatus(
  _cursor: StatementCursor,
  { log, session }: StatementContext,
): StatementResult {
  const text = (name: string, characters: number) =>
    textColumn(name, characters, session.characterSet);
  return {
    kind: "rows",
    columns: [
      text("File", FILE_PATH_CHARACTERS),
      unsignedColumn("Position"),
      text("Binlog_Do_DB", FILE_NAME_CHARACTERS),
      text("Binlog_Ignore_DB", FILE_NAME_CHARACTERS),
      text("Executed_Gtid_Set", 0),
    ],
    rows: log === undefined
      ? []
      : [[log.fileName, log.position.toString(), "", "", log.executed()]],
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

/** `SHOW REPLICAS`, or with the old names `SHOW SLAVE HOSTS`. */
export function showReplicas(
  context: StatementContext,
  oldNames: boolean,
): StatementResult {
  const { characterSet } = context.session;
  const names = oldNames
    ? ["Server_id", "Master_id", "Slave_UUID"] as const
    : ["Server_Id", "Source_Id", "Replica_UUID"] as const;
  const sourceId = context.server.serverId;
  return {
    kind: "rows",
    columns: [
      unsigned32Column(names[0], 11),
      textColumn("Host", FILE_NAME_CHARACTERS, characterSet),
      unsigned32Column("Port", 8),
      unsigned32Column(names[1], 11),
      textColumn(names[2], UUID_CHARACTERS, characterSet),
    ],
    rows: context.replicas().map((replica) => [
      replica.serverId,
      replica.hostName,
      replica.port.toString(),
      sourceId,
      replica.uuid,
    ]),
  };
}

/**
 * `SHOW REPLICA STATUS` and `SHOW SLAVE STATUS`: no row, since towards its
 * replicas this server is a source and has none of its own.
 */
export function showReplicaStatus(
  cursor: StatementCursor,
  context: StatementContext,
  oldNames: boolean,
): StatementResult {
  if (cursor.takeWords("FOR", "CHANNEL")) cursor.expectString();
  return {
    kind: "rows",
    columns: replicaStatusColumns(context.session.characterSet, oldNames),
    rows: [],
  };
}
