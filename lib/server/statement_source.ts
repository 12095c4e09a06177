import { isMariadb } from "./server_version.ts";
import type { SourceChange } from "./source_control.ts";
import type { StatementContext } from "./statement_context.ts";
import type { StatementCursor } from "./statement_cursor.ts";
import { StatementError, StatementFault } from "./statement_error.ts";
import type { StatementResult } from "./statement_result.ts";
import { sourceStatusColumns, sourceStatusRow } from "./source_status.ts";

/** A replica's port may be no larger. */
const PORT_MAX = 65_535;
/** Characters of a host name (manual: SOURCE_HOST). */
const HOST_CHARACTERS_MAX = 255;
/** Characters of an account's name (manual: SOURCE_USER). */
const USER_CHARACTERS_MAX = 96;
/** Characters of a password: MySQL keeps 32, kingbus as many as it may have. */
const PASSWORD_CHARACTERS_MAX = 256;

/** As MySQL has it, 2^32-1 ms. */
const HEARTBEAT_SECONDS_MAX = 4_294_967;
const HEARTBEAT_SECONDS_MIN = 0.1;

/** `SHOW REPLICA STATUS [FOR CHANNEL '']`. */
export function showReplicaStatus(
  cursor: StatementCursor,
  context: StatementContext,
): StatementResult {
  expectOnlyChannel(cursor);
  return sourceStatus(context, { oldWords: false, all: false });
}

/** `SHOW SLAVE STATUS [FOR CHANNEL '']`. */
export function showSlaveStatus(
  cursor: StatementCursor,
  context: StatementContext,
): StatementResult {
  expectOnlyChannel(cursor);
  return sourceStatus(context, { oldWords: true, all: false });
}

/** `SHOW SLAVE 'connection' STATUS`, after the word SLAVE. */
export function showNamedSlaveStatus(
  cursor: StatementCursor,
  context: StatementContext,
): StatementResult {
  expectOnlyConnection(cursor);
  cursor.expectWords("STATUS");
  return sourceStatus(context, { oldWords: true, all: false });
}

/** `SHOW ALL SLAVES STATUS`. */
export function showAllSlavesStatus(
  cursor: StatementCursor,
  context: StatementContext,
): StatementResult {
  // tools try this one first, to see whether the server is MariaDB's
  if (!isMariadb(context.server.version)) throw cursor.unexpected();
  return sourceStatus(context, { oldWords: true, all: true });
}

/** No row while no source was ever given, as a server that is no replica. */
function sourceStatus(
  { source, server, session, log }: StatementContext,
  words: { oldWords: boolean; all: boolean },
): StatementResult {
  const form = { ...words, version: server.version };
  const status = source();
  return {
    kind: "rows",
    columns: sourceStatusColumns(form, session.characterSet),
    rows: status === undefined ? [] : [
      sourceStatusRow(form, {
        source: status,
        gtidMode: server.gtidMode,
        executed: () => log?.executed() ?? "",
      }),
    ],
  };
}

/**
 * `START {REPLICA | SLAVE} [IO_THREAD] [, SQL_THREAD] [FOR CHANNEL '']`, after
 * those words (manual: "START REPLICA Statement").
 *
 * @throws {StatementError} 1064; 1235 for what kingbus has not, by its name
 */
export function startReplica(
  cursor: StatementCursor,
  { server }: StatementContext,
): StatementResult {
  if (isMariadb(server.version)) expectOnlyConnectionIfAny(cursor);
  const threads = takeThreads(cursor);
  if (cursor.atWords("UNTIL")) {
    throw notSupported("UNTIL", "kingbus keeps the whole log of its source");
  }
  for (const word of ["USER", "PASSWORD", "DEFAULT_AUTH", "PLUGIN_DIR"]) {
    if (!cursor.atWords(word)) continue;
    throw notSupported(
      word,
      "give the account by CHANGE REPLICATION SOURCE TO, which keeps it",
    );
  }
  expectOnlyChannel(cursor);
  return { kind: "source", action: { kind: "start", threads } };
}

/** `STOP {REPLICA | SLAVE} …`, after those words. */
export function stopReplica(
  cursor: StatementCursor,
  { server }: StatementContext,
): StatementResult {
  if (isMariadb(server.version)) expectOnlyConnectionIfAny(cursor);
  const threads = takeThreads(cursor);
  expectOnlyChannel(cursor);
  if (threads === "sql") {
    throw notSupported(
      "STOP REPLICA SQL_THREAD",
      "kingbus applies nothing, so there is no such thread: STOP REPLICA ends the following of the source",
    );
  }
  return { kind: "source", action: { kind: "stop", threads } };
}

/** `START ALL SLAVES`. */
export function startAllSlaves(): StatementResult {
  return { kind: "source", action: { kind: "start", threads: "all" } };
}

