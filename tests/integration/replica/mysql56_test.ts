import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { waitUntil } from "../../../scripts/test_servers/wait_until.ts";
import {
  SharedReplica56,
  SharedSource56,
} from "../../support/shared_mysql56.ts";
import { assertSameFiles } from "../../support/source_file.ts";
import {
  binlogsOf,
  checksumTables,
  executedOf,
} from "../../support/sql_server.ts";
import { TestKingbus } from "../../support/test_kingbus.ts";

const LARGE = ["--max-allowed-packet=64M", "--slave-max-allowed-packet=256M"];
const source = new SharedSource56(LARGE);
const replica = new SharedReplica56(LARGE);

/**
 * Waits until the replica has all that the source has, then compares every row
 * of every table, and kingbus's files with the source's.
 */
async function assertReplicated(kingbus: TestKingbus): Promise<void> {
  await replica.replica.waitUntilHas(await source.executed());
  assertEquals(
    await checksumTables(replica.server),
    await checksumTables(source.server),
  );
  assertEquals(await executedOf(replica.server), await source.executed());
  await assertSameFiles(kingbus, source.onDisk);
}

/** Makes `test.t` and puts two rows into it. */
async function writeSome(): Promise<void> {
  await source.run(
    "CREATE TABLE test.t (id INT AUTO_INCREMENT PRIMARY KEY, data LONGBLOB)",
    "INSERT INTO test.t (data) VALUES ('one'), ('two')",
  );
}

/** Puts one more row into it. */
async function writeMore(): Promise<void> {
  await source.run("INSERT INTO test.t (data) VALUES ('more')");
}

/** Transactions of every kind that a source may log. */
const KINDS: Record<string, string[]> = {
  "DDL": [
    "CREATE DATABASE other",
    "CREATE TABLE other.t (id INT PRIMARY KEY, name VARCHAR(20)) CHARSET utf8",
    "ALTER TABLE other.t ADD COLUMN n INT NOT NULL DEFAULT 5, ADD INDEX (n)",
    "CREATE TABLE other.m (id INT) ENGINE=MyISAM",
    "INSERT INTO other.m VALUES (1), (2)",
    "TRUNCATE other.m",
    "CREATE VIEW other.v AS SELECT id FROM other.t",
    "CREATE TRIGGER other.g BEFORE INSERT ON other.t FOR EACH ROW SET NEW.n = 7",
    "INSERT INTO other.t (id, name) VALUES (1, 'naïve ∑')",
    "DROP VIEW other.v",
    "RENAME TABLE other.m TO other.n",
    "DROP TABLE other.n",
  ],
  "transactions, savepoints and rollbacks": [
    "BEGIN",
    "INSERT INTO test.t (data) VALUES ('a')",
    "SAVEPOINT one",
    "INSERT INTO test.t (data) VALUES ('never')",
    "ROLLBACK TO one",
    "INSERT INTO test.t (data) VALUES ('b')",
    "SAVEPOINT two",
    "RELEASE SAVEPOINT two",
    "COMMIT",
    "BEGIN",
    "INSERT INTO test.t (data) VALUES ('never')",
    "ROLLBACK",
    "UPDATE test.t SET data = CONCAT(data, '!')",
    "DELETE FROM test.t WHERE id = 1",
  ],
  "a rollback that cannot take a table along": [
    "CREATE TABLE test.m (id INT PRIMARY KEY) ENGINE=MyISAM",
    "SET SESSION binlog_format = MIXED",
    "BEGIN",
    "INSERT INTO test.t (data) VALUES ('never')",
    "ROLLBACK",
    "INSERT INTO test.m VALUES (1)",
    "SET SESSION binlog_format = ROW",
  ],
  "statements": [
    "SET SESSION binlog_format = STATEMENT",
    "INSERT INTO test.t (data) VALUES ('statement')",
    "SET @name = 'user variable'",
    "SET INSERT_ID = 500",
    "INSERT INTO test.t (data) VALUES (@name)",
    "INSERT INTO test.t (data) VALUES (RAND())",
    "BEGIN",
    "INSERT INTO test.t (data) VALUES (NOW())",
    "UPDATE test.t SET data = CONCAT(data, LAST_INSERT_ID())",
    "COMMIT",
    "SET SESSION binlog_format = ROW",
  ],
  "row images and the query beside them": [
    "SET SESSION binlog_rows_query_log_events = ON",
    "SET SESSION binlog_row_image = MINIMAL",
    "UPDATE test.t SET data = 'minimal' WHERE id = 1",
    "SET SESSION binlog_row_image = FULL",
    "SET SESSION binlog_rows_query_log_events = OFF",
  ],
  "XA transactions": [
    "XA START 'one'",
    "INSERT INTO test.t (data) VALUES ('xa')",
    "XA END 'one'",
    "XA PREPARE 'one'",
    "XA COMMIT 'one'",
    "XA START 'two'",
    "INSERT INTO test.t (data) VALUES ('xa, one phase')",
    "XA END 'two'",
    "XA COMMIT 'two' ONE PHASE",
    "XA START 'three'",
    "INSERT INTO test.t (data) VALUES ('never')",
    "XA END 'three'",
    "XA PREPARE 'three'",
    "XA ROLLBACK 'three'",
  ],
  "temporary tables": [
    "CREATE TEMPORARY TABLE test.tmp (id INT)",
    "INSERT INTO test.tmp VALUES (1), (2)",
    "INSERT INTO test.t (data) SELECT id FROM test.tmp",
    "DROP TEMPORARY TABLE test.tmp",
  ],
  "GTIDs of another server, with gaps, and empty ones": [
    "SET gtid_next = 'aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee:5'",
    "INSERT INTO test.t (data) VALUES ('foreign')",
    "SET gtid_next = 'aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee:7'",
    "BEGIN",
    "COMMIT",
    "SET gtid_next = 'AUTOMATIC'",
  ],
  "a transaction of many rows": [
    "INSERT INTO test.t (data) VALUES " +
    Array.from({ length: 5000 }, (_, n) => `('row ${n}')`).join(", "),
    "UPDATE test.t SET data = CONCAT(data, ' changed')",
    "DELETE FROM test.t WHERE id % 3 = 0",
  ],
  "rows of many megabytes": [
    // InnoDB takes no more than a tenth of its log in a transaction
    "CREATE TABLE test.m (data LONGBLOB) ENGINE=MyISAM",
    "INSERT INTO test.m VALUES (REPEAT('x', 3000000)), ('small')",
    "UPDATE test.m SET data = CONCAT(data, REPEAT('y', 2000000))",
    "DELETE FROM test.m WHERE LENGTH(data) > 3000000",
  ],
};

