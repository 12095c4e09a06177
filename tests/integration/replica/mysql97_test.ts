import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { startMysql56 } from "../../../scripts/test_servers/mysql56.ts";
import { rigTest } from "../../../scripts/test_servers/rig.ts";
import { waitUntil } from "../../../scripts/test_servers/wait_until.ts";
import { assertSameDump, takeDump } from "../../support/dump_comparison.ts";
import type { LaunchedServer } from "../../support/launched_server.ts";
import { neverWithin } from "../../support/never_within.ts";
import { SharedMysql97 } from "../../support/shared_mysql97.ts";
import { assertSameFiles } from "../../support/source_file.ts";
import {
  binlogsOf,
  checksumTables,
  executedOf,
  type TestReplica,
  valueOf,
} from "../../support/sql_server.ts";
import { TcpProxy } from "../../support/tcp_proxy.ts";
import { TestKingbus } from "../../support/test_kingbus.ts";
import { TEST_TABLE } from "../../support/test_table.ts";
import {
  MODERN_KINDS,
  MYSQL97_KINDS,
} from "../../support/transaction_kinds.ts";

const LARGE = "--max-allowed-packet=64M";
const sources = new SharedMysql97(9791, [LARGE]);
const replicas = new SharedMysql97(9792, [
  "--replica-max-allowed-packet=256M",
  LARGE,
]);

/** A source, a kingbus that follows it, and a replica that follows nothing. */
class Chain implements AsyncDisposable {
  readonly source: LaunchedServer;
  readonly kingbus: TestKingbus;
  readonly server: LaunchedServer;
  readonly replica: TestReplica;

  private constructor(
    source: LaunchedServer,
    kingbus: TestKingbus,
    end: { server: LaunchedServer; replica: TestReplica },
  ) {
    this.source = source;
    this.kingbus = kingbus;
    this.server = end.server;
    this.replica = end.replica;
  }

  static async open(): Promise<Chain> {
    const source = await sources.asSource();
    const end = await replicas.asReplica();
    return new Chain(source, await TestKingbus.following(source), end);
  }

  /** As {@linkcode open}, with a replica that has been told to follow kingbus. */
  static async started(): Promise<Chain> {
    const chain = await Chain.open();
    await chain.replica.start({ port: chain.kingbus.port });
    return chain;
  }

  /** Makes `test.t` and puts two rows into it. */
  async writeSome(): Promise<void> {
    await this.source.run(
      TEST_TABLE,
      "INSERT INTO test.t (data) VALUES ('one'), ('two')",
    );
  }

  /** Puts one more row into it. */
  async writeMore(): Promise<void> {
    await this.source.run("INSERT INTO test.t (data) VALUES ('more')");
  }

  /** Compares the replica's rows and kingbus's files with the source's. */
  async assertReplicated(): Promise<void> {
    const executed = await executedOf(this.source);
    await this.replica.waitUntilHas(executed);
    assertEquals(
      await checksumTables(this.server),
      await checksumTables(this.source),
    );
    assertEquals(await executedOf(this.server), executed);
    await assertSameFiles(this.kingbus, this.source.onDisk);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.replica.stop();
    await this.kingbus[Symbol.asyncDispose]();
  }
}

/** Registers a test that needs the rig's installation of MySQL 9.7. */
function test(name: string, body: () => Promise<void>): Promise<void> {
  return rigTest(name, ["mysql97", "mysql97-replica"], body);
}

for (const [kind, statements] of Object.entries(MYSQL97_KINDS)) {
  await test(`a 9.7 replica of kingbus gets ${kind}`, async () => {
    await using chain = await Chain.started();
    await chain.writeSome();
    await chain.source.run(...statements);
    await chain.writeMore();
    await chain.assertReplicated();
  });
}

