import { assertEquals } from "@std/assert";
import type { ClientConnection } from "../../../lib/connection/client_connection.ts";
import { ColumnFlag } from "../../../lib/protocol/column_type.ts";
import { readAnswer } from "../../support/result_columns.ts";
import { TestApp } from "../../support/test_app.ts";

/** A source, and how to talk to it as an account that may do everything. */
export interface ComparedServer {
  readonly port: number;
  connect(): Promise<ClientConnection>;
}

/**
 * Compares what the two declare for each statement: names, types, and whether
 * a column may be NULL.
 *
 * @param differences a column by `statement: name`, with what kingbus declares
 */
export async function compareColumns(
  server: ComparedServer,
  statements: readonly string[],
  differences: Readonly<Record<string, string>> = {},
): Promise<void> {
  await using app = await TestApp.following(server);
  await app.waitUntil(
    "kingbus knew the source",
    () => app.app.store.head !== undefined,
  );
  await using theirs = await server.connect();
  await using ours = await app.connect();
  assertEquals(ours.serverVersion, theirs.serverVersion);
  const unseen = new Set(Object.keys(differences));
  const expected: Record<string, string[]> = {};
  const declared: Record<string, string[]> = {};
  for (const statement of statements) {
    expected[statement] = (await columnsOf(theirs, statement)).map((column) => {
      const key = `${statement}: ${column.split(" ")[0]}`;
      unseen.delete(key);
      return differences[key] ?? column;
    });
    declared[statement] = await columnsOf(ours, statement);
  }
  assertEquals(declared, expected);
  assertEquals([...unseen], [], "differences that there are not");
}

/**
 * Compares what the two answer to each statement, and that they answer it.
 *
 * @param executed GTIDs that kingbus has to have before
 */
export async function compareRows(
  server: ComparedServer,
  executed: string,
  statements: readonly string[],
): Promise<void> {
  await using app = await TestApp.following(server);
  await app.waitUntilHas(executed);
  await using theirs = await server.connect();
  await using ours = await app.connect();
  for (const statement of statements) {
    const { rows } = await readAnswer(ours, statement);
    assertEquals(rows, (await readAnswer(theirs, statement)).rows, statement);
  }
}

async function columnsOf(
  client: ClientConnection,
  statement: string,
): Promise<string[]> {
  const { columns } = await readAnswer(client, statement);
  return columns.map(({ name, type, flags }) => {
    const isNotNull = (flags & ColumnFlag.NOT_NULL) !== 0;
    // the name in a heading of grants is the account's
    const shown = name.replace(/^Grants for .*/, "Grants_for");
    return `${shown} ${type}${isNotNull ? " NOT NULL" : ""}`;
  });
}

/** Statements that all versions know. */
export const COMMON_STATEMENTS: readonly string[] = [
  "SHOW BINARY LOGS",
  "SHOW BINLOG EVENTS LIMIT 1",
  "SHOW PROCESSLIST",
  "SHOW FULL PROCESSLIST",
  "SHOW VARIABLES LIKE 'server_id'",
  "SHOW GLOBAL STATUS LIKE 'Uptime'",
  "SHOW GRANTS",
  "SHOW WARNINGS",
  "SHOW ERRORS",
  "SELECT @@server_id, @@hostname, @@version_comment",
  "SELECT NOW(), UNIX_TIMESTAMP(), VERSION(), DATABASE()",
];

/** Statements that every MySQL knows, and MariaDB does not. */
export const MYSQL_STATEMENTS: readonly string[] = [
  "SELECT GTID_SUBSET('', @@global.gtid_executed), GTID_SUBTRACT('', '')",
  "SELECT @@enforce_gtid_consistency, @@max_connections, @@lock_wait_timeout",
];

/** Statements with the words that MySQL had until 8.3, and MariaDB has. */
export const OLD_STATEMENTS: readonly string[] = [
  "SHOW MASTER LOGS",
  "SHOW MASTER STATUS",
  "SHOW SLAVE HOSTS",
  "SHOW SLAVE STATUS",
];
