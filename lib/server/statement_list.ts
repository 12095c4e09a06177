import type { StatementEntry } from "./statement_entry.ts";
import { showGrants } from "./statement_grants.ts";
import { killConnection } from "./statement_kill.ts";
import {
  showFullProcesslist,
  showProcesslist,
} from "./statement_processlist.ts";
import { purgeLogs } from "./statement_purge.ts";
import {
  PURGE_LOG,
  SEE_EVENTS,
  SEE_LOG,
  SEE_REPLICAS,
  SEE_SOURCE,
  STEER_SOURCE,
} from "./statement_right.ts";
import { answerSelect } from "./statement_select.ts";
import { takeTransactionWords, useDatabase } from "./statement_session.ts";
import { answerSet } from "./statement_set.ts";
import {
  showBinaryLogs,
  showBinaryLogStatus,
  showBinlogEvents,
  showDatabases,
  showErrors,
  showGlobalVariables,
  showReplicas,
  showSessionVariables,
  showSlaveHosts,
  showTables,
  showWarnings,
} from "./statement_show.ts";
import {
  changeSource,
  refuseReset,
  showAllSlavesStatus,
  showNamedSlaveStatus,
  showReplicaStatus,
  showSlaveStatus,
  startAllSlaves,
  startReplica,
  stopAllSlaves,
  stopReplica,
} from "./statement_source.ts";
import { showGlobalStatus, showSessionStatus } from "./statement_status.ts";

/**
 * Every statement that is answered: what known replicas, change-data-capture
 * clients, drivers and tools send, and what operators steer with.
 * `docs/sql.md` is written from it.
 */