await test("a 9.7 replica of kingbus gets row events of more than 16 MB", async () => {
  await using chain = await Chain.started();
  await chain.source.run(
    "CREATE TABLE test.t (data LONGBLOB) ENGINE=MyISAM",
    "INSERT INTO test.t VALUES (REPEAT('x', 1000))",
  );
  const { name } = (await binlogsOf(chain.source)).at(-1)!;
  const { rows } = await chain.source.query(`SHOW BINLOG EVENTS IN '${name}'`);
  const sizes = rows.map((row) => Number(row[4]) - Number(row[1]));
  const full = 0xff_ffff - 1 - (Math.max(...sizes) - 1000);
  for (const bytes of [full, full + 1, 33_000_000]) {
    await chain.source.run(`INSERT INTO test.t VALUES (REPEAT('y', ${bytes}))`);
  }
  await chain.source.run(
    "CREATE TABLE test.r (data VARBINARY(1024))",
    "SET SESSION binlog_transaction_compression = ON",
    // what can't be compressed makes a payload event as large as itself
    "INSERT INTO test.r SELECT RANDOM_BYTES(1024) FROM mysql.help_topic AS a, mysql.help_topic AS b LIMIT 20000",
    "SET SESSION binlog_transaction_compression = OFF",
  );
  const after = await chain.source.query(`SHOW BINLOG EVENTS IN '${name}'`);
  const payload = after.rows.find((row) => row[2] === "Transaction_payload")!;
  assert(Number(payload[4]) - Number(payload[1]) > 0xff_ffff);
  await chain.assertReplicated();
});

await test("a 9.7 replica of kingbus replicates by file and position", async () => {
  await using chain = await Chain.open();
  await chain.writeSome();
  const from = { fileName: "binlog.000001", position: 4 };
  await chain.replica.start({ port: chain.kingbus.port, from });
  await chain.source.run("FLUSH LOGS");
  await chain.writeMore();
  await chain.assertReplicated();
  await chain.replica.stop();
  await chain.writeMore();
  await chain.source.run("FLUSH LOGS");
  await chain.writeMore();
  await chain.replica.resume();
  await chain.assertReplicated();
});

await test("a 9.7 replica connects again when its connection was broken off", async () => {
  await using chain = await Chain.started();
  await chain.writeSome();
  await chain.assertReplicated();
  for (let round = 0; round < 3; round++) {
    const [dump] = await chain.kingbus.waitUntilDumping(1);
    await using killer = await chain.kingbus.connect();
    await killer.query(`KILL ${dump!.connectionId}`);
    await chain.writeMore();
    await chain.assertReplicated();
  }
  assertEquals(await chain.replica.fault(), "");
});

await test("a 9.7 replica goes on when kingbus is down and up again", async () => {
  await using chain = await Chain.started();
  await chain.writeSome();
  await chain.assertReplicated();
  await chain.kingbus.stop();
  await chain.writeMore();
  await waitUntil(
    "the replica had lost its source",
    async () => !await chain.replica.isConnected(),
  );
  await chain.kingbus.resume();
  await chain.writeMore();
  await chain.assertReplicated();
});

await test("a 9.7 replica goes on after a crash of its own", async () => {
  await using chain = await Chain.started();
  await chain.writeSome();
  await chain.assertReplicated();
  await chain.server.kill();
  await chain.writeMore();
  await chain.server.restart();
  await chain.replica.resume();
  await chain.assertReplicated();
});

await test("a 9.7 replica follows through a restart and a crash of the source", async () => {
  await using chain = await Chain.started();
  await chain.writeSome();
  await chain.source.restart();
  await chain.writeMore();
  await chain.source.kill();
  await chain.source.restart();
  await chain.writeMore();
  await chain.assertReplicated();
  assertEquals((await binlogsOf(chain.source)).length, 3);
});

await test("a 9.7 replica of an idle kingbus stays connected by heartbeats", async () => {
  await using chain = await Chain.started();
  await chain.writeSome();
  await chain.assertReplicated();
  const [dump] = await chain.kingbus.waitUntilDumping(1);
  assertEquals(dump!.heartbeatMs, 1000);
  await neverWithin(
    5000,
    "the replica had a fault or connected again",
    async () => {
      const [now] = chain.kingbus.replicas;
      return now?.connectionId !== dump!.connectionId ||
        await chain.replica.fault() !== "";
    },
  );
  await chain.writeMore();
  await chain.assertReplicated();
});

await test("a 9.7 replica goes on by GTID where it stopped, past what it has", async () => {
  await using chain = await Chain.open();
  await chain.writeSome();
  await chain.replica.start({ port: chain.source.port });
  await chain.replica.waitUntilHas(await executedOf(chain.source));
  await chain.replica.stop();
  await chain.source.run("FLUSH LOGS");
  await chain.writeMore();
  await chain.replica.start({ port: chain.kingbus.port });
  await chain.assertReplicated();
  await chain.replica.stop();
  await chain.writeMore();
  await chain.replica.resume();
  await chain.assertReplicated();
});

