/**
 * The MySQL errors that answering a statement can end in: error number and
 * SQLSTATE by name (MySQL: `share/messages_to_clients.txt`).
 */
export const StatementFault = {
  ER_ACCESS_DENIED_SPECIFIC: { code: 1227, sqlState: "42000" },
  ER_BAD_FIELD: { code: 1054, sqlState: "42S22" },
  ER_EMPTY_QUERY: { code: 1065, sqlState: "42000" },
  ER_ERROR_WHEN_EXECUTING_COMMAND: { code: 1220, sqlState: "HY000" },
  ER_INCORRECT_GLOBAL_LOCAL_VAR: { code: 1238, sqlState: "HY000" },
  ER_NO_SUCH_TABLE: { code: 1146, sqlState: "42S02" },
  ER_KILL_DENIED: { code: 1095, sqlState: "HY000" },
  ER_MALFORMED_GTID_SET_SPECIFICATION: { code: 1772, sqlState: "HY000" },
  ER_NONEXISTING_GRANT: { code: 1141, sqlState: "42000" },
  ER_NOT_SUPPORTED_YET: { code: 1235, sqlState: "42000" },
  ER_NO_DB: { code: 1046, sqlState: "3D000" },
  ER_NO_SUCH_MASTER_CONNECTION: { code: 1617, sqlState: "HY000" },
  ER_NO_SUCH_THREAD: { code: 1094, sqlState: "HY000" },
  ER_PARSE: { code: 1064, sqlState: "42000" },
  ER_REPLICA_CHANNEL_DOES_NOT_EXIST: { code: 3074, sqlState: "HY000" },
  ER_REPLICA_CHANNEL_IO_THREAD_MUST_STOP: { code: 3021, sqlState: "HY000" },
  ER_REPLICA_CONFIGURATION: { code: 1200, sqlState: "HY000" },
  ER_REPLICA_HEARTBEAT_VALUE_OUT_OF_RANGE: { code: 1624, sqlState: "HY000" },
  ER_REPLICA_MUST_STOP: { code: 1198, sqlState: "HY000" },
  ER_SP_DOES_NOT_EXIST: { code: 1305, sqlState: "42000" },
  ER_UNKNOWN: { code: 1105, sqlState: "HY000" },
  ER_UNKNOWN_SYSTEM_VARIABLE: { code: 1193, sqlState: "HY000" },
  ER_UNKNOWN_TABLE: { code: 1109, sqlState: "42S02" },
  ER_UNKNOWN_TARGET_BINLOG: { code: 1373, sqlState: "HY000" },
  ER_UNKNOWN_TIME_ZONE: { code: 1298, sqlState: "HY000" },
  ER_UNSUPPORTED_PS: { code: 1295, sqlState: "HY000" },
  ER_WRONG_ARGUMENTS: { code: 1210, sqlState: "HY000" },
  ER_WRONG_PARAMETERS: { code: 1582, sqlState: "42000" },
  ER_WRONG_TYPE_FOR_VAR: { code: 1232, sqlState: "42000" },
  ER_WRONG_VALUE_FOR_VAR: { code: 1231, sqlState: "42000" },
} as const;

/** One entry of {@linkcode StatementFault}. */
export type StatementFault = typeof StatementFault[keyof typeof StatementFault];

/**
 * A statement that cannot be answered. Thrown by the parsing functions of this
 * folder and turned into an error result by `answerStatement`; it never ends
 * the connection.
 */
export class StatementError extends Error {
  override readonly name = "StatementError";
  /** MySQL error number. */
  readonly code: number;
  /** Five-character SQLSTATE. */
  readonly sqlState: string;

  constructor(fault: StatementFault, message: string) {
    super(message);
    this.code = fault.code;
    this.sqlState = fault.sqlState;
  }
}

/** What MySQL shows of the offending statement in a syntax error, in characters. */
const NEAR_CHARS_MAX = 80;

/**
 * The 1064 for a statement this server does not know or that is malformed.
 *
 * @param text The whole statement.
 * @param offset Where in it, in UTF-16 units, the part begins that was not understood.
 */
export function statementSyntaxError(
  text: string,
  offset: number,
): StatementError {
  const near = text.slice(offset, offset + NEAR_CHARS_MAX);
  let line = 1;
  for (
    let i = text.indexOf("\n");
    i >= 0 && i < offset;
    i = text.indexOf("\n", i + 1)
  ) {
    line += 1;
  }
  return new StatementError(
    StatementFault.ER_PARSE,
    "You have an error in your SQL syntax, or this statement is none that a " +
      `binlog server answers, near '${near}' at line ${line}`,
  );
}

/**
 * The 1235 for what this server knows and does not do.
 *
 * @param what The statement, or the part of it.
 * @param why One sentence, with or without its full stop.
 */
export function notSupported(what: string, why: string): StatementError {
  const reason = why.replace(/\.$/, "");
  return new StatementError(
    StatementFault.ER_NOT_SUPPORTED_YET,
    `kingbus does not support '${what}': ${reason}`,
  );
}
