import type { ColumnDefinition } from "../protocol/result_set.ts";
import type { ClientCharacterSet } from "./client_character_set.ts";
import { hasNewWords, isMariadb, isMysqlAtLeast } from "./server_version.ts";
import type {
  SourceErrorKind,
  SourceReplication,
  SourceState,
} from "./source_control.ts";
import {
  textColumn,
  thousandthsColumn,
  unsigned32Column,
  unsignedColumn,
} from "./statement_column.ts";

/** What the values of a row are made from. */
export interface StatusFacts {
  readonly source: SourceReplication;
  /** Version that replicas see, which decides words and error numbers. */
  readonly version: string;
  /** The source's `@@GLOBAL.gtid_mode`. */
  readonly gtidMode: string;
  /** Text of the executed GTID set. */
  executed(): string;
}

/** Name, kind, length in characters or digits, value. */
type StatusColumn = readonly [
  name: string,
  kind: "text" | "int" | "long" | "double",
  length: number,
  value: string | ((facts: StatusFacts) => string | null),
];

/**
 * The columns of `SHOW REPLICA STATUS` in MySQL 9.7 (manual: "SHOW REPLICA
 * STATUS Statement"). kingbus has no relay log and applies nothing, so:
 * - the relay log's columns are empty, and its position that of the source;
 * - what is received counts as executed: tools compare the two positions to see
 *   whether a replica has applied what it has;
 * - the SQL thread runs while the log is meant to be written.
 */
const MYSQL_COLUMNS: readonly StatusColumn[] = [
  ["Replica_IO_State", "text", 14, ioState],
  ["Source_Host", "text", 256, ({ source }) => source.hostname],
  ["Source_User", "text", 97, ({ source }) => source.user],
  ["Source_Port", "int", 8, ({ source }) => source.port.toString()],
  ["Connect_Retry", "int", 11, ({ source }) => `${source.connectRetryS}`],
  ["Source_Log_File", "text", 512, ({ source }) => source.file],
  ["Read_Source_Log_Pos", "long", 11, readPosition],
  ["Relay_Log_File", "text", 512, ""],
  ["Relay_Log_Pos", "long", 11, readPosition],
  ["Relay_Source_Log_File", "text", 512, ({ source }) => source.file],
  ["Replica_IO_Running", "text", 3, ioRunning],
  ["Replica_SQL_Running", "text", 3, sqlRunning],
  ["Replicate_Do_DB", "text", 20, ""],
  ["Replicate_Ignore_DB", "text", 20, ""],
  ["Replicate_Do_Table", "text", 20, ""],
  ["Replicate_Ignore_Table", "text", 23, ""],
  ["Replicate_Wild_Do_Table", "text", 24, ""],
  ["Replicate_Wild_Ignore_Table", "text", 28, ""],
  ["Last_Errno", "int", 5, "0"],
  ["Last_Error", "text", 20, ""],
  ["Skip_Counter", "int", 11, "0"],
  ["Exec_Source_Log_Pos", "long", 11, readPosition],
  ["Relay_Log_Space", "long", 11, ({ source }) => source.logBytes.toString()],
  ["Until_Condition", "text", 6, "None"],
  ["Until_Log_File", "text", 512, ""],
  ["Until_Log_Pos", "long", 11, "0"],
  [
    "Source_SSL_Allowed",
    "text",
    7,
    ({ source }) => source.tls === undefined ? "No" : "Yes",
  ],
  ["Source_SSL_CA_File", "text", 512, ({ source }) => source.tls?.ca ?? ""],
  ["Source_SSL_CA_Path", "text", 512, ""],
  [
    "Source_SSL_Cert",
    "text",
    512,
    ({ source: { tls } }) => tls?.certificate ?? "",
  ],
  ["Source_SSL_Cipher", "text", 512, ""],
  ["Source_SSL_Key", "text", 512, ({ source }) => source.tls?.key ?? ""],
  ["Seconds_Behind_Source", "long", 11, secondsBehind],
  [
    "Source_SSL_Verify_Server_Cert",
    "text",
    3,
    ({ source }) => source.tls?.verifiesIdentity ? "Yes" : "No",
  ],
  ["Last_IO_Errno", "int", 5, ioErrorNumber],
  ["Last_IO_Error", "text", 20, ({ source }) => source.fault?.message ?? ""],
  ["Last_SQL_Errno", "int", 5, "0"],
  ["Last_SQL_Error", "text", 20, ""],
  ["Replicate_Ignore_Server_Ids", "text", 512, ""],
  ["Source_Server_Id", "int", 9, ({ source }) => source.serverId || "0"],
  ["Source_UUID", "text", 36, ({ source }) => source.uuid],
  ["Source_Info_File", "text", 1024, ""],
  ["SQL_Delay", "int", 11, "0"],
  ["SQL_Remaining_Delay", "int", 9, () => null],
  ["Replica_SQL_Running_State", "text", 20, sqlState],
  // tried again without an end
  ["Source_Retry_Count", "long", 11, "0"],
  ["Source_Bind", "text", 256, ""],
  [
    "Last_IO_Error_Timestamp",
    "text",
    20,
    ({ source: { fault } }) =>
      fault === undefined ? "" : formatErrorTime(fault.at),
  ],
  ["Last_SQL_Error_Timestamp", "text", 20, ""],
  ["Source_SSL_Crl", "text", 512, ""],
  ["Source_SSL_Crlpath", "text", 512, ""],
  ["Retrieved_Gtid_Set", "text", 0, ({ source }) => source.retrieved()],
  ["Executed_Gtid_Set", "text", 0, ({ executed }) => executed()],
  ["Auto_Position", "int", 9, ({ gtidMode }) => gtidMode === "ON" ? "1" : "0"],
  ["Replicate_Rewrite_DB", "text", 24, ""],
  ["Channel_Name", "text", 192, ""],
  ["Source_TLS_Version", "text", 512, ""],
  ["Source_public_key_path", "text", 512, ""],
  // where the password can't be proved otherwise the key is asked for
  ["Get_Source_public_key", "int", 9, "1"],
  ["Network_Namespace", "text", 193, ""],
];

