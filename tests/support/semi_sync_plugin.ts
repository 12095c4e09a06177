import { ServerError } from "../../lib/protocol/server_error.ts";
import type { LaunchedServer } from "./launched_server.ts";
import type { SqlServer } from "./sql_server.ts";

/** Error for a plugin that is there already (`ER_UDF_EXISTS`). */
const ER_UDF_EXISTS = 1125;

/**
 * Makes a MySQL 9.7 server a semi-synchronous source until it is disposed of.
 * It waits as good as for ever, unless told otherwise.
 */
export async function makeSemiSyncSource(
  server: SqlServer & Pick<LaunchedServer, "connect">,
  timeoutMs = 3_600_000,
): Promise<AsyncDisposable> {
  await installPlugin(server, "source");
  await server.query(`SET GLOBAL rpl_semi_sync_source_timeout = ${timeoutMs}`);
  await server.query("SET GLOBAL rpl_semi_sync_source_enabled = 1");
  return {
    async [Symbol.asyncDispose]() {
      // Statements of the server's own connection may be waiting.
      await using connection = await server.connect();
      await connection.query("SET GLOBAL rpl_semi_sync_source_enabled = 0");
    },
  };
}

/** Makes a MySQL 9.7 server a semi-synchronous replica, from its next start on. */
export async function makeSemiSyncReplica(server: SqlServer): Promise<void> {
  await installPlugin(server, "replica");
  await server.query("SET GLOBAL rpl_semi_sync_replica_enabled = 1");
}

async function installPlugin(
  server: SqlServer,
  side: "source" | "replica",
): Promise<void> {
  try {
    await server.query(
      `INSTALL PLUGIN rpl_semi_sync_${side} SONAME 'semisync_${side}.so'`,
    );
  } catch (error) {
    const isThere = error instanceof ServerError &&
      error.code === ER_UDF_EXISTS;
    if (!isThere) throw error;
  }
}

/** What a server counts of semi-synchronous replication, by its short name. */
export async function semiSyncStatus(
  server: SqlServer,
): Promise<Record<string, string>> {
  const { rows } = await server.query("SHOW STATUS LIKE 'Rpl_semi_sync%'");
  return Object.fromEntries(
    rows.map(([name, value]) => [
      name!.replace(/^Rpl_semi_sync_(source|replica|master|slave)_/, ""),
      value ?? "",
    ]),
  );
}