/** `STOP ALL SLAVES`. */
export function stopAllSlaves(): StatementResult {
  return { kind: "source", action: { kind: "stop", threads: "all" } };
}

/** The threads that START and STOP name. */
function takeThreads(cursor: StatementCursor): "all" | "io" | "sql" {
  let io = false;
  let sql = false;
  const takeOne = (): boolean => {
    const word = cursor.takeAnyWord("IO_THREAD", "RELAY_THREAD", "SQL_THREAD");
    if (word === "SQL_THREAD") sql = true;
    else if (word !== undefined) io = true;
    return word !== undefined;
  };
  if (takeOne()) {
    while (cursor.takeSymbol(",")) {
      if (!takeOne()) throw cursor.unexpected();
    }
  }
  if (io === sql) return "all";
  return io ? "io" : "sql";
}

/**
 * `CHANGE REPLICATION SOURCE TO option = value [, …] [FOR CHANNEL '']`, or
 * `CHANGE MASTER ['connection'] TO …`, after the word SOURCE or MASTER (manual:
 * "CHANGE REPLICATION SOURCE TO Statement"). Nothing is passed over in silence:
 * what kingbus can't do is refused by name.
 *
 * @throws {StatementError} 1064 for what is no option of any server; 1235 for
 * one that kingbus has not; 1210 for a value that can't be
 */
export function changeSource(
  cursor: StatementCursor,
  { server }: StatementContext,
): StatementResult {
  if (isMariadb(server.version)) expectOnlyConnectionIfAny(cursor);
  cursor.expectWords("TO");
  const change: { -readonly [Key in keyof SourceChange]: SourceChange[Key] } =
    {};
  const seen = new Set<string>();
  do {
    const { kind, value } = cursor.token;
    const name = value.toUpperCase();
    const option = SOURCE_OPTIONS.get(name.replace(/^MASTER_/, "SOURCE_"));
    if (kind !== "word" || option === undefined || seen.has(name)) {
      throw cursor.unexpected();
    }
    seen.add(name);
    cursor.take();
    cursor.expectSymbol("=");
    const { tls, ...read } = option.read(cursor, name, server.version);
    Object.assign(change, read);
    if (tls !== undefined) change.tls = { ...change.tls, ...tls };
  } while (cursor.takeSymbol(","));
  expectOnlyChannel(cursor);
  return { kind: "source", action: { kind: "change", change } };
}

/** An option of `CHANGE REPLICATION SOURCE TO`. */
export interface SourceOption {
  /** What it does, or why it is refused. */
  readonly about: string;
  /** Whether it is refused whatever its value is. */
  readonly refused: boolean;
  /** Reads the value; answers what it changes. */
  read(cursor: StatementCursor, name: string, version: string): SourceChange;
}

function textOption(
  key: "hostname" | "user" | "password" | "file",
  charactersMax: number,
  about: string,
): SourceOption {
  return {
    about,
    refused: false,
    read: (cursor, name) => {
      const value = cursor.expectString();
      const isEmpty = value === "" && key === "hostname";
      if (isEmpty || value.length > charactersMax) {
        throw new StatementError(
          StatementFault.ER_WRONG_ARGUMENTS,
          `Incorrect arguments to ${name}`,
        );
      }
      return { [key]: value };
    },
  };
}

function numberOption(
  key: "port" | "position",
  max: number,
  about: string,
): SourceOption {
  return {
    about,
    refused: false,
    read: (cursor, name) => {
      const value = cursor.expectInteger();
      if (value > BigInt(max)) {
        throw new StatementError(
          StatementFault.ER_WRONG_ARGUMENTS,
          `Incorrect arguments to ${name}`,
        );
      }
      return { [key]: Number(value) };
    },
  };
}

/** The name of a file for TLS. */
function fileOption(
  key: "ca" | "certificate" | "key",
  about: string,
): SourceOption {
  return {
    about,
    refused: false,
    read: (cursor) => ({ tls: { [key]: cursor.expectString() } }),
  };
}

/** 0 or 1. */
function switchOption(
  key: "enabled" | "verifiesIdentity",
  about: string,
): SourceOption {
  return {
    about,
    refused: false,
    read: (cursor) => ({ tls: { [key]: cursor.expectInteger() !== 0n } }),
  };
}

