import { assertEquals, assertStringIncludes } from "@std/assert";
import {
  SharedReplica56,
  SharedSource56,
} from "../../support/shared_mysql56.ts";
import { assertSameFiles } from "../../support/source_file.ts";
import { checksumTables, logEndOf } from "../../support/sql_server.ts";
import { TestKingbus } from "../../support/test_kingbus.ts";
import { TEST_TABLE } from "../../support/test_table.ts";
import { TRANSACTION_KINDS } from "../../support/transaction_kinds.ts";

const WITHOUT_GTID = [
  "--gtid-mode=OFF",
  "--enforce-gtid-consistency=OFF",
  "--binlog-checksum=NONE",
];
const source = new SharedSource56(WITHOUT_GTID);
const replica = new SharedReplica56(WITHOUT_GTID);

/** Waits until the replica has all, and compares rows and files. */
async function assertReplicated(kingbus: TestKingbus): Promise<void> {
  const { fileName, position } = await logEndOf(source.server);
  await kingbus.waitUntilAt(fileName, position);
  await replica.replica.waitUntilAt(fileName, position);
  assertEquals(
    await checksumTables(replica.server),
    await checksumTables(source.server),
  );
  await assertSameFiles(kingbus, source.onDisk);
}

/** What a source without GTIDs may log and one with GTIDs refuses. */
const KINDS: Record<string, readonly string[]> = {
  "a table made from a query": [
    "CREATE TABLE test.copy AS SELECT id, data FROM test.t",
    "CREATE TABLE test.empty AS SELECT id FROM test.t LIMIT 0",
  ],
  "transactions over tables with and without transactions": [
    "CREATE TABLE test.m (id INT PRIMARY KEY) ENGINE=MyISAM",
    "BEGIN",
    "INSERT INTO test.t (data) VALUES ('kept')",
    "INSERT INTO test.m VALUES (1)",
    "UPDATE test.t SET data = 'changed' WHERE id = 1",
    "COMMIT",
    "SET SESSION binlog_format = STATEMENT",
    "BEGIN",
    "INSERT INTO test.t (data) VALUES ('rolled back')",
    "INSERT INTO test.m VALUES (2)",
    "ROLLBACK",
    "BEGIN",
    "INSERT INTO test.m VALUES (3)",
    "INSERT INTO test.t (data) VALUES ('rolled back')",
    "SAVEPOINT s",
    "INSERT INTO test.m VALUES (4)",
    "ROLLBACK TO s",
    "COMMIT",
    "SET SESSION binlog_format = ROW",
  ],
  "temporary tables in transactions": [
    "SET SESSION binlog_format = STATEMENT",
    "BEGIN",
    "CREATE TEMPORARY TABLE test.tmp (id INT)",
    "INSERT INTO test.tmp VALUES (7)",
    "INSERT INTO test.t (data) SELECT id FROM test.tmp",
    "DROP TEMPORARY TABLE test.tmp",
    "COMMIT",
    "BEGIN",
    "CREATE TEMPORARY TABLE test.tmp (id INT)",
    "INSERT INTO test.t (data) VALUES ('rolled back')",
    "ROLLBACK",
    "DROP TEMPORARY TABLE test.tmp",
    "SET SESSION binlog_format = ROW",
  ],
};

const kinds = { ...TRANSACTION_KINDS, ...KINDS };
for (const [kind, statements] of Object.entries(kinds)) {
  if (kind.includes("GTID")) continue;
  Deno.test(`a replica without GTIDs and checksums gets ${kind}`, async () => {
    await using kingbus = await TestKingbus.following(source);
    await source.run(
      TEST_TABLE,
      "INSERT INTO test.t (data) VALUES ('one'), ('two')",
    );
    const from = { fileName: "binlog.000001", position: 4 };
    await replica.replica.start({ port: kingbus.port, from });
    await source.run(
      ...statements,
      "INSERT INTO test.t (data) VALUES ('more')",
    );
    await assertReplicated(kingbus);
    assertEquals(kingbus.executed, "");
  });
}

Deno.test("Syncer goes on with a source without GTIDs, and notices its reset", async () => {
  await source.run("CREATE TABLE test.t (id INT PRIMARY KEY)");
  await using kingbus = await TestKingbus.following(source);
  await assertSameFiles(kingbus, source.onDisk);
  await kingbus.stop();
  await source.run("INSERT INTO test.t VALUES (1)", "FLUSH LOGS");
  await kingbus.resume();
  await source.run("INSERT INTO test.t VALUES (2)");
  await assertSameFiles(kingbus, source.onDisk);
  await kingbus.stop();
  await source.run("RESET MASTER");
  await kingbus.resume();
  const { state, reason = "" } = await kingbus.waitUntilCause("reset");
  assertEquals(state, "failed");
  assertStringIncludes(reason, "kingbus has received all up to binlog.000002");
});
