import { characterSetNamed } from "./client_character_set.ts";
import { isMariadb, isMysqlAtLeast } from "./server_version.ts";
import type { SqlValue } from "./sql_value.ts";
import type { StatementContext } from "./statement_context.ts";
import { StatementError, StatementFault } from "./statement_error.ts";

/** Whether `SELECT` shows a variable as text, as a number, or as 0 and 1. */
export type SystemVariableKind = "string" | "unsigned" | "boolean";

/** A system variable this server knows. */
export interface SystemVariable {
  /** Lower-case name. */
  readonly name: string;
  readonly kind: SystemVariableKind;
  /** True where a session has a value of its own, which it may set. */
  readonly settable: boolean;
  /** Whether this server has it; if absent it has. */
  readonly isThere?: (context: StatementContext) => boolean;
  /** The value as `SHOW VARIABLES` prints it; a boolean is ON or OFF. */
  read(context: StatementContext): string | null;
}

type Read = (context: StatementContext) => string | null;

/** A global variable: read only here. */
function global(
  name: string,
  kind: SystemVariableKind,
  read: Read | string,
): SystemVariable {
  const value = typeof read === "string" ? () => read : read;
  return { name, kind, settable: false, read: value };
}

/** A variable a session may set: its value is the session's or this default. */
function session(
  name: string,
  kind: SystemVariableKind,
  read: Read | string,
): SystemVariable {
  const standard = typeof read === "string" ? () => read : read;
  return {
    name,
    kind,
    settable: true,
    read: (context) => {
      const set = context.session.settings.get(name);
      return set === undefined ? standard(context) : set;
    },
  };
}

/** A variable that MySQL has and MariaDB does not. */
function ofMysql(variable: SystemVariable): SystemVariable {
  return { ...variable, isThere: ({ server }) => server.flavour === "mysql" };
}

/** A variable that MariaDB has and MySQL does not. */
function ofMariadb(variable: SystemVariable): SystemVariable {
  return { ...variable, isThere: ({ server }) => server.flavour === "mariadb" };
}

/** The collation that a server of the source's flavour has by default. */
const defaultCollation = ({ server }: StatementContext): string =>
  server.flavour === "mariadb" ? "utf8mb4_general_ci" : "utf8mb4_0900_ai_ci";

/** MariaDB has semi-synchronous replication built in, also when it is off. */
const MARIADB_SEMI_SYNC_TIMEOUT_MS = "10000";

/** What MariaDB says of semi-synchronous replication, offered or not. */
const MARIADB_SEMI_SYNC: readonly SystemVariable[] = [
  global(
    "rpl_semi_sync_master_enabled",
    "boolean",
    ({ server }) => server.semiSync === undefined ? "OFF" : "ON",
  ),
  global(
    "rpl_semi_sync_master_timeout",
    "unsigned",
    ({ server }) =>
      server.semiSync?.timeoutMs.toString() ?? MARIADB_SEMI_SYNC_TIMEOUT_MS,
  ),
  global("rpl_semi_sync_master_trace_level", "unsigned", "32"),
  global("rpl_semi_sync_master_wait_no_slave", "boolean", "ON"),
  global("rpl_semi_sync_master_wait_point", "string", "AFTER_SYNC"),
].map(ofMariadb);

/**
 * The variables of a source with the semi-sync plugin, by one pair of words.
 * The plugin with the new words came with 8.0.26, that with the old ones went
 * with 9.0; in between replicas may look for either.
 */
function semiSyncVariables(
  source: "source" | "master",
  replica: "replica" | "slave",
): SystemVariable[] {
  const isThere = ({ server }: StatementContext): boolean =>
    server.semiSync !== undefined && server.flavour === "mysql" &&
    (source === "source"
      ? isMysqlAtLeast(server.version, 8, 0, 26)
      : !isMysqlAtLeast(server.version, 9, 0, 0));
  const offer = ({ server }: StatementContext) => server.semiSync!;
  const name = (end: string): string => `rpl_semi_sync_${source}_${end}`;
  return [
    global(name("enabled"), "boolean", "ON"),
    global(
      name("timeout"),
      "unsigned",
      (context) => offer(context).timeoutMs.toString(),
    ),
    global(name("trace_level"), "unsigned", "32"),
    global(
      name(`wait_for_${replica}_count`),
      "unsigned",
      (context) => Math.max(1, offer(context).replicas).toString(),
    ),
    global(name(`wait_no_${replica}`), "boolean", "ON"),
    global(name("wait_point"), "string", "AFTER_SYNC"),
  ].map((variable) => ({ ...variable, isThere }));
}

