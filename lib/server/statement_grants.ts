import type { Right } from "../config/right.ts";
import { isMariadb, isMysqlAtLeast } from "./server_version.ts";
import { textColumn } from "./statement_column.ts";
import type { StatementContext } from "./statement_context.ts";
import type { StatementCursor } from "./statement_cursor.ts";
import { StatementError, StatementFault } from "./statement_error.ts";
import type { StatementResult } from "./statement_result.ts";

/** Characters of a grant, as MySQL declares them. */
const GRANT_CHARACTERS = 1024;

/**
 * `SHOW GRANTS [FOR CURRENT_USER | 'user'[@'%']]`: the rights of the asking
 * account as the privileges that a server of the source's version would have
 * granted for them (manual: "SHOW GRANTS Statement").
 *
 * @throws {StatementError} 1141 for another account
 */
export function showGrants(
  cursor: StatementCursor,
  { session, server }: StatementContext,
): StatementResult {
  if (cursor.takeWords("FOR")) {
    const name = takeAccount(cursor, session.user);
    if (name.user !== session.user || name.host !== "%") {
      throw new StatementError(
        StatementFault.ER_NONEXISTING_GRANT,
        `There is no such grant defined for user '${
          name.user.slice(0, 64)
        }' on host '${name.host.slice(0, 64)}'`,
      );
    }
  }
  // MySQL before 8.0 has other quotes
  const quote = isMariadb(server.version) ||
      isMysqlAtLeast(server.version, 8, 0, 0)
    ? "`"
    : "'";
  const account = [session.user, "%"]
    .map((name) => quote + name.replaceAll(quote, quote + quote) + quote)
    .join("@");
  return {
    kind: "rows",
    columns: [
      textColumn(
        `Grants for ${session.user}@%`,
        GRANT_CHARACTERS,
        session.characterSet,
      ),
    ],
    rows: grantsOf(session.rights, server.version).map((
      privileges,
    ) => [`GRANT ${privileges} ON *.* TO ${account}`]),
  };
}

function takeAccount(
  cursor: StatementCursor,
  self: string,
): { user: string; host: string } {
  if (cursor.takeWords("CURRENT_USER")) {
    if (cursor.takeSymbol("(")) cursor.expectSymbol(")");
    return { user: self, host: "%" };
  }
  const user = cursor.expectNameOrString();
  // `@'%'` and `@host` read as user variables
  const { kind, value } = cursor.token;
  if (kind !== "user-variable") return { user, host: "%" };
  cursor.take();
  return { user, host: value };
}

/** What follows GRANT in each row. */
function grantsOf(rights: ReadonlySet<Right>, version: string): string[] {
  const mariadb = isMariadb(version);
  const dynamic = isMysqlAtLeast(version, 8, 0, 0);
  const privileges = [
    ...rights.has("monitor") ? ["PROCESS"] : [],
    ...rights.has("admin") && !mariadb && !dynamic ? ["SUPER"] : [],
    ...rights.has("replicate") ? ["REPLICATION SLAVE"] : [],
    ...!rights.has("monitor")
      ? []
      : mariadb
      ? ["BINLOG MONITOR", "SLAVE MONITOR", "REPLICATION MASTER ADMIN"]
      : ["REPLICATION CLIENT"],
    ...rights.has("admin") && mariadb
      ? ["BINLOG ADMIN", "CONNECTION ADMIN", "REPLICATION SLAVE ADMIN"]
      : [],
  ];
  const first = privileges.length === 0 ? "USAGE" : privileges.join(", ");
  return rights.has("admin") && dynamic
    ? [first, "BINLOG_ADMIN,CONNECTION_ADMIN,REPLICATION_SLAVE_ADMIN"]
    : [first];
}