for (const [kind, statements] of Object.entries(KINDS)) {
  Deno.test(`a 5.6 replica of kingbus gets ${kind}`, async () => {
    await using kingbus = await TestKingbus.following(source);
    await replica.replica.start({ port: kingbus.port });
    await writeSome();
    await source.run(...statements);
    await writeMore();
    await assertReplicated(kingbus);
  });
}

Deno.test("a 5.6 replica of kingbus gets what LOAD DATA loads", async () => {
  await using kingbus = await TestKingbus.following(source);
  await replica.replica.start({ port: kingbus.port });
  await writeSome();
  const file = `${source.server.dir}/rows.txt`;
  const rows = Array.from({ length: 2000 }, (_, n) => `${n + 10}\trow ${n}\n`);
  await Deno.writeTextFile(file, rows.join(""));
  for (const format of ["STATEMENT", "ROW"]) {
    await source.run(
      `SET SESSION binlog_format = ${format}`,
      `LOAD DATA INFILE '${file}' INTO TABLE test.t`,
      "DELETE FROM test.t WHERE id > 2",
      `LOAD DATA INFILE '${file}' INTO TABLE test.t`,
      "UPDATE test.t SET id = id + 10000 WHERE id > 2",
    );
  }
  await assertReplicated(kingbus);
});

Deno.test("a 5.6 replica of kingbus gets a row event of more than 16 MB", async () => {
  await using kingbus = await TestKingbus.following(source);
  await replica.replica.start({ port: kingbus.port });
  await source.run(
    "CREATE TABLE test.t (data LONGBLOB) ENGINE=MyISAM",
    "INSERT INTO test.t VALUES (REPEAT('x', 1000))",
  );
  const overhead = await largestEvent() - 1000;
  // an event that fills its packet exactly is followed by an empty packet
  const full = 0xff_ffff - "\0".length - overhead;
  for (const bytes of [full - 1, full, full + 1, 40_000_000]) {
    await source.run(`INSERT INTO test.t VALUES (REPEAT('y', ${bytes}))`);
    assertEquals(await largestEvent(), bytes + overhead);
  }
  await source.run("DELETE FROM test.t WHERE LENGTH(data) > 20000000");
  await assertReplicated(kingbus);
});

/** Size of the largest event in the source's newest file. */
async function largestEvent(): Promise<number> {
  const { name } = (await binlogsOf(source.server)).at(-1)!;
  const { rows } = await source.server.query(`SHOW BINLOG EVENTS IN '${name}'`);
  return Math.max(...rows.map((row) => Number(row[4]) - Number(row[1])));
}

Deno.test("a 5.6 replica of kingbus replicates by file and position", async () => {
  await writeSome();
  await using kingbus = await TestKingbus.following(source);
  const from = { fileName: "binlog.000001", position: 4 };
  await replica.replica.start({ port: kingbus.port, from });
  await source.run("FLUSH LOGS");
  await writeMore();
  await assertReplicated(kingbus);
  await replica.replica.stop();
  await writeMore();
  await source.run("FLUSH LOGS");
  await writeMore();
  await replica.replica.resume();
  await assertReplicated(kingbus);
});

Deno.test("a 5.6 replica of kingbus gets on from a direct connection to the source", async () => {
  await writeSome();
  await using kingbus = await TestKingbus.following(source);
  await replica.replica.start({ port: source.port });
  await replica.replica.waitUntilHas(await source.executed());
  await replica.replica.stop();
  await writeMore();
  await replica.replica.start({ port: kingbus.port });
  await assertReplicated(kingbus);
  await replica.replica.stop();
  await writeMore();
  await replica.replica.start({ port: source.port });
  await replica.replica.waitUntilHas(await source.executed());
});