/**
 * Whether the source keeps what GTIDs can't describe out of its log, which it
 * has to before it may have `gtid_mode=ON`. A number before 5.7.6, a word since
 * (manual: `enforce_gtid_consistency`).
 */
function gtidConsistency(): SystemVariable[] {
  return (["boolean", "string"] as const).map((kind) => ({
    ...global(
      "enforce_gtid_consistency",
      kind,
      ({ server }) => server.gtidMode === "ON" ? "ON" : "OFF",
    ),
    isThere: ({ server }) =>
      server.flavour === "mysql" &&
      isMysqlAtLeast(server.version, 5, 7, 6) === (kind === "string"),
  }));
}

/** The newest GTID of each domain of a MariaDB log. */
const mariadbPosition: Read = ({ log }) => log?.mariadb?.position() ?? "";

const sessionCharacterSet: Read = ({ session }) => session.characterSet.name;
const sessionCollation: Read = ({ session }) =>
  session.characterSet.collationName;

/**
 * Every system variable that is answered, sorted by name as `SHOW VARIABLES`
 * lists them (manual: "Server System Variables", "Replication and Binary
 * Logging Options and Variables"). The settable ones are those that known
 * clients set while they connect; setting them changes what is answered and
 * nothing else. A variable that is missing here is unknown: a replica takes an
 * unknown `rpl_semi_sync_source_enabled` for a source without semi-sync, an
 * unknown `gtid_domain_id` for one that is MySQL, and an unknown `gtid_mode`
 * and `server_uuid` for one that is MariaDB.
 */