/** The newest column that `SHOW SLAVE STATUS` has in each older version. */
const LAST_COLUMNS: readonly (readonly [version: number[], name: string])[] = [
  [[8, 0, 0], "Network_Namespace"],
  [[5, 7, 0], "Source_TLS_Version"],
  [[0], "Auto_Position"],
];

/** MariaDB's own columns, behind those it has of MySQL (`sql/slave.cc`). */
const MARIADB_COLUMNS: readonly StatusColumn[] = [
  ...MYSQL_COLUMNS.slice(0, indexOf("Source_UUID")),
  column("Source_SSL_Crl"),
  column("Source_SSL_Crlpath"),
  [
    "Using_Gtid",
    "text",
    11,
    ({ source }) => source.mariadbPosition === "" ? "No" : "Slave_Pos",
  ],
  ["Gtid_IO_Pos", "text", 30, ({ source }) => source.mariadbPosition],
  ["Replicate_Do_Domain_Ids", "text", 512, ""],
  ["Replicate_Ignore_Domain_Ids", "text", 512, ""],
  // nothing is applied, so nothing is in parallel
  ["Parallel_Mode", "text", 12, "none"],
  column("SQL_Delay"),
  column("SQL_Remaining_Delay"),
  column("Replica_SQL_Running_State"),
  ["Slave_DDL_Groups", "long", 20, "0"],
  ["Slave_Non_Transactional_Groups", "long", 20, "0"],
  ["Slave_Transactional_Groups", "long", 20, "0"],
  ["Replicate_Rewrite_DB", "text", 23, ""],
];

/** The columns that `SHOW ALL SLAVES STATUS` adds. */
const MARIADB_ALL_COLUMNS: readonly StatusColumn[] = [
  ["Connection_name", "text", 192, ""],
  ["Slave_SQL_State", "text", 30, sqlState],
  ...MARIADB_COLUMNS,
  ["Retried_transactions", "int", 10, "0"],
  ["Max_relay_log_size", "long", 10, "0"],
  ["Executed_log_entries", "int", 10, "0"],
  ["Slave_received_heartbeats", "int", 10, "0"],
  [
    "Slave_heartbeat_period",
    "double",
    10,
    ({ source }) => (source.heartbeatMs / 1000).toFixed(3),
  ],
  ["Gtid_Slave_Pos", "text", 0, ({ source }) => source.mariadbPosition],
];

/** Which statement is answered, and as which server. */
export interface SourceStatusForm {
  /** With the words master and slave. */
  readonly oldWords: boolean;
  /** `SHOW ALL SLAVES STATUS`. */
  readonly all: boolean;
  readonly version: string;
}

/** The columns of a status statement, as a server of that version has them. */
export function sourceStatusColumns(
  form: SourceStatusForm,
  characterSet: ClientCharacterSet,
): ColumnDefinition[] {
  const oldWords = form.oldWords || isMariadb(form.version);
  return columnsOf(form).map(([modern, kind, length]) => {
    const name = oldWords ? oldName(modern) : modern;
    switch (kind) {
      case "text":
        return textColumn(name, length, characterSet);
      case "int":
        return unsigned32Column(name, length);
      case "long":
        return unsignedColumn(name, length);
      case "double":
        return thousandthsColumn(name, length);
    }
  });
}