/** Seconds: from a tenth, for which a timer is good, to MySQL's longest. */
function readHeartbeatPeriod(
  cursor: StatementCursor,
  name: string,
): SourceChange {
  const { kind } = cursor.token;
  if (kind !== "integer" && kind !== "decimal") throw cursor.unexpected();
  const seconds = Number(cursor.take().value);
  if (seconds > HEARTBEAT_SECONDS_MAX) {
    throw new StatementError(
      StatementFault.ER_REPLICA_HEARTBEAT_VALUE_OUT_OF_RANGE,
      `The requested value for the heartbeat period is either negative or exceeds the maximum allowed (${HEARTBEAT_SECONDS_MAX} seconds).`,
    );
  }
  if (seconds < HEARTBEAT_SECONDS_MIN) {
    throw notSupported(
      `${name} = ${seconds}`,
      "without heartbeats, or with more of them, a source that is lost is not told from one that is idle",
    );
  }
  return { heartbeatMs: Math.round(seconds * 1000) };
}

/** An option with values that say what kingbus does anyway; others are refused. */
function fixedOption(
  allowed: readonly string[],
  about: string,
): SourceOption {
  return {
    about,
    refused: false,
    read: (cursor, name) => {
      const value = takeValue(cursor);
      if (allowed.includes(value.toUpperCase())) return {};
      throw notSupported(`${name} = ${value.slice(0, 64)}`, about);
    },
  };
}

/** An option that is refused whatever its value is. */
function refusedOption(about: string): SourceOption {
  return {
    about,
    refused: true,
    read: (cursor, name) => {
      takeValue(cursor);
      throw notSupported(name, about);
    },
  };
}

/** Takes a string, number, word or list in parentheses; its text. */
function takeValue(cursor: StatementCursor): string {
  if (cursor.takeSymbol("(")) {
    const first = cursor.token;
    while (!cursor.takeSymbol(")")) {
      if (cursor.atEnd) throw cursor.unexpected();
      cursor.take();
    }
    return `(${cursor.slice(first.start, cursor.consumedEnd - 1).trim()})`;
  }
  const sign = cursor.takeSymbol("-") ? "-" : "";
  const { kind, value } = cursor.token;
  if (kind === "string") return cursor.expectString();
  const isValue = kind === "integer" || kind === "decimal" ||
    kind === "double" || kind === "word" && sign === "";
  if (!isValue) throw cursor.unexpected();
  cursor.take();
  return sign + value;
}

const BY_CONFIGURATION =
  "it is a matter of kingbus's configuration, in the section source";

/**
 * Every option of MySQL 5.6 to 9.7 and of MariaDB, under MySQL's newer name,
 * with what kingbus makes of it.
 */
