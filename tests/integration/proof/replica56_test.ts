import { assert, assertEquals } from "@std/assert";
import { rigTest } from "../../../scripts/test_servers/rig.ts";
import { startMariadb } from "../../support/mariadb.ts";
import { assertSameConversations } from "../../support/recorded_pair.ts";
import {
  SharedReplica56,
  SharedSource56,
} from "../../support/shared_mysql56.ts";
import { SharedServer } from "../../support/shared_server.ts";
import {
  checksumTables,
  dropDatabases,
  executedOf,
  logEndOf,
  TestReplica,
} from "../../support/sql_server.ts";
import { TestKingbus } from "../../support/test_kingbus.ts";
import { TEST_TABLE } from "../../support/test_table.ts";
import { TRANSACTION_KINDS } from "../../support/transaction_kinds.ts";

const source = new SharedSource56();
const replica = new SharedReplica56();
const mariadbs = new SharedServer(() => startMariadb(8094));

const BEGIN = { fileName: "binlog.000001", position: 4 };

/** Writes transactions of these kinds into two files; kingbus has them all. */
async function openKingbus(kinds: readonly string[]): Promise<TestKingbus> {
  await source.run(
    TEST_TABLE,
    "INSERT INTO test.t (data) VALUES ('one'), ('two')",
    ...kinds.flatMap((kind) => TRANSACTION_KINDS[kind]!),
    "FLUSH LOGS",
    "INSERT INTO test.t (data) VALUES ('last')",
  );
  const kingbus = await TestKingbus.following(source, {
    server: { identity: "source" },
  });
  const { fileName, position } = await logEndOf(source.server);
  await kingbus.waitUntilAt(fileName, position);
  return kingbus;
}

for (const mode of ["GTID", "position"] as const) {
  Deno.test(`a MySQL 5.6 replica by ${mode} says and hears the same at kingbus and at the source, packet by packet`, async () => {
    const kinds = Object.keys(TRANSACTION_KINDS)
      .filter((kind) => !kind.includes("megabytes"));
    await using kingbus = await openKingbus(kinds);
    const expected = await checksumTables(source.server);
    const found = await assertSameConversations({
      kingbus,
      source: source.server,
      client: async ({ address, sentAll }) => {
        const from = mode === "GTID" ? {} : { from: BEGIN };
        await replica.replica.start({ port: address.port, ...from });
        await sentAll();
        await replica.replica.waitUntilHas(await executedOf(source.server));
        assertEquals(await checksumTables(replica.server), expected);
        await replica.replica.stop();
      },
      between: () => replica.replica.reset(),
    });
    assert(found.has("connection-id"));
  });
}

await rigTest(
  "a MariaDB replica of a MySQL 5.6 source by position says and hears the same at kingbus and at the source, packet by packet",
  ["mariadb"],
  async () => {
    const server = await mariadbs.running();
    const forget = async (): Promise<void> => {
      await server.run("STOP SLAVE", "RESET SLAVE ALL", "RESET MASTER");
      await dropDatabases(server);
    };
    await forget();
    // MariaDB has no XA transactions that MySQL 5.6 logs, and no GTIDs of it
    await using kingbus = await openKingbus([
      "transactions, savepoints and rollbacks",
      "statements",
      "a transaction of many rows",
    ]);
    const rows = "SELECT id, MD5(data) FROM test.t ORDER BY id";
    await assertSameConversations({
      kingbus,
      source: source.server,
      client: async ({ address, sentAll }) => {
        await server.run(
          `CHANGE MASTER TO MASTER_HOST = '127.0.0.1',
           MASTER_PORT = ${address.port}, MASTER_USER = 'repl',
           MASTER_PASSWORD = 'replpass', MASTER_LOG_FILE = 'binlog.000001',
           MASTER_LOG_POS = 4, MASTER_USE_GTID = no, MASTER_CONNECT_RETRY = 1,
           MASTER_HEARTBEAT_PERIOD = 1`,
          "START SLAVE",
        );
        await sentAll();
        const { fileName, position } = await logEndOf(source.server);
        await new TestReplica(server).waitUntilAt(fileName, position);
        assertEquals(
          (await server.query(rows)).rows,
          (await source.server.query(rows)).rows,
        );
        await server.run("STOP SLAVE");
      },
      between: forget,
    });
  },
);