const SYSTEM_VARIABLES: readonly SystemVariable[] = [
  session("auto_increment_increment", "unsigned", "1"),
  session("auto_increment_offset", "unsigned", "1"),
  session("autocommit", "boolean", "ON"),
  global("binlog_checksum", "string", ({ server }) => server.binlogChecksum),
  global("binlog_format", "string", ({ server }) => server.binlogFormat),
  global("binlog_row_image", "string", ({ server }) => server.binlogRowImage),
  {
    ...global(
      "binlog_row_metadata",
      "string",
      ({ server }) => server.binlogRowMetadata ?? "",
    ),
    isThere: ({ server }) => server.binlogRowMetadata !== undefined,
  },
  session("character_set_client", "string", sessionCharacterSet),
  session("character_set_connection", "string", sessionCharacterSet),
  session("character_set_database", "string", "utf8mb4"),
  session("character_set_results", "string", sessionCharacterSet),
  session("character_set_server", "string", "utf8mb4"),
  global("character_set_system", "string", "utf8mb3"),
  session("collation_connection", "string", sessionCollation),
  session("collation_database", "string", defaultCollation),
  session("collation_server", "string", defaultCollation),
  ...gtidConsistency(),
  session("foreign_key_checks", "boolean", "ON"),
  ofMariadb(global("gtid_binlog_pos", "string", mariadbPosition)),
  ofMariadb(
    global(
      "gtid_binlog_state",
      "string",
      ({ log }) => log?.mariadb?.state() ?? "",
    ),
  ),
  ofMariadb(global("gtid_current_pos", "string", mariadbPosition)),
  ofMariadb(
    session(
      "gtid_domain_id",
      "unsigned",
      ({ server }) => server.gtidDomainId ?? "0",
    ),
  ),
  ofMysql(
    global("gtid_executed", "string", ({ log }) => log?.executed() ?? ""),
  ),
  ofMariadb(global("gtid_ignore_duplicates", "boolean", "OFF")),
  ofMysql(global("gtid_mode", "string", ({ server }) => server.gtidMode)),
  ofMysql(global("gtid_purged", "string", ({ log }) => log?.purged() ?? "")),
  ofMariadb(session("gtid_seq_no", "unsigned", "0")),
  // kingbus is a replica, and has what is in its log
  ofMariadb(global("gtid_slave_pos", "string", mariadbPosition)),
  ofMariadb(
    global(
      "gtid_strict_mode",
      "boolean",
      ({ server }) => server.gtidStrictMode === true ? "ON" : "OFF",
    ),
  ),
  ...["have_openssl", "have_ssl"].map((name): SystemVariable => ({
    ...global(name, "string", ({ server }) => server.tls ? "YES" : "DISABLED"),
    // MySQL 8.4 has removed them.
    isThere: ({ server }) =>
      server.flavour === "mariadb" || !isMysqlAtLeast(server.version, 8, 4, 0),
  })),
  global("hostname", "string", ({ server }) => server.hostName),
  global("init_connect", "string", ""),
  session("interactive_timeout", "unsigned", "28800"),
  ofMariadb(session("last_gtid", "string", "")),
  global("license", "string", "Apache-2.0"),
  global("log_bin", "boolean", "ON"),
  ofMysql(global("log_replica_updates", "boolean", "ON")),
  global("log_slave_updates", "boolean", "ON"),
  session(
    "lock_wait_timeout",
    "unsigned",
    ({ server }) => server.flavour === "mariadb" ? "86400" : "31536000",
  ),
  global("lower_case_table_names", "unsigned", "0"),
  {
    // tools that read TABLE look for a table then
    ...global("master_info_repository", "string", "FILE"),
    isThere: ({ server }) =>
      !isMariadb(server.version) && !isMysqlAtLeast(server.version, 8, 3, 0),
  },
  session("max_allowed_packet", "unsigned", "1073741824"),
  global(
    "max_connections",
    "unsigned",
    ({ server }) => server.connectionsMax.toString(),
  ),
  session("max_join_size", "unsigned", "18446744073709551615"),
  session("net_buffer_length", "unsigned", "16384"),
  session("net_read_timeout", "unsigned", "30"),
  session("net_retry_count", "unsigned", "10"),
  session("net_write_timeout", "unsigned", "60"),
  global("performance_schema", "boolean", "OFF"),
  global("port", "unsigned", ({ server }) => server.port.toString()),
  {
    ...global(
      "protocol_compression_algorithms",
      "string",
      ({ server }) => [...server.compression ?? [], "uncompressed"].join(","),
    ),
    isThere: ({ server }) => isMysqlAtLeast(server.version, 8, 0, 18),
  },
  global("protocol_version", "unsigned", "10"),
  // drivers for older servers ask for these when they connect
  ...[
    session("query_cache_size", "unsigned", "0"),
    session("query_cache_type", "string", "OFF"),
  ].map((variable) => ({
    ...variable,
    isThere: ({ server }: StatementContext) =>
      !isMysqlAtLeast(server.version, 8, 0, 3),
  })),
  global("read_only", "boolean", "ON"),
  ...MARIADB_SEMI_SYNC,
  global("report_host", "string", () => null),
  global("report_port", "unsigned", ({ server }) => server.port.toString()),
  {
    ...global(
      "require_secure_transport",
      "boolean",
      ({ server }) => server.tls?.required === true ? "ON" : "OFF",
    ),
    isThere: ({ server }) => isMysqlAtLeast(server.version, 5, 7, 8),
  },
  ...semiSyncVariables("master", "slave"),
  ...semiSyncVariables("source", "replica"),
  global("server_id", "unsigned", ({ server }) => server.serverId),
  ofMysql(global("server_uuid", "string", ({ server }) => server.serverUuid)),
  ofMariadb(session("skip_replication", "boolean", "OFF")),
  session("sql_auto_is_null", "boolean", "OFF"),
  session("sql_log_bin", "boolean", "ON"),
  session("sql_mode", "string", ""),
  session("sql_notes", "boolean", "ON"),
  session("sql_quote_show_create", "boolean", "ON"),
  session("sql_safe_updates", "boolean", "OFF"),
  session("sql_select_limit", "unsigned", "18446744073709551615"),
  global("ssl_ca", "string", ({ server }) => server.tls?.files.ca ?? ""),
  global(
    "ssl_cert",
    "string",
    ({ server }) => server.tls?.files.certificate ?? "",
  ),
  global("ssl_key", "string", ({ server }) => server.tls?.files.key ?? ""),
  ofMysql(global("super_read_only", "boolean", "ON")),
  global("system_time_zone", "string", "UTC"),
  session("time_zone", "string", "SYSTEM"),
  {
    ...global(
      "tls_version",
      "string",
      ({ server }) => server.tls === undefined ? "" : "TLSv1.2,TLSv1.3",
    ),
    isThere: ({ server }) => isMysqlAtLeast(server.version, 5, 7, 10),
  },
  session("transaction_isolation", "string", "REPEATABLE-READ"),
  session("transaction_read_only", "boolean", "OFF"),
  session("tx_isolation", "string", "REPEATABLE-READ"),
  session("unique_checks", "boolean", "ON"),
  global("version", "string", ({ server }) => server.version),
  global(
    "version_comment",
    "string",
    ({ server }) => server.versionComment,
  ),
  session("wait_timeout", "unsigned", "28800"),
];

