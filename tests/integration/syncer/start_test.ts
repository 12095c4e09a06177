import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { ServerError } from "../../../lib/protocol/server_error.ts";
import { waitUntil } from "../../../scripts/test_servers/wait_until.ts";
import { DumpClient, readDump } from "../../support/dump_client.ts";
import { neverWithin } from "../../support/never_within.ts";
import { SharedSource56 } from "../../support/shared_mysql56.ts";
import { assertSameFiles } from "../../support/source_file.ts";
import { binlogsOf } from "../../support/sql_server.ts";
import { TcpProxy } from "../../support/tcp_proxy.ts";
import {
  KINGBUS_SERVER_ID,
  KINGBUS_UUID,
  TestKingbus,
} from "../../support/test_kingbus.ts";

const source = new SharedSource56();

/**
 * Three files: transaction 1 in the first, 2 and 3 in the second, 4 in the
 * third.
 */
async function writeThreeFiles(): Promise<void> {
  await source.run(
    "CREATE TABLE test.t (id INT AUTO_INCREMENT PRIMARY KEY, name VARCHAR(20))",
    "FLUSH LOGS",
    "INSERT INTO test.t VALUES (1, 'one')",
    "INSERT INTO test.t VALUES (2, 'two')",
    "FLUSH LOGS",
    "INSERT INTO test.t VALUES (3, 'three')",
  );
}

Deno.test("Syncer starts at the oldest file of a 5.6 source", async () => {
  await writeThreeFiles();
  await using kingbus = await TestKingbus.following(source);
  await assertSameFiles(kingbus, source.onDisk);
  assertEquals(kingbus.executed, `${source.server.uuid}:1-4`);
  const { state, source: followed, ...status } = kingbus.status;
  assertEquals(state, "following");
  assertEquals(followed, {
    address: `127.0.0.1:${source.port}`,
    user: "repl",
    serverId: "5601",
    uuid: source.server.uuid,
    version: "5.6.24-log",
    tls: undefined,
    compression: undefined,
  });
  assertEquals(status.reason, undefined);
  assertEquals(status.purged, "");
  assertEquals(status.currentGtid, `${source.server.uuid}:4`);
  assertEquals(status.file, "binlog.000003");
});

Deno.test("Syncer starts at the newest file and counts what is before as purged", async () => {
  await writeThreeFiles();
  await using kingbus = await TestKingbus.start();
  await kingbus.follow(source, { start: "newest" });
  await assertSameFiles(kingbus, source.onDisk, "binlog.000003");
  assertEquals(kingbus.status.purged, `${source.server.uuid}:1-3`);
  assertEquals(kingbus.executed, `${source.server.uuid}:1-4`);
});

Deno.test("Syncer starts at the newest file that a GTID set needs", async () => {
  await writeThreeFiles();
  await using kingbus = await TestKingbus.start();
  await kingbus.follow(source, { start: `${source.server.uuid}:1-2` });
  await assertSameFiles(kingbus, source.onDisk, "binlog.000002");
  assertEquals(kingbus.status.purged, `${source.server.uuid}:1`);
});

Deno.test("Syncer starts at the oldest file that is left, and says what is not", async () => {
  await writeThreeFiles();
  await source.run("PURGE BINARY LOGS TO 'binlog.000002'");
  await using kingbus = await TestKingbus.following(source);
  await assertSameFiles(kingbus, source.onDisk);
  assertEquals(kingbus.status.purged, `${source.server.uuid}:1`);
  assertEquals(kingbus.executed, `${source.server.uuid}:1-4`);
});

Deno.test("Syncer counts what a source was provisioned with as purged", async () => {
  const { uuid } = source.server;
  const backup = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee:1-100";
  await source.run(
    `SET GLOBAL gtid_purged = '${backup}'`,
    "CREATE TABLE test.t (id INT AUTO_INCREMENT PRIMARY KEY)",
    // a 5.6 source begins a file at the first, and tells it in all later ones
    "FLUSH LOGS",
    "INSERT INTO test.t VALUES ()",
  );
  for (const start of ["oldest", "newest", `${uuid}:1,${backup}`]) {
    await using kingbus = await TestKingbus.start();
    await kingbus.follow(source, { start });
    const file = start === "oldest" ? "binlog.000001" : "binlog.000003";
    await assertSameFiles(kingbus, source.onDisk, file);
    assertEquals(
      kingbus.status.purged,
      start === "oldest" ? backup : `${uuid}:1,${backup}`.split(",").sort()
        .join(","),
    );
    assertEquals(kingbus.executed, await source.executed());
    const error = await assertRejects(
      () => readDump(kingbus, { executed: "" }),
      ServerError,
    );
    assertEquals(error.code, 1236);
    await readDump(kingbus, { executed: `${uuid}:1,${backup}` });
  }
});

Deno.test("Syncer fails when its GTID set needs a file that was purged", async () => {
  await writeThreeFiles();
  await source.run("PURGE BINARY LOGS TO 'binlog.000003'");
  await using kingbus = await TestKingbus.start();
  await kingbus.follow(source, { start: `${source.server.uuid}:1-2` });
  const { reason = "" } = await kingbus.waitUntilState("failed");
  assertStringIncludes(reason, "The source purged transactions");
  assertStringIncludes(reason, `${source.server.uuid}:3`);
  assertEquals(kingbus.syncer.running, false);
  assertEquals(kingbus.store.head, undefined);
});