Deno.test("a 5.6 replica connects again when its connection was broken off", async () => {
  await writeSome();
  await using kingbus = await TestKingbus.following(source);
  await replica.replica.start({ port: kingbus.port });
  await assertReplicated(kingbus);
  for (let round = 0; round < 3; round++) {
    const [dump] = await kingbus.waitUntilDumping(1);
    await using killer = await kingbus.connect();
    await killer.query(`KILL ${dump!.connectionId}`);
    await writeMore();
    await assertReplicated(kingbus);
    const [next] = await kingbus.waitUntilDumping(1);
    assert(next!.connectionId !== dump!.connectionId);
  }
  assertEquals(await replica.replica.fault(), "");
});

Deno.test("a 5.6 replica goes on when kingbus is down and up again", async () => {
  await writeSome();
  await using kingbus = await TestKingbus.following(source);
  await replica.replica.start({ port: kingbus.port });
  await assertReplicated(kingbus);
  for (let round = 0; round < 2; round++) {
    await kingbus.stop();
    await writeMore();
    await waitUntil("the replica had lost its source", async () => {
      return !await replica.replica.isConnected();
    });
    await kingbus.resume();
    await writeMore();
    await assertReplicated(kingbus);
  }
});

Deno.test("a 5.6 replica goes on after it was restarted, and after a crash", async () => {
  await writeSome();
  await using kingbus = await TestKingbus.following(source);
  await replica.replica.start({ port: kingbus.port });
  await assertReplicated(kingbus);
  await replica.server.restart();
  await writeMore();
  await replica.replica.resume();
  await assertReplicated(kingbus);
  await replica.server.kill();
  await writeMore();
  await replica.server.restart();
  await replica.replica.resume();
  await assertReplicated(kingbus);
});

Deno.test("a 5.6 replica follows through restarts and crashes of the source", async () => {
  await writeSome();
  await using kingbus = await TestKingbus.following(source);
  await replica.replica.start({ port: kingbus.port });
  await source.server.restart();
  await writeMore();
  await source.server.kill();
  await source.server.restart();
  await writeMore();
  await assertReplicated(kingbus);
});

Deno.test("a 5.6 replica hears from an idle kingbus in its own period", async () => {
  await writeSome();
  await using kingbus = await TestKingbus.following(source);
  await replica.replica.start({ port: kingbus.port });
  await assertReplicated(kingbus);
  const heard = async (): Promise<number> => {
    const { rows } = await replica.server.query(
      "SHOW STATUS LIKE 'Slave_received_heartbeats'",
    );
    return Number(rows[0]?.[1]);
  };
  const before = await heard();
  await waitUntil(
    "three more heartbeats had come",
    async () => await heard() >= before + 3,
  );
  assertEquals(kingbus.replicas[0]?.heartbeatMs, 1000);
  assertEquals(await replica.replica.fault(), "");
});

Deno.test("kingbus says who its replicas are", async () => {
  await writeSome();
  await using kingbus = await TestKingbus.following(source);
  await replica.replica.start({ port: kingbus.port });
  await assertReplicated(kingbus);
  const [status] = await kingbus.waitUntilDumping(1);
  const { fileName, position } = kingbus.head;
  assertEquals(
    { ...status, connectedAt: 0, bytesSent: 0, connectionId: 0, remote: "" },
    {
      connectionId: 0,
      remote: "",
      user: "repl",
      serverId: "5602",
      uuid: replica.server.uuid,
      hostName: "",
      port: replica.server.port,
      state: "dumping",
      mode: "gtid",
      file: fileName,
      position,
      connectedAt: 0,
      heartbeatMs: 1000,
      bytesSent: 0,
      program: "",
      clientVersion: "5.6.24",
    },
  );
  await using client = await kingbus.connect();
  const { rows } = await client.query("SHOW SLAVE HOSTS");
  assertEquals(rows.map(([id]) => id), ["5602"]);
});

Deno.test("a 5.6 replica sees kingbus's own server id and UUID, or the source's", async () => {
  await writeSome();
  for (const identity of ["own", "source"] as const) {
    await using kingbus = await TestKingbus.following(source, {
      server: { identity },
    });
    await replica.replica.start({ port: kingbus.port });
    await replica.replica.waitUntilHas(await source.executed());
    const state = await replica.replica.state();
    const isSource = state.Master_UUID === source.server.uuid;
    assertEquals(isSource, identity === "source");
    assertEquals(state.Master_Server_Id === "5601", identity === "source");
    await replica.replica.reset();
  }
});

Deno.test("kingbus refuses a replica with a wrong password, and counts it", async () => {
  await writeSome();
  await using kingbus = await TestKingbus.following(source);
  await replica.replica.start({ port: kingbus.port, password: "wrong" });
  const fault = await waitUntil(
    "the replica was refused",
    async () => await replica.replica.fault() || undefined,
  );
  assertStringIncludes(fault, "1045: error connecting to master");
  assert(kingbus.server.status().refusals["access-denied"] > 0);
});
