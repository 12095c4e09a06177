import { assert, assertEquals } from "@std/assert";
import { rigTest } from "../../../scripts/test_servers/rig.ts";
import { waitUntil } from "../../../scripts/test_servers/wait_until.ts";
import type { LaunchedServer } from "../../support/launched_server.ts";
import { startMariadb } from "../../support/mariadb.ts";
import { semiSyncStatus } from "../../support/semi_sync_plugin.ts";
import {
  SharedReplica56,
  SharedSource56,
} from "../../support/shared_mysql56.ts";
import {
  checksumTables,
  executedOf,
  logEndOf,
  TestReplica,
} from "../../support/sql_server.ts";
import { TestKingbus } from "../../support/test_kingbus.ts";
import { TEST_TABLE } from "../../support/test_table.ts";
import { TRANSACTION_KINDS } from "../../support/transaction_kinds.ts";

const LARGE = ["--max-allowed-packet=64M", "--slave-max-allowed-packet=256M"];
const source = new SharedSource56(LARGE);
const replica = new SharedReplica56([
  ...LARGE,
  "--slave-compressed-protocol=1",
]);

const BOTH = { compression: ["zlib", "zstd"] } as const;
const INSERT = "INSERT INTO test.t (data) VALUES (REPEAT('some text ', 300))";
/** Its redo log has no room for such rows, so they are kept without it. */
const LARGE_ROWS = [
  "CREATE TABLE test.large_rows (data LONGBLOB) ENGINE = MyISAM",
  ...[16_777_215, 20_000_000].map((size) =>
    `INSERT INTO test.large_rows (data) VALUES (REPEAT('y', ${size}))`
  ),
];

/** The one dump of kingbus is compressed with zlib. */
async function assertCompressed(kingbus: TestKingbus): Promise<void> {
  const [status] = await kingbus.waitUntilDumping(1);
  assertEquals(status!.compression, "zlib");
}

/** Waits for three heartbeats; the connection lives on. */
async function assertHeartbeats(kingbus: TestKingbus): Promise<void> {
  const [begun] = await kingbus.waitUntilDumping(1);
  await waitUntil("heartbeats had come", () => {
    const [now] = kingbus.replicas;
    return now !== undefined && now.bytesSent >= begun!.bytesSent + 100n;
  });
  const [now] = await kingbus.waitUntilDumping(1);
  assertEquals(now!.connectionId, begun!.connectionId);
}

Deno.test("a MySQL 5.6 replica of kingbus with slave_compressed_protocol has all transactions", async () => {
  await using kingbus = await TestKingbus.following(source, { server: BOTH });
  await source.run(TEST_TABLE, ...Array<string>(50).fill(INSERT));
  await replica.replica.start({ port: kingbus.port });
  for (const statements of Object.values(TRANSACTION_KINDS)) {
    await source.run(...statements);
  }
  await source.run(...LARGE_ROWS, INSERT);
  await replica.replica.waitUntilHas(await source.executed());
  assertEquals(
    await checksumTables(replica.server),
    await checksumTables(source.server),
  );
  assertEquals(await executedOf(replica.server), await source.executed());
  await assertCompressed(kingbus);
  await assertHeartbeats(kingbus);
  await source.run(INSERT);
  await replica.replica.waitUntilHas(await source.executed());
  await replica.replica.stop();
});

Deno.test("a MySQL 5.6 replica with slave_compressed_protocol is served without where nothing is offered", async () => {
  await using kingbus = await TestKingbus.following(source, {
    server: { compression: ["zstd"] },
  });
  await source.run(TEST_TABLE, INSERT);
  await replica.replica.start({ port: kingbus.port });
  await replica.replica.waitUntilHas(await source.executed());
  const [status] = await kingbus.waitUntilDumping(1);
  assertEquals(status!.compression, undefined);
  await replica.replica.stop();
});

/** A MariaDB replica that follows kingbus by file and position. */
async function startMariadbReplica(
  server: LaunchedServer,
  port: number,
): Promise<void> {
  await server.run(
    `CHANGE MASTER TO MASTER_HOST = '127.0.0.1', MASTER_PORT = ${port},
     MASTER_USER = 'repl', MASTER_PASSWORD = 'replpass',
     MASTER_LOG_FILE = 'binlog.000001', MASTER_LOG_POS = 4,
     MASTER_USE_GTID = no, MASTER_CONNECT_RETRY = 1, MASTER_HEARTBEAT_PERIOD = 1`,
    "START SLAVE",
  );
}

await rigTest(
  "a MariaDB replica of kingbus with slave_compressed_protocol has all rows, and acknowledges",
  ["mariadb", "mariadb-replica"],
  async () => {
    await using server = await startMariadb(8099, [
      ...LARGE,
      "--slave-compressed-protocol=1",
      "--rpl-semi-sync-slave-enabled=ON",
    ]);
    await using kingbus = await TestKingbus.following(source, {
      server: { ...BOTH, semiSync: { replicas: 0, timeoutMs: 1000 } },
    });
    await source.run(TEST_TABLE, INSERT);
    await kingbus.waitUntilHas(await source.executed());
    await startMariadbReplica(server, kingbus.port);
    const follower = new TestReplica(server);
    const catchUp = async (): Promise<void> => {
      const { fileName, position } = await logEndOf(source.server);
      await follower.waitUntilAt(fileName, position);
    };
    await catchUp();
    assertEquals((await semiSyncStatus(server)).status, "ON");
    const [begun] = await kingbus.waitUntilDumping(1);
    // single ones, and many of which several are asked for in one buffer
    for (const batch of [1, 1, 40, 200, 2]) {
      await source.run(...Array<string>(batch).fill(INSERT));
      await catchUp();
    }
    await source.run(...LARGE_ROWS, INSERT);
    await catchUp();
    await waitUntil("all was acknowledged", () => {
      const acks = kingbus.replicas[0]?.acks;
      return acks !== undefined && acks.asked === acks.received &&
        acks.asked >= 240;
    });
    await assertHeartbeats(kingbus);
    await assertCompressed(kingbus);
    const [now] = await kingbus.waitUntilDumping(1);
    assertEquals(now!.connectionId, begun!.connectionId, "one connection");
    assertEquals(await follower.fault(), "");
    for (const table of ["t", "large_rows"]) {
      const sql = `SELECT MD5(data) FROM test.${table} ORDER BY 1`;
      const { rows } = await server.query(sql);
      assertEquals(rows, (await source.server.query(sql)).rows);
      assert(rows.length > 0);
    }
    await server.run("STOP SLAVE");
  },
);
