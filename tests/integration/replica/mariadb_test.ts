import { assertEquals } from "@std/assert";
import { rigTest } from "../../../scripts/test_servers/rig.ts";
import type { LaunchedServer } from "../../support/launched_server.ts";
import { startMariadb } from "../../support/mariadb.ts";
import { SharedSource56 } from "../../support/shared_mysql56.ts";
import { SharedServer } from "../../support/shared_server.ts";
import { assertSameFiles } from "../../support/source_file.ts";
import {
  dropDatabases,
  logEndOf,
  TestReplica,
} from "../../support/sql_server.ts";
import { TestKingbus } from "../../support/test_kingbus.ts";
import { TEST_TABLE } from "../../support/test_table.ts";

const source = new SharedSource56();
const replicas = new SharedServer(() => startMariadb(8093));

/**
 * Makes MariaDB follow kingbus by file and position: it does not understand
 * MySQL's GTIDs, and skips the events that have them.
 */
async function startReplica(
  replica: LaunchedServer,
  port: number,
): Promise<void> {
  await replica.run(
    `CHANGE MASTER TO MASTER_HOST = '127.0.0.1', MASTER_PORT = ${port},
     MASTER_USER = 'repl', MASTER_PASSWORD = 'replpass',
     MASTER_LOG_FILE = 'binlog.000001', MASTER_LOG_POS = 4,
     MASTER_USE_GTID = no, MASTER_CONNECT_RETRY = 1, MASTER_HEARTBEAT_PERIOD = 1`,
    "START SLAVE",
  );
}

/** A replica that has nothing and follows nobody. */
async function freshReplica(): Promise<LaunchedServer> {
  const replica = await replicas.running();
  await replica.run("STOP SLAVE", "RESET SLAVE ALL", "RESET MASTER");
  await dropDatabases(replica);
  return replica;
}

/** Compares the rows of `test.t` once the replica is where the source is. */
async function assertReplicated(
  kingbus: TestKingbus,
  replica: LaunchedServer,
): Promise<void> {
  const { fileName, position } = await logEndOf(source.server);
  await new TestReplica(replica).waitUntilAt(fileName, position);
  const sql = "SELECT id, MD5(data) FROM test.t ORDER BY id";
  assertEquals(
    (await replica.query(sql)).rows,
    (await source.server.query(sql)).rows,
  );
  await assertSameFiles(kingbus, source.onDisk);
}

await rigTest(
  "a MariaDB replica of kingbus follows a MySQL 5.6 source by file and position",
  ["mariadb", "mariadb-replica"],
  async () => {
    const replica = await freshReplica();
    await using kingbus = await TestKingbus.following(source);
    await source.run(
      TEST_TABLE,
      "INSERT INTO test.t (data) VALUES ('one'), (REPEAT('x', 100000))",
      "FLUSH LOGS",
      "BEGIN",
      "UPDATE test.t SET data = CONCAT(data, '!')",
      "DELETE FROM test.t WHERE id = 1",
      "COMMIT",
      "SET SESSION binlog_format = STATEMENT",
      "INSERT INTO test.t (data) VALUES ('statement')",
      "SET SESSION binlog_format = ROW",
    );
    await startReplica(replica, kingbus.port);
    await assertReplicated(kingbus, replica);
    await source.run("INSERT INTO test.t (data) VALUES ('more')");
    await assertReplicated(kingbus, replica);
    await replica.run("STOP SLAVE");
  },
);

await rigTest(
  "a MariaDB replica connects again, to kingbus restarted or its connection killed",
  ["mariadb", "mariadb-replica"],
  async () => {
    const replica = await freshReplica();
    await using kingbus = await TestKingbus.following(source);
    await source.run(
      TEST_TABLE,
      "INSERT INTO test.t (data) VALUES ('one')",
    );
    await startReplica(replica, kingbus.port);
    await assertReplicated(kingbus, replica);
    const [dump] = await kingbus.waitUntilDumping(1);
    await using killer = await kingbus.connect();
    await killer.query(`KILL ${dump!.connectionId}`);
    await source.run("INSERT INTO test.t (data) VALUES ('after a kill')");
    await assertReplicated(kingbus, replica);
    await kingbus.stop();
    await source.run("INSERT INTO test.t (data) VALUES ('meanwhile')");
    await kingbus.resume();
    await assertReplicated(kingbus, replica);
    await replica.run("STOP SLAVE");
  },
);