/** What a server's own character set is, which sessions begin with. */
const SERVER_CHARACTER_SET = characterSetNamed("utf8mb4")!;

/**
 * What variables are to be read with where their GLOBAL values are asked for:
 * as by a session that has set nothing.
 */
export function globalContext(context: StatementContext): StatementContext {
  return {
    ...context,
    session: {
      ...context.session,
      settings: new Map(),
      characterSet: {
        ...SERVER_CHARACTER_SET,
        collationName: defaultCollation(context),
      },
    },
  };
}

/** The system variables of this server, sorted by name. */
export function systemVariables(
  context: StatementContext,
): readonly SystemVariable[] {
  return SYSTEM_VARIABLES.filter((known) => known.isThere?.(context) ?? true);
}

/**
 * The system variable of that name, in any case.
 *
 * @throws {StatementError} 1193 if there is none
 */
export function systemVariableNamed(
  name: string,
  context: StatementContext,
): SystemVariable {
  const wanted = name.toLowerCase();
  const found = SYSTEM_VARIABLES.find((known) =>
    known.name === wanted && known.isThere?.(context) !== false
  );
  if (found === undefined) {
    throw new StatementError(
      StatementFault.ER_UNKNOWN_SYSTEM_VARIABLE,
      `Unknown system variable '${name.slice(0, 64)}'`,
    );
  }
  return found;
}

/** What `SELECT @@variable` gives: a boolean is 1 or 0. */
export function selectSystemVariable(
  variable: SystemVariable,
  context: StatementContext,
): SqlValue {
  const text = variable.read(context);
  if (text === null) return { type: "null", text: null };
  if (variable.kind === "string") return { type: "string", text };
  return {
    type: "integer",
    text: variable.kind === "unsigned" ? text : text === "ON" ? "1" : "0",
  };
}

const BOOLEAN_WORDS: Readonly<Record<string, string>> = {
  "0": "OFF",
  "1": "ON",
  false: "OFF",
  off: "OFF",
  on: "ON",
  true: "ON",
};

/**
 * The value to keep for `SET variable = value`, as `SHOW VARIABLES` prints it.
 *
 * @throws {StatementError} 1231 or 1232 for a value the variable cannot have
 */
export function settingOf(
  variable: SystemVariable,
  value: SqlValue,
): string | null {
  if (value.text === null) {
    // "no conversion", as drivers ask for it
    if (variable.name === "character_set_results") return null;
    throw wrongValue(variable, "NULL");
  }
  switch (variable.kind) {
    case "boolean": {
      const word = BOOLEAN_WORDS[value.text.toLowerCase()];
      if (word === undefined) throw wrongValue(variable, value.text);
      return word;
    }
    case "unsigned": {
      if (value.type !== "integer") {
        throw new StatementError(
          StatementFault.ER_WRONG_TYPE_FOR_VAR,
          `Incorrect argument type to variable '${variable.name}'`,
        );
      }
      return value.text.startsWith("-") ? "0" : value.text;
    }
    case "string":
      return variable.name.startsWith("character_set_")
        ? characterSetNamed(value.text)?.name ?? value.text
        : value.text;
  }
}

function wrongValue(variable: SystemVariable, value: string): StatementError {
  return new StatementError(
    StatementFault.ER_WRONG_VALUE_FOR_VAR,
    `Variable '${variable.name}' can't be set to the value of '${
      value.slice(0, 64)
    }'`,
  );
}
