import type { Right } from "../config/right.ts";
import type { StatementContext } from "./statement_context.ts";
import { StatementError, StatementFault } from "./statement_error.ts";

/** What a statement or command asks of the account that sends it. */
export interface NeededRight {
  /** One of these rights is enough. */
  readonly anyOf: readonly Right[];
  /** The privileges as MySQL's error names them. */
  readonly mysql: string;
  /** The privileges as MariaDB's error names them. */
  readonly mariadb: string;
}

/** Whether the account has what is needed. */
export function hasRight(
  { anyOf }: NeededRight,
  rights: ReadonlySet<Right>,
): boolean {
  return anyOf.some((right) => rights.has(right));
}

/**
 * What an account without the right is told, with the privileges that a server
 * of that version would name (`check_global_access` in
 * `sql/auth/sql_authorization.cc`).
 */
export function denied(needed: NeededRight, version: string): StatementError {
  const privileges = version.includes("MariaDB")
    ? needed.mariadb
    : needed.mysql;
  return new StatementError(
    StatementFault.ER_ACCESS_DENIED_SPECIFIC,
    `Access denied; you need (at least one of) the ${privileges} ` +
      "privilege(s) for this operation",
  );
}

/** The error for an account that may not; undefined for one that may. */
export function deniedUnless(
  needed: NeededRight | undefined,
  { session, server }: StatementContext,
): StatementError | undefined {
  return needed === undefined || hasRight(needed, session.rights)
    ? undefined
    : denied(needed, server.version);
}

/** Where the log stands: `SHOW BINARY LOGS`, `SHOW BINARY LOG STATUS`. */
export const SEE_LOG: NeededRight = {
  anyOf: ["monitor"],
  mysql: "SUPER, REPLICATION CLIENT",
  mariadb: "SUPER, BINLOG MONITOR",
};

/** What is in the log, which whoever replicates sees anyway. */
export const SEE_EVENTS: NeededRight = {
  anyOf: ["monitor", "replicate"],
  mysql: "REPLICATION SLAVE",
  mariadb: "BINLOG MONITOR",
};

/** Who replicates from here. */
export const SEE_REPLICAS: NeededRight = {
  anyOf: ["monitor", "replicate"],
  mysql: "REPLICATION SLAVE",
  mariadb: "REPLICATION MASTER ADMIN",
};

/** How the source is followed. */
export const SEE_SOURCE: NeededRight = {
  anyOf: ["monitor"],
  mysql: "SUPER, REPLICATION CLIENT",
  mariadb: "SUPER, SLAVE MONITOR",
};

/** Removing files of the log. */
export const PURGE_LOG: NeededRight = {
  anyOf: ["admin"],
  mysql: "SUPER or BINLOG_ADMIN",
  mariadb: "SUPER, BINLOG ADMIN",
};

/** Saying which source is followed, and whether. */
export const STEER_SOURCE: NeededRight = {
  anyOf: ["admin"],
  mysql: "SUPER or REPLICATION_SLAVE_ADMIN",
  mariadb: "SUPER, REPLICATION SLAVE ADMIN",
};

/** Giving a variable another value for the sessions that come. */
export const SET_GLOBAL: NeededRight = {
  anyOf: ["admin"],
  mysql: "SUPER or SYSTEM_VARIABLES_ADMIN",
  mariadb: "SUPER",
};

/** Registering as a replica, and dumping. */
export const REPLICATE: NeededRight = {
  anyOf: ["replicate"],
  mysql: "REPLICATION SLAVE",
  mariadb: "REPLICATION SLAVE",
};