export const SOURCE_OPTIONS: ReadonlyMap<string, SourceOption> = new Map([
  [
    "SOURCE_HOST",
    textOption(
      "hostname",
      HOST_CHARACTERS_MAX,
      "The source's host name or address.",
    ),
  ],
  [
    "SOURCE_PORT",
    numberOption("port", PORT_MAX, "Its port; 3306 where none was ever given."),
  ],
  [
    "SOURCE_USER",
    textOption("user", USER_CHARACTERS_MAX, "The account on it."),
  ],
  [
    "SOURCE_PASSWORD",
    textOption(
      "password",
      PASSWORD_CHARACTERS_MAX,
      "The account's password. It is kept in the store, and shown nowhere.",
    ),
  ],
  ["SOURCE_HEARTBEAT_PERIOD", {
    about:
      "Seconds, with a fraction if need be, after which an idle source is to say that it is there; below `source.read-timeout`.",
    refused: false,
    read: readHeartbeatPeriod,
  }],
  [
    "SOURCE_SSL",
    switchOption(
      "enabled",
      "0 for connections without TLS, 1 for connections with it only.",
    ),
  ],
  [
    "SOURCE_SSL_CA",
    fileOption(
      "ca",
      "PEM file of the authorities of which one has to have signed the source's certificate.",
    ),
  ],
  [
    "SOURCE_SSL_CERT",
    fileOption("certificate", "PEM file of kingbus's own certificate."),
  ],
  ["SOURCE_SSL_KEY", fileOption("key", "PEM file of its private key.")],
  [
    "SOURCE_SSL_VERIFY_SERVER_CERT",
    switchOption(
      "verifiesIdentity",
      "1: the source's certificate has to be the host's too.",
    ),
  ],
  ...[
    "SOURCE_SSL_CAPATH",
    "SOURCE_SSL_CIPHER",
    "SOURCE_SSL_CRL",
    "SOURCE_SSL_CRLPATH",
    "SOURCE_TLS_VERSION",
    "SOURCE_TLS_CIPHERSUITES",
  ].map((name) =>
    [
      name,
      fixedOption(
        ["", "NULL"],
        "Only '': kingbus takes TLS 1.2 and 1.3 with the usual ciphers, and authorities from one file",
      ),
    ] as const
  ),
  [
    "SOURCE_LOG_FILE",
    textOption(
      "file",
      512,
      "Only what `Source_Log_File` says: kingbus goes on where its log ends.",
    ),
  ],
  [
    "SOURCE_LOG_POS",
    numberOption(
      "position",
      Number.MAX_SAFE_INTEGER,
      "Only what `Read_Source_Log_Pos` says.",
    ),
  ],
  [
    "SOURCE_AUTO_POSITION",
    fixedOption(
      ["1"],
      "Only 1: kingbus finds where another server's log goes on by GTID",
    ),
  ],
  [
    "SOURCE_USE_GTID",
    fixedOption(
      ["SLAVE_POS", "REPLICA_POS"],
      "Only slave_pos: kingbus finds where another server's log goes on by GTID",
    ),
  ],
  [
    "SOURCE_DELAY",
    fixedOption(["0"], "Only 0: kingbus keeps what comes at once"),
  ],
  [
    "SOURCE_BIND",
    fixedOption([""], "Only '': the system chooses the address"),
  ],
  [
    "GET_SOURCE_PUBLIC_KEY",
    fixedOption(["1"], "Only 1: kingbus asks for the key where it needs one"),
  ],
  [
    "IGNORE_SERVER_IDS",
    fixedOption(["()"], "Only (): kingbus keeps the whole log of its source"),
  ],
  [
    "PRIVILEGE_CHECKS_USER",
    fixedOption(["NULL"], "Only NULL: kingbus applies nothing"),
  ],
  ...[
    "ASSIGN_GTIDS_TO_ANONYMOUS_TRANSACTIONS",
    "REQUIRE_TABLE_PRIMARY_KEY_CHECK",
  ].map((name) =>
    [
      name,
      fixedOption(
        ["OFF", "STREAM"],
        "Only OFF or STREAM: kingbus changes no event and applies none",
      ),
    ] as const
  ),
  ...["REQUIRE_ROW_FORMAT", "GTID_ONLY", "SOURCE_DEMOTE_TO_SLAVE"].map((
    name,
  ) =>
    [
      name,
      fixedOption(
        ["0"],
        "Only 0: kingbus keeps the log as it is and applies nothing",
      ),
    ] as const
  ),
  ...["RELAY_LOG_FILE", "RELAY_LOG_POS"].map((name) =>
    [name, refusedOption("there is no relay log")] as const
  ),
  ...[
    "SOURCE_CONNECT_RETRY",
    "SOURCE_RETRY_COUNT",
  ].map((name) =>
    [
      name,
      refusedOption(
        "kingbus tries again without an end, after pauses that grow",
      ),
    ] as const
  ),
  ...[
    "SOURCE_COMPRESSION_ALGORITHMS",
    "SOURCE_ZSTD_COMPRESSION_LEVEL",
    "SOURCE_PUBLIC_KEY_PATH",
  ].map((name) => [name, refusedOption(BY_CONFIGURATION)] as const),
  [
    "SOURCE_CONNECTION_AUTO_FAILOVER",
    refusedOption(
      "the servers to change to by itself are source.candidates in kingbus's configuration",
    ),
  ],
  ["NETWORK_NAMESPACE", refusedOption("kingbus has the system's network")],
  ...["DO_DOMAIN_IDS", "IGNORE_DOMAIN_IDS"].map((name) =>
    [name, fixedOption(["()"], "Only (): kingbus keeps the whole log")] as const
  ),
]);

/** Statements that would change what is kept, and do not. */
export function refuseReset(
  cursor: StatementCursor,
  _context: StatementContext,
): StatementResult {
  // whatever follows, it is not done
  while (!cursor.atEnd && !cursor.atSymbol(";")) cursor.take();
  throw notSupported(
    "RESET",
    "replicas go on reading the log that is kept; to begin a new one, start kingbus with another data-dir",
  );
}

function notSupported(what: string, why: string): StatementError {
  const reason = why.replace(/\.$/, "");
  return new StatementError(
    StatementFault.ER_NOT_SUPPORTED_YET,
    `kingbus does not support '${what}': ${reason}`,
  );
}

/** There is one channel, and it has no name. */
function expectOnlyChannel(cursor: StatementCursor): void {
  if (!cursor.takeWords("FOR", "CHANNEL")) return;
  const name = cursor.expectNameOrString();
  if (name === "") return;
  throw new StatementError(
    StatementFault.ER_REPLICA_CHANNEL_DOES_NOT_EXIST,
    `Replica channel '${name.slice(0, 64)}' does not exist.`,
  );
}

/** As for MySQL's channels, of MariaDB's connections, which are named first. */
function expectOnlyConnection(cursor: StatementCursor): void {
  const name = cursor.expectString();
  if (name === "") return;
  throw new StatementError(
    StatementFault.ER_NO_SUCH_MASTER_CONNECTION,
    `There is no master connection '${name.slice(0, 64)}'`,
  );
}

function expectOnlyConnectionIfAny(cursor: StatementCursor): void {
  if (cursor.token.kind === "string") expectOnlyConnection(cursor);
}