Deno.test("Syncer takes logs with and without checksums, and goes on inside both", async () => {
  await source.run("CREATE TABLE test.t (id INT AUTO_INCREMENT PRIMARY KEY)");
  await using kingbus = await TestKingbus.following(source);
  try {
    for (const algorithm of ["NONE", "CRC32", "NONE"]) {
      await source.run(
        `SET GLOBAL binlog_checksum = ${algorithm}`,
        "INSERT INTO test.t VALUES ()",
      );
      await assertSameFiles(kingbus, source.onDisk);
      await kingbus.stop();
      await source.run("INSERT INTO test.t VALUES ()");
      await kingbus.resume();
      await assertSameFiles(kingbus, source.onDisk);
    }
    // the file it goes on with has none, what the source writes now has
    await kingbus.stop();
    await source.run(
      "SET GLOBAL binlog_checksum = CRC32",
      "INSERT INTO test.t VALUES ()",
    );
    await kingbus.resume();
    await assertSameFiles(kingbus, source.onDisk);
  } finally {
    await source.run("SET GLOBAL binlog_checksum = CRC32");
  }
});

Deno.test("Syncer waits long before it tries a wrong password again", async () => {
  await using proxy = new TcpProxy(source);
  await using kingbus = await TestKingbus.start();
  await kingbus.follow(proxy, { password: "wrongpass" });
  const { reason = "" } = await kingbus.waitUntilState("waiting");
  assertStringIncludes(reason, "1045");
  assertStringIncludes(reason, "Access denied for user 'repl'");
  assert(!JSON.stringify(kingbus.status).includes("wrongpass"));
  await neverWithin(
    1500,
    "the syncer tried again at once",
    () => proxy.connections > 1,
  );
  await kingbus.syncer.stop();
  await kingbus.follow(proxy);
  assertEquals((await kingbus.waitUntilState("following")).reason, undefined);
});

Deno.test("Syncer waits for a source that is not there yet", async () => {
  await source.server.stop();
  await using kingbus = await TestKingbus.following(source);
  const { reason = "" } = await kingbus.waitUntilState("waiting");
  assertStringIncludes(reason, `127.0.0.1 port ${source.port}`);
  await source.server.restart();
  await kingbus.waitUntilState("following");
  await assertSameFiles(kingbus, source.onDisk);
});

Deno.test("Syncer waits while the source has its server id or its UUID", async () => {
  const { serverId, uuid } = source.server;
  await using kingbus = await TestKingbus.start();
  await kingbus.follow(source, { serverId });
  const sameId = await kingbus.waitUntilState("waiting");
  assertStringIncludes(sameId.reason ?? "", `server id ${serverId}`);
  await kingbus.syncer.stop();
  await kingbus.follow(source, { uuid });
  const sameUuid = await kingbus.waitUntilState("waiting");
  assertStringIncludes(sameUuid.reason ?? "", `server uuid ${uuid}`);
  await kingbus.syncer.stop();
  await kingbus.follow(source);
  await kingbus.waitUntilState("following");
});

Deno.test("Syncer comes back after another replica with its UUID has pushed it out", async () => {
  await writeThreeFiles();
  await using proxy = new TcpProxy(source);
  await using kingbus = await TestKingbus.following(proxy);
  await kingbus.waitUntilHas(await source.executed());
  await using _other = await DumpClient.open(source, {
    serverId: KINGBUS_SERVER_ID,
    uuid: KINGBUS_UUID,
    flags: 0,
    names: "master",
  });
  await waitUntil("the syncer connected again", () => proxy.connections > 1);
  await source.run("INSERT INTO test.t VALUES (4, 'four')");
  await assertSameFiles(kingbus, source.onDisk);
});

Deno.test("Syncer says when its account may not read the log", async () => {
  await source.run(
    "SET sql_log_bin = 0",
    "GRANT USAGE ON *.* TO nobody@'%' IDENTIFIED BY 'nopass'",
    "SET sql_log_bin = 1",
  );
  await using kingbus = await TestKingbus.start();
  await kingbus.follow(source, { user: "nobody", password: "nopass" });
  const { reason = "" } = await waitUntil(
    "the syncer had a reason",
    () => kingbus.status.reason === undefined ? false : kingbus.status,
  );
  assertStringIncludes(reason, "REPLICATION CLIENT");
});

Deno.test("Syncer takes a dump that comes in pieces of any size", async () => {
  await source.run(
    "CREATE TABLE test.t (id INT PRIMARY KEY, data LONGBLOB)",
    "INSERT INTO test.t VALUES (1, REPEAT('x', 200000)), (2, 'y')",
    "INSERT INTO test.t VALUES (3, REPEAT('z', 70000))",
  );
  for (const pieceBytes of [7, 24, 1000, 64_000]) {
    await using proxy = new TcpProxy(source);
    proxy.pieceBytesMax = pieceBytes;
    await using kingbus = await TestKingbus.following(proxy);
    await assertSameFiles(kingbus, source.onDisk);
  }
  assertEquals((await binlogsOf(source.server)).length, 1);
});

Deno.test("Syncer follows another kingbus as it follows a source", async () => {
  await writeThreeFiles();
  await using first = await TestKingbus.following(source);
  const gtids = `${source.server.uuid}:1-2`;
  for (
    const [start, file] of [
      ["oldest", undefined],
      ["newest", "binlog.000003"],
      // It finds the file by SHOW BINLOG EVENTS.
      [gtids, "binlog.000002"],
    ] as const
  ) {
    await first.waitUntilHas(await source.executed());
    await using second = await TestKingbus.start();
    await second.follow(first, { start });
    await assertSameFiles(second, source.onDisk, file);
    await first.stop();
    await source.run("INSERT INTO test.t VALUES (NULL, 'more')");
    await first.resume();
    await assertSameFiles(second, source.onDisk, file);
  }
});
