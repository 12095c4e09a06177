import { assert, assertEquals } from "@std/assert";
import { ServerError } from "../../../lib/protocol/server_error.ts";
import { REPLICATION_ACCOUNT } from "../../../scripts/test_servers/mysql56.ts";
import type { ClientConnection } from "../../../lib/connection/client_connection.ts";
import type { TestApp } from "../../support/test_app.ts";

/** Purges in this order; there are the files 1 to 6. */
const PURGES = [
  "PURGE BINARY LOGS TO 'binlog.000099'",
  "PURGE BINARY LOGS TO ''",
  "PURGE BINARY LOGS TO 'binlog.000001'",
  "PURGE BINARY LOGS BEFORE '2020-01-01 00:00:00'",
  "PURGE BINARY LOGS BEFORE NOW() - INTERVAL 1 DAY",
  "PURGE BINARY LOGS BEFORE 'garbage'",
  "PURGE BINARY LOGS BEFORE '2020-13-01'",
  "PURGE BINARY LOGS BEFORE 5",
  "PURGE BINARY LOGS TO 'binlog.000003'",
  "PURGE BINARY LOGS TO 'binlog.000001'",
  "PURGE BINARY LOGS TO 'binlog.000005'",
  "PURGE BINARY LOGS BEFORE '2037-01-01'",
];

/** A server that a connection can be opened to. */
interface Connectable {
  connect(): Promise<ClientConnection>;
}

/**
 * What a server says after a statement, on a connection of its own: MySQL 5.6
 * keeps the warnings of statements long past.
 */
async function outcomeOf(
  connectable: Connectable,
  statement: string,
): Promise<unknown> {
  await using server = await connectable.connect();
  let error: unknown;
  try {
    await server.query(statement);
  } catch (thrown) {
    if (!(thrown instanceof ServerError)) throw thrown;
    error = { code: thrown.code, state: thrown.sqlState, text: thrown.message };
  }
  const warnings = error === undefined
    ? (await server.query("SHOW WARNINGS")).rows
    : [];
  const files = (await server.query("SHOW BINARY LOGS")).rows
    .map(([name, size]) => [name, size]);
  const purged = await server.query("SELECT @@GLOBAL.gtid_purged");
  return {
    statement,
    error,
    warnings,
    files,
    purged: purged.rows.flat().join().replaceAll("\n", ""),
  };
}

/** Runs purges on a source and a kingbus with its log, and compares. */
export async function assertSamePurges(
  source: Connectable,
  app: TestApp,
): Promise<void> {
  for (const statement of PURGES) {
    const expected = await outcomeOf(source, statement);
    assertEquals(await outcomeOf(app, statement), expected);
  }
  assertEquals(app.files, ["binlog.000006"]);
  await using replica = await app.connect(REPLICATION_ACCOUNT);
  try {
    await replica.query("PURGE BINARY LOGS TO 'binlog.000006'");
    assert(false, "an account that may not has purged");
  } catch (error) {
    assert(error instanceof ServerError, String(error));
    assertEquals([error.code, error.sqlState], [1227, "42000"]);
  }
}