export const STATEMENTS: readonly StatementEntry[] = [
  {
    words: ["SHOW BINARY LOGS", "SHOW MASTER LOGS"],
    syntax: "SHOW {BINARY | MASTER} LOGS",
    subject: "the log",
    needed: SEE_LOG,
    about:
      "The files kept, oldest first, with their sizes; `Encrypted` is always `No`, and there only where the source's version has it.",
    counters: ["Com_show_binlogs"],
    answer: showBinaryLogs,
  },
  {
    words: [
      "SHOW BINARY LOG STATUS",
      "SHOW MASTER STATUS",
      "SHOW BINLOG STATUS",
    ],
    syntax: "SHOW {BINARY LOG | MASTER | BINLOG} STATUS",
    subject: "the log",
    needed: SEE_LOG,
    about:
      "Where the log ends, and its executed GTID set. No row while it is empty.",
    counters: ["Com_show_binary_log_status", "Com_show_master_status"],
    answer: showBinaryLogStatus,
  },
  {
    words: ["SHOW BINLOG EVENTS"],
    syntax:
      "SHOW BINLOG EVENTS [IN 'file'] [FROM position] [LIMIT [offset,] count]",
    subject: "the log",
    needed: SEE_EVENTS,
    about: "The events of a file, of the oldest one if none is named.",
    counters: ["Com_show_binlog_events"],
    errors: ["ER_ERROR_WHEN_EXECUTING_COMMAND"],
    answer: showBinlogEvents,
  },
  {
    words: ["PURGE BINARY LOGS", "PURGE MASTER LOGS"],
    syntax: "PURGE {BINARY | MASTER} LOGS {TO 'file' | BEFORE time}",
    subject: "the log",
    needed: PURGE_LOG,
    about:
      "Removes the oldest files, as far as no replica needs them; what was kept is in `SHOW WARNINGS`.",
    counters: ["Com_purge"],
    errors: [
      "ER_UNKNOWN_TARGET_BINLOG",
      "ER_UNKNOWN_TIME_ZONE",
      "ER_NOT_SUPPORTED_YET",
    ],
    answer: purgeLogs,
  },
  {
    words: ["RESET MASTER", "RESET BINARY LOGS AND GTIDS"],
    syntax: "RESET {MASTER | BINARY LOGS AND GTIDS}",
    subject: "the log",
    needed: PURGE_LOG,
    about: "Refused: replicas go on reading the log that is kept.",
    counters: ["Com_reset"],
    errors: ["ER_NOT_SUPPORTED_YET"],
    answer: refuseReset,
  },
  {
    words: ["SHOW REPLICAS"],
    syntax: "SHOW REPLICAS",
    subject: "replicas and connections",
    needed: SEE_REPLICAS,
    about: "The registered replicas.",
    counters: ["Com_show_replicas", "Com_show_slave_hosts"],
    answer: showReplicas,
  },
  {
    words: ["SHOW SLAVE HOSTS", "SHOW REPLICA HOSTS"],
    syntax: "SHOW {SLAVE | REPLICA} HOSTS",
    subject: "replicas and connections",
    needed: SEE_REPLICAS,
    about: "The same under the old names.",
    counters: ["Com_show_replicas", "Com_show_slave_hosts"],
    answer: showSlaveHosts,
  },
  {
    words: ["SHOW PROCESSLIST"],
    syntax: "SHOW PROCESSLIST",
    subject: "replicas and connections",
    about:
      "All connections, `Info` cut at 100 characters; without `monitor` those of the own account. `Info` of a statement that may hold a password is its leading words.",
    counters: ["Com_show_processlist"],
    answer: showProcesslist,
  },
  {
    words: ["SHOW FULL PROCESSLIST"],
    syntax: "SHOW FULL PROCESSLIST",
    subject: "replicas and connections",
    about: "The same with the whole of `Info`.",
    counters: ["Com_show_processlist"],
    answer: showFullProcesslist,
  },
  {
    words: ["KILL"],
    syntax: "KILL [CONNECTION | QUERY] id",
    subject: "replicas and connections",
    about:
      "Ends a connection, or with QUERY its dump: one of the own account, any with `admin`.",
    counters: ["Com_kill"],
    errors: ["ER_NO_SUCH_THREAD", "ER_KILL_DENIED"],
    answer: killConnection,
  },
  {
    words: ["SHOW REPLICA STATUS"],
    syntax: "SHOW REPLICA STATUS [FOR CHANNEL '']",
    subject: "the source",
    needed: SEE_SOURCE,
    about:
      "How the source is followed, in MySQL's columns; see below. No row while no source was ever given. For a MariaDB log under MariaDB's names.",
    counters: ["Com_show_replica_status", "Com_show_slave_status"],
    errors: [
      "ER_REPLICA_CHANNEL_DOES_NOT_EXIST",
      "ER_NO_SUCH_MASTER_CONNECTION",
    ],
    answer: showReplicaStatus,
  },
  {
    words: ["SHOW SLAVE STATUS"],
    syntax: "SHOW SLAVE STATUS [FOR CHANNEL '']",
    subject: "the source",
    needed: SEE_SOURCE,
    about:
      "The same under the old names, with the columns that the source's version has.",
    counters: ["Com_show_replica_status", "Com_show_slave_status"],
    errors: [
      "ER_REPLICA_CHANNEL_DOES_NOT_EXIST",
      "ER_NO_SUCH_MASTER_CONNECTION",
    ],
    answer: showSlaveStatus,
  },
  {
    words: ["SHOW SLAVE", "SHOW REPLICA"],
    syntax: "SHOW {SLAVE | REPLICA} '' STATUS",
    subject: "the source",
    needed: SEE_SOURCE,
    about: "MariaDB's spelling of the same, of the connection without a name.",
    counters: ["Com_show_replica_status", "Com_show_slave_status"],
    errors: ["ER_NO_SUCH_MASTER_CONNECTION"],
    answer: showNamedSlaveStatus,
  },
  {
    words: ["SHOW ALL SLAVES STATUS", "SHOW ALL REPLICAS STATUS"],
    syntax: "SHOW ALL {SLAVES | REPLICAS} STATUS",
    subject: "the source",
    needed: SEE_SOURCE,
    about: "The same with MariaDB's further columns; for a MariaDB log only.",
    counters: ["Com_show_replica_status", "Com_show_slave_status"],
    answer: showAllSlavesStatus,
  },
  {
    words: ["CHANGE REPLICATION SOURCE", "CHANGE MASTER"],
    syntax:
      "CHANGE {REPLICATION SOURCE | MASTER} TO option = value [, …] [FOR CHANNEL '']",
    subject: "the source",
    needed: STEER_SOURCE,
    about:
      "Says which source to follow from the next start on; the options are below. What is not named stays.",
    counters: ["Com_change_replication_source", "Com_change_master"],
    errors: [
      "ER_REPLICA_CHANNEL_IO_THREAD_MUST_STOP",
      "ER_REPLICA_MUST_STOP",
      "ER_WRONG_ARGUMENTS",
      "ER_REPLICA_HEARTBEAT_VALUE_OUT_OF_RANGE",
      "ER_NOT_SUPPORTED_YET",
      "ER_REPLICA_CHANNEL_DOES_NOT_EXIST",
      "ER_NO_SUCH_MASTER_CONNECTION",
    ],
    answer: changeSource,
  },
  {
    words: ["START REPLICA", "START SLAVE"],
    syntax:
      "START {REPLICA | SLAVE} [IO_THREAD] [, SQL_THREAD] [FOR CHANNEL '']",
    subject: "the source",
    needed: STEER_SOURCE,
    about:
      "Begins to follow the source, now and after each restart. `SQL_THREAD` alone does nothing and says so in `SHOW WARNINGS`: there is no such thread.",
    counters: ["Com_replica_start", "Com_slave_start"],
    errors: [
      "ER_REPLICA_CONFIGURATION",
      "ER_NOT_SUPPORTED_YET",
      "ER_REPLICA_CHANNEL_DOES_NOT_EXIST",
      "ER_NO_SUCH_MASTER_CONNECTION",
    ],
    answer: startReplica,
  },
  {
    words: ["STOP REPLICA", "STOP SLAVE"],
    syntax:
      "STOP {REPLICA | SLAVE} [IO_THREAD] [, SQL_THREAD] [FOR CHANNEL '']",
    subject: "the source",
    needed: STEER_SOURCE,
    about:
      "Ends the following of the source, now and after each restart; what came is durable then. Replicas are served on.",
    counters: ["Com_replica_stop", "Com_slave_stop"],
    errors: [
      "ER_NOT_SUPPORTED_YET",
      "ER_REPLICA_CHANNEL_DOES_NOT_EXIST",
      "ER_NO_SUCH_MASTER_CONNECTION",
    ],
    answer: stopReplica,
  },
  {
    words: ["START ALL SLAVES", "START ALL REPLICAS"],
    syntax: "START ALL {SLAVES | REPLICAS}",
    subject: "the source",
    needed: STEER_SOURCE,
    about: "MariaDB's spelling of START REPLICA.",
    counters: ["Com_replica_start", "Com_slave_start"],
    errors: ["ER_REPLICA_CONFIGURATION"],
    answer: startAllSlaves,
  },
  {
    words: ["STOP ALL SLAVES", "STOP ALL REPLICAS"],
    syntax: "STOP ALL {SLAVES | REPLICAS}",
    subject: "the source",
    needed: STEER_SOURCE,
    about: "MariaDB's spelling of STOP REPLICA.",
    counters: ["Com_replica_stop", "Com_slave_stop"],
    answer: stopAllSlaves,
  },
  {
    words: ["RESET REPLICA", "RESET SLAVE"],
    syntax: "RESET {REPLICA | SLAVE} [ALL] [FOR CHANNEL '']",
    subject: "the source",
    needed: STEER_SOURCE,
    about:
      "Refused: the log is what replicas read, and the source is changed by CHANGE REPLICATION SOURCE TO.",
    counters: ["Com_reset"],
    errors: ["ER_NOT_SUPPORTED_YET"],
    answer: refuseReset,
  },
  {
    words: ["SELECT"],
    syntax:
      "SELECT expression [[AS] alias] [, …] [FROM DUAL] [LIMIT [offset,] count]",
    subject: "variables and values",
    about:
      "One row. An expression is a literal, `@variable`, `@@[GLOBAL. | SESSION.]variable`, a function below, or two of them with `=`, `<>` or `!=` between. One table can be read, with its columns, `SUBSTRING_INDEX(column, 'text', n)` or `COUNT(*)`, and WHERE: `information_schema.processlist`, or `performance_schema.processlist`.",
    counters: ["Com_select"],
    errors: [
      "ER_UNKNOWN_SYSTEM_VARIABLE",
      "ER_INCORRECT_GLOBAL_LOCAL_VAR",
      "ER_SP_DOES_NOT_EXIST",
      "ER_WRONG_PARAMETERS",
      "ER_BAD_FIELD",
      "ER_MALFORMED_GTID_SET_SPECIFICATION",
    ],
    answer: answerSelect,
  },
  {
    words: ["SET"],
    syntax:
      "SET {@variable = expression | [GLOBAL | SESSION] variable = value | NAMES charset | TRANSACTION …} [, …]",
    subject: "variables and values",
    about:
      "Sets what is the session's. A GLOBAL value of a variable that sessions may set changes nothing, since no session looks at it; it is accepted with the right `admin`, and refused with 1227 without.",
    counters: ["Com_set_option"],
    errors: [
      "ER_UNKNOWN_SYSTEM_VARIABLE",
      "ER_INCORRECT_GLOBAL_LOCAL_VAR",
      "ER_ACCESS_DENIED_SPECIFIC",
      "ER_WRONG_VALUE_FOR_VAR",
      "ER_WRONG_TYPE_FOR_VAR",
      "ER_UNKNOWN",
    ],
    answer: answerSet,
  },
  {
    words: ["SHOW VARIABLES", "SHOW SESSION VARIABLES", "SHOW LOCAL VARIABLES"],
    syntax:
      "SHOW [SESSION | LOCAL] VARIABLES [LIKE 'pattern' | WHERE condition]",
    subject: "variables and values",
    about:
      "The system variables, with what the session has set. A condition has `Variable_name` and `Value`, `=`, `<>`, `<`, `<=`, `>`, `>=`, `IS [NOT] NULL`, `[NOT] LIKE`, `[NOT] IN`, `[NOT] BETWEEN`, `AND`, `OR`, `NOT` and parentheses.",
    counters: ["Com_show_variables"],
    errors: ["ER_BAD_FIELD"],
    answer: showSessionVariables,
  },
  {
    words: ["SHOW GLOBAL VARIABLES"],
    syntax: "SHOW GLOBAL VARIABLES [LIKE 'pattern' | WHERE condition]",
    subject: "variables and values",
    about: "The same with the values that sessions begin with.",
    counters: ["Com_show_variables"],
    errors: ["ER_BAD_FIELD"],
    answer: showGlobalVariables,
  },
  {
    words: ["SHOW STATUS", "SHOW SESSION STATUS", "SHOW LOCAL STATUS"],
    syntax: "SHOW [SESSION | LOCAL] STATUS [LIKE 'pattern' | WHERE condition]",
    subject: "variables and values",
    about:
      "The status variables, with those of the session where it has own ones.",
    counters: ["Com_show_status"],
    errors: ["ER_BAD_FIELD"],
    answer: showSessionStatus,
  },
  {
    words: ["SHOW GLOBAL STATUS"],
    syntax: "SHOW GLOBAL STATUS [LIKE 'pattern' | WHERE condition]",
    subject: "variables and values",
    about: "The status variables of the server since it started.",
    counters: ["Com_show_status"],
    errors: ["ER_BAD_FIELD"],
    answer: showGlobalStatus,
  },
  {
    words: ["SHOW GRANTS"],
    syntax: "SHOW GRANTS [FOR {CURRENT_USER[()] | 'user'@'%'}]",
    subject: "the session",
    about:
      "The account's rights, as the privileges that a server of the source's version would have granted for them.",
    counters: ["Com_show_grants"],
    errors: ["ER_NONEXISTING_GRANT"],
    answer: showGrants,
  },
  {
    words: ["SHOW WARNINGS"],
    syntax: "SHOW WARNINGS [LIMIT [offset,] count]",
    subject: "the session",
    about: "What the statement before has left.",
    counters: ["Com_show_warnings"],
    answer: showWarnings,
  },
  {
    words: ["SHOW ERRORS"],
    syntax: "SHOW ERRORS [LIMIT [offset,] count]",
    subject: "the session",
    about: "Always empty.",
    counters: ["Com_show_errors"],
    answer: showErrors,
  },
  {
    words: ["SHOW DATABASES", "SHOW SCHEMAS"],
    syntax: "SHOW {DATABASES | SCHEMAS} [LIKE 'pattern']",
    subject: "the session",
    about: "No row: a binlog server has no tables.",
    counters: ["Com_show_databases"],
    answer: showDatabases,
  },
  {
    words: ["SHOW TABLES", "SHOW FULL TABLES"],
    syntax: "SHOW [FULL] TABLES [{FROM | IN} database] [LIKE 'pattern']",
    subject: "the session",
    about: "No row, as above.",
    counters: ["Com_show_tables"],
    errors: ["ER_NO_DB"],
    answer: showTables,
  },
  {
    words: ["USE"],
    syntax: "USE database",
    subject: "the session",
    about: "Any name is accepted, since there is nothing in any of them.",
    counters: ["Com_change_db"],
    answer: useDatabase,
  },
  ...(["BEGIN", "COMMIT", "ROLLBACK"] as const).map((word): StatementEntry => ({
    words: word === "BEGIN" ? [word, "START TRANSACTION"] : [word],
    syntax: word === "BEGIN"
      ? "{BEGIN [WORK] | START TRANSACTION}"
      : `${word} [WORK]`,
    subject: "the session",
    about: "Without effect: nothing is ever written.",
    counters: [`Com_${word.toLowerCase()}`],
    answer: takeTransactionWords,
  })),
];