await test("a 9.7 replica that lacks a transaction in the middle gets that one", async () => {
  await using chain = await Chain.open();
  await chain.writeSome();
  for (let row = 0; row < 10; row++) await chain.writeMore();
  const uuid = await valueOf(chain.source, "SELECT @@server_uuid");
  await chain.kingbus.waitUntilHas(await executedOf(chain.source));
  // the table and all rows but the fifth are there already
  await chain.server.run(
    "SET sql_log_bin = 0",
    TEST_TABLE,
    "INSERT INTO test.t SELECT NULL, 'x' FROM mysql.help_topic LIMIT 0",
    "SET sql_log_bin = 1",
    `SET GLOBAL gtid_purged = '${uuid}:1-5:7-12'`,
  );
  await chain.replica.start({ port: chain.kingbus.port });
  await chain.replica.waitUntilHas(`${uuid}:1-12`);
  assertEquals(await valueOf(chain.server, "SELECT COUNT(*) FROM test.t"), "1");
});

await test("a 9.7 replica stops when kingbus has purged what it needs, and shows why", async () => {
  await using chain = await Chain.open();
  await chain.kingbus.syncer.stop();
  await chain.writeSome();
  await chain.source.run("FLUSH LOGS");
  await chain.writeMore();
  await using kingbus = await TestKingbus.start();
  await kingbus.follow(chain.source, { start: "newest" });
  await kingbus.waitUntilHas(await executedOf(chain.source));
  await chain.replica.start({ port: kingbus.port });
  const fault = await chain.replica.waitUntilStopped();
  assertMatch(fault, /^13114: .*1236.*purged required binary logs/);
  const uuid = await valueOf(chain.source, "SELECT @@server_uuid");
  assertStringIncludes(fault, `the missing transactions are '${uuid}:1-2'`);
});

await test("a 9.7 replica that is ahead of kingbus stops, and shows why", async () => {
  await using chain = await Chain.open();
  await chain.writeSome();
  await chain.kingbus.waitUntilHas(await executedOf(chain.source));
  await chain.kingbus.syncer.stop();
  await chain.writeMore();
  await chain.replica.start({ port: chain.source.port });
  await chain.replica.waitUntilHas(await executedOf(chain.source));
  await chain.replica.stop();
  await chain.replica.start({ port: chain.kingbus.port });
  const fault = await chain.replica.waitUntilStopped();
  assertMatch(fault, /^13114: .*1236.*Replica has more GTIDs than the source/);
});

await test("a second 9.7 dump with the same UUID stops the first replica for good", async () => {
  await using chain = await Chain.started();
  await chain.writeSome();
  await chain.assertReplicated();
  const uuid = await valueOf(chain.server, "SELECT @@server_uuid");
  await using other = await chain.kingbus.connect();
  await other.query(`SET @slave_uuid = '${uuid}', @replica_uuid = '${uuid}'`);
  await other.query("SET @source_binlog_checksum = 'CRC32'");
  await other.sendCommand(
    Uint8Array.from([0x12, 4, 0, 0, 0, 0, 0, 9, 0, 0, 0]),
  );
  const fault = await chain.replica.waitUntilStopped();
  assertMatch(fault, /^13114: .*1236.*same server_uuid\/server_id/);
});

await test("Syncer logs in to a 9.7 source whose password is not cached", async () => {
  const source = await sources.asSource();
  await source.run("FLUSH PRIVILEGES");
  await using proxy = new TcpProxy(source);
  await using kingbus = await TestKingbus.following(proxy);
  await kingbus.waitUntilState("following");
  // and once more with a cached one
  await kingbus.syncer.stop();
  await kingbus.follow(proxy);
  await kingbus.waitUntilState("following");
  await assertSameFiles(kingbus, source.onDisk);
  await kingbus.syncer.stop();
  await source.run("FLUSH PRIVILEGES");
  await kingbus.follow(proxy, { password: "wrong" });
  const { reason = "" } = await kingbus.waitUntilState("waiting");
  assertStringIncludes(reason, "Access denied for user 'repl'");
});