/** The values of the one row, in the order of the columns. */
export function sourceStatusRow(
  form: SourceStatusForm,
  facts: Omit<StatusFacts, "version">,
): (string | null)[] {
  const all = { ...facts, version: form.version };
  return columnsOf(form).map(([, , , value]) =>
    typeof value === "string" ? value : value(all)
  );
}

function columnsOf(
  { oldWords, all, version }: SourceStatusForm,
): readonly StatusColumn[] {
  if (all) return MARIADB_ALL_COLUMNS;
  if (isMariadb(version)) return MARIADB_COLUMNS;
  if (!oldWords) return MYSQL_COLUMNS;
  const [, last] = LAST_COLUMNS.find(([least]) =>
    isMysqlAtLeast(version, ...least)
  )!;
  return MYSQL_COLUMNS.slice(0, indexOf(last) + 1);
}

function indexOf(name: string): number {
  return MYSQL_COLUMNS.findIndex(([known]) => known === name);
}

function column(name: string): StatusColumn {
  return MYSQL_COLUMNS[indexOf(name)]!;
}

function oldName(name: string): string {
  if (name === "Get_Source_public_key") return "Get_master_public_key";
  if (name === "Source_public_key_path") return "Master_public_key_path";
  return name.replace("Source", "Master").replace("Replica_", "Slave_");
}

/**
 * The number of an error as a replica's IO thread shows it. MySQL 8 gave those
 * that only the log sees numbers of their own (MySQL:
 * `share/messages_to_error_log.txt`).
 */
export function sourceErrorNumber(
  kind: SourceErrorKind,
  version: string,
): number {
  const isModern = isMysqlAtLeast(version, 8, 0, 0);
  switch (kind) {
    case "unreachable":
      return 2003;
    case "lost":
      return 2013;
    case "access-denied":
      return 1045;
    case "reading-log":
      return isModern ? 13114 : 1236;
    case "writing-log":
      return isModern ? 13122 : 1595;
    case "fatal":
      return isModern ? 13117 : 1593;
  }
}

function ioErrorNumber({ source, version }: StatusFacts): string {
  const { fault } = source;
  return fault === undefined
    ? "0"
    : sourceErrorNumber(fault.kind, version).toString();
}

function readPosition({ source }: StatusFacts): string {
  return source.position.toString();
}

/** States of a replica's IO thread, by its words (MySQL: "Replication I/O (Receiver) Thread States"). */
const IO_STATES: Readonly<
  Record<SourceState, readonly [newWords: string, oldWords: string]>
> = {
  stopped: ["", ""],
  failed: ["", ""],
  connecting: ["Connecting to source", "Connecting to master"],
  following: [
    "Waiting for source to send event",
    "Waiting for master to send event",
  ],
  waiting: [
    "Waiting to reconnect after a failed source event read",
    "Waiting to reconnect after a failed master event read",
  ],
};

function ioState({ source, version }: StatusFacts): string {
  return IO_STATES[source.state][hasNewWords(version) ? 0 : 1];
}

function ioRunning({ source }: StatusFacts): string {
  switch (source.state) {
    case "following":
      return "Yes";
    case "connecting":
    case "waiting":
      return "Connecting";
    case "stopped":
    case "failed":
      return "No";
  }
}

/** As with a replica, an error of the receiver does not stop the other one. */
function sqlRunning({ source }: StatusFacts): string {
  return source.state === "stopped" ? "No" : "Yes";
}

function sqlState(facts: StatusFacts): string {
  if (sqlRunning(facts) === "No") return "";
  const { version } = facts;
  if (hasNewWords(version)) {
    return "Replica has read all relay log; waiting for more updates";
  }
  return isMariadb(version) || isMysqlAtLeast(version, 5, 7, 0)
    ? "Slave has read all relay log; waiting for more updates"
    : "Slave has read all relay log; waiting for the slave I/O thread to update it";
}

function secondsBehind({ source }: StatusFacts): string | null {
  return source.secondsBehind?.toString() ?? null;
}

/** `YYMMDD hh:mm:ss`, in the server's time zone, which here is UTC. */
function formatErrorTime(at: Date): string {
  const [date, time] = at.toISOString().slice(2, 19).split("T");
  return `${date!.replaceAll("-", "")} ${time}`;
}
