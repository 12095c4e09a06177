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
import { TEST_TABLE } from "../../support/test_table.ts";
import { TRANSACTION_KINDS } from "../../support/transaction_kinds.ts";

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
    TEST_TABLE,
    "INSERT INTO test.t (data) VALUES ('one'), ('two')",
  );
}

/** Puts one more row into it. */
async function writeMore(): Promise<void> {
  await source.run("INSERT INTO test.t (data) VALUES ('more')");
}

for (const [kind, statements] of Object.entries(TRANSACTION_KINDS)) {
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

Deno.test("a 5.6 replica keeps its temporary tables over a broken connection", async () => {
  await writeSome();
  await using kingbus = await TestKingbus.following(source);
  await replica.replica.start({ port: kingbus.port });
  await source.run(
    "SET SESSION binlog_format = STATEMENT",
    "CREATE TEMPORARY TABLE test.tmp (id INT AUTO_INCREMENT PRIMARY KEY)",
    "INSERT INTO test.tmp VALUES (), (), ()",
  );
  await replica.replica.waitUntilHas(await source.executed());
  for (let round = 0; round < 2; round++) {
    await using killer = await kingbus.connect();
    const [dump] = await kingbus.waitUntilDumping(1);
    await killer.query(`KILL ${dump!.connectionId}`);
    await source.run("INSERT INTO test.t (data) SELECT id FROM test.tmp");
    await replica.replica.waitUntilHas(await source.executed());
  }
  await source.run(
    "DROP TEMPORARY TABLE test.tmp",
    "SET SESSION binlog_format = ROW",
  );
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
    {
      ...status,
      connectedAt: 0,
      bytesSent: 0,
      unsentSince: 0,
      connectionId: 0,
      remote: "",
    },
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
      unsentSince: 0,
      compression: undefined,
      tls: undefined,
      acks: undefined,
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