await test("Syncer goes on with a 9.7 source after breaks of every kind", async () => {
  await using chain = await Chain.open();
  await using proxy = new TcpProxy(chain.source);
  await using kingbus = await TestKingbus.start();
  await kingbus.follow(proxy, { heartbeatMs: 200, readTimeoutMs: 2000 });
  await chain.writeSome();
  await assertSameFiles(kingbus, chain.source.onDisk);
  await kingbus.stop();
  await chain.source.run(...MODERN_KINDS["tagged GTIDs"]!);
  await kingbus.resume();
  await assertSameFiles(kingbus, chain.source.onDisk);
  assertMatch(kingbus.executed, /:blue:1-2/);
  proxy.cut();
  await chain.source.run(...MODERN_KINDS["compressed transactions"]!);
  await assertSameFiles(kingbus, chain.source.onDisk);
  proxy.silence();
  await chain.writeMore();
  await kingbus.waitUntilState("waiting");
  proxy.speak();
  await assertSameFiles(kingbus, chain.source.onDisk);
  const { rows } = await chain.source.query("SHOW PROCESSLIST");
  const dumps = rows.filter((row) => row[4]?.startsWith("Binlog Dump"));
  assert(dumps.length > 0);
  for (const [id] of dumps) await chain.source.query(`KILL ${id}`);
  await chain.writeMore();
  await assertSameFiles(kingbus, chain.source.onDisk);
});

await test("Syncer fails when a 9.7 source was reset, and when it has purged", async () => {
  const source = await sources.asSource();
  await source.run("CREATE TABLE test.t (id INT PRIMARY KEY)");
  await using first = await TestKingbus.following(source);
  await first.waitUntilHas(await executedOf(source));
  await first.stop();
  await source.run("FLUSH LOGS", "INSERT INTO test.t VALUES (1)");
  await source.run("FLUSH LOGS", "PURGE BINARY LOGS TO 'binlog.000003'");
  await first.resume();
  assertStringIncludes(
    (await first.waitUntilState("failed")).reason ?? "",
    "has no file binlog.000001 any more",
  );
  await using second = await TestKingbus.following(source);
  await second.waitUntilHas(await executedOf(source));
  await source.run("RESET BINARY LOGS AND GTIDS");
  await source.run("INSERT INTO test.t VALUES (2)");
  await second.waitUntilState("failed");
});

await test("Syncer counts what a 9.7 source was provisioned with as purged", async () => {
  const source = await sources.asSource();
  const backup = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee:1-100:tag:1-5";
  await source.run(
    `SET GLOBAL gtid_purged = '${backup}'`,
    "CREATE TABLE test.t (id INT AUTO_INCREMENT PRIMARY KEY)",
    "FLUSH LOGS",
    "INSERT INTO test.t VALUES ()",
  );
  const uuid = await valueOf(source, "SELECT @@server_uuid");
  await using kingbus = await TestKingbus.following(source);
  await assertSameFiles(kingbus, source.onDisk);
  assertEquals(kingbus.status.purged, backup);
  assertEquals(kingbus.executed, await executedOf(source));
  for (const executed of ["", `${uuid}:1`, `${uuid}:1,${backup}`]) {
    const expected = await takeDump(source, { executed });
    const actual = await takeDump(kingbus, { executed });
    assertSameDump(actual, expected, { senderServerId: true });
  }
});

await test("a 9.7 replica of kingbus follows a 5.6 source, and stays while it is idle", async () => {
  const { server, replica } = await replicas.asReplica();
  await using source = await startMysql56();
  await using kingbus = await TestKingbus.following(source);
  await source.query(
    TEST_TABLE,
  );
  await replica.start({ port: kingbus.port });
  await source.query("INSERT INTO test.t (data) VALUES ('one')");
  await replica.waitUntilHas(await executedOf(source));
  const [dump] = await kingbus.waitUntilDumping(1);
  await neverWithin(
    3000,
    "the replica had a fault or connected again",
    async () => {
      const [now] = kingbus.replicas;
      return now?.connectionId !== dump!.connectionId ||
        await replica.fault() !== "";
    },
  );
  await source.query("FLUSH LOGS");
  await source.query("INSERT INTO test.t (data) VALUES ('two')");
  await replica.waitUntilHas(await executedOf(source));
  assertEquals((await server.query("SELECT id, data FROM test.t")).rows, [
    ["1", "one"],
    ["2", "two"],
  ]);
  await replica.stop();
});
