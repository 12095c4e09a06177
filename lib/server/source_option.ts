import type { SourceChange } from "./source_control.ts";
import type { StatementCursor } from "./statement_cursor.ts";
import {
  notSupported,
  StatementError,
  StatementFault,
} from "./statement_error.ts";

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

/** An option of `CHANGE REPLICATION SOURCE TO`. */
export interface SourceOption {
  /** What it does, or why it is refused. */
  readonly about: string;
  /** Whether it is refused whatever its value is. */
  readonly refused: boolean;
  /**
   * Reads the value; answers what it changes.
   *
   * @param name The option as the statement has it.
   * @throws {StatementError} 1064, 1210, 1235 or 1624 by what is wrong with it.
   */
  read(cursor: StatementCursor, name: string): SourceChange;
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
        throw wrongArguments(name);
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
        throw wrongArguments(name);
      }
      return { [key]: Number(value) };
    },
  };
}

function wrongArguments(name: string): StatementError {
  return new StatementError(
    StatementFault.ER_WRONG_ARGUMENTS,
    `Incorrect arguments to ${name}`,
  );
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
