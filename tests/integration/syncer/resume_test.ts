import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { EventType } from "../../../lib/binlog/event_type.ts";
import { eventTypeAt } from "../../../lib/binlog/event_header.ts";
import { waitUntil } from "../../../scripts/test_servers/wait_until.ts";
import { readDump } from "../../support/dump_client.ts";
import { SharedSource56 } from "../../support/shared_mysql56.ts";
import { assertSameFiles } from "../../support/source_file.ts";
import { binlogsOf, valueOf } from "../../support/sql_server.ts";
import { TcpProxy } from "../../support/tcp_proxy.ts";
import { TestKingbus } from "../../support/test_kingbus.ts";
import { TEST_TABLE } from "../../support/test_table.ts";

const source = new SharedSource56();

/** Makes `test.t` and puts some rows into it. */
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

/** Ends the dumps that the source is sending. */
async function killDumps(): Promise<void> {
  const { rows } = await source.server.query("SHOW PROCESSLIST");
  for (const [id, , , , command] of rows) {
    if (command?.startsWith("Binlog Dump")) {
      await source.server.query(`KILL ${id}`);
    }
  }
}

Deno.test("Syncer goes on where it stopped after kingbus was restarted", async () => {
  await writeSome();
  await using kingbus = await TestKingbus.following(source);
  await assertSameFiles(kingbus, source.onDisk);
  const before = kingbus.status;
  await kingbus.stop();
  await writeMore();
  await kingbus.resume();
  assertEquals(kingbus.head.position, before.position);
  await assertSameFiles(kingbus, source.onDisk);
  await kingbus.stop();
  await source.run("FLUSH LOGS");
  await writeMore();
  await kingbus.resume();
  await assertSameFiles(kingbus, source.onDisk);
  assertEquals(kingbus.executed, `${source.server.uuid}:1-4`);
});

Deno.test("Syncer goes on at once when it was stopped and started", async () => {
  await writeSome();
  await using kingbus = await TestKingbus.following(source);
  for (let round = 0; round < 5; round++) {
    await kingbus.syncer.stop();
    await writeMore();
    await kingbus.follow(source);
  }
  await assertSameFiles(kingbus, source.onDisk);
});

Deno.test("Syncer follows on after the source killed its dump", async () => {
  await writeSome();
  await using proxy = new TcpProxy(source);
  await using kingbus = await TestKingbus.following(proxy);
  await assertSameFiles(kingbus, source.onDisk);
  for (let kills = 1; kills <= 2; kills++) {
    await killDumps();
    await waitUntil("it connected again", () => proxy.connections > kills);
    await writeMore();
    await assertSameFiles(kingbus, source.onDisk);
  }
});

Deno.test("Syncer goes on with an account that may connect only once", async () => {
  await writeSome();
  await source.run(
    "SET sql_log_bin = 0",
    "GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO once@'%' IDENTIFIED BY 'oncepass' WITH MAX_USER_CONNECTIONS 1",
    "SET sql_log_bin = 1",
  );
  await using kingbus = await TestKingbus.start();
  await kingbus.follow(source, { user: "once", password: "oncepass" });
  await assertSameFiles(kingbus, source.onDisk);
  await kingbus.stop();
  await writeMore();
  await kingbus.resume();
  await assertSameFiles(kingbus, source.onDisk);
});

Deno.test("Syncer follows through FLUSH LOGS", async () => {
  await writeSome();
  await using kingbus = await TestKingbus.following(source);
  for (let file = 0; file < 10; file++) await source.run("FLUSH LOGS");
  await writeMore();
  await source.run("FLUSH LOGS");
  await assertSameFiles(kingbus, source.onDisk);
  assertEquals((await binlogsOf(source.server)).length, 12);
  assertEquals(kingbus.status.state, "following");
});

Deno.test("Syncer follows on after the source was shut down and started", async () => {
  await writeSome();
  await using kingbus = await TestKingbus.following(source);
  await kingbus.waitUntilHas(await source.executed());
  await source.server.restart();
  await writeMore();
  await assertSameFiles(kingbus, source.onDisk);
  const first = await readDump({ port: kingbus.port }, {
    fileName: "binlog.000001",
  });
  assert(first.some((event) => eventTypeAt(event, 0) === EventType.STOP));
});

Deno.test("Syncer follows on after the source has crashed", async () => {
  await writeSome();
  await using kingbus = await TestKingbus.following(source);
  await kingbus.waitUntilHas(await source.executed());
  await source.server.kill();
  assert((await kingbus.waitUntilState("waiting")).reason !== undefined);
  await source.server.restart();
  await writeMore();
  await assertSameFiles(kingbus, source.onDisk);
  await source.server.kill();
  await source.server.restart();
  await assertSameFiles(kingbus, source.onDisk);
});

Deno.test("Syncer drops half a transaction when the connection breaks, and takes it again", async () => {
  await writeSome();
  await using proxy = new TcpProxy(source);
  await using kingbus = await TestKingbus.following(proxy);
  await assertSameFiles(kingbus, source.onDisk);
  const { position, executed } = kingbus.status;
  proxy.silenceAfter(300_000);
  await source.run(
    "BEGIN",
    ...Array(20).fill("INSERT INTO test.t (data) VALUES (REPEAT('x', 100000))"),
    "COMMIT",
  );
  for (let cuts = 1; cuts <= 3; cuts++) {
    await waitUntil("a part of the transaction was sent", () => proxy.silent);
    assertEquals(kingbus.status.executed, executed);
    assertEquals(kingbus.status.position, position);
    proxy.cut();
    proxy.speak();
    proxy.silenceAfter(cuts === 3 ? Infinity : cuts * 600_000);
    await waitUntil("it connected again", () => proxy.connections > cuts);
  }
  await assertSameFiles(kingbus, source.onDisk);
});

Deno.test("Syncer gives up a source that has gone silent, and comes back", async () => {
  await writeSome();
  await using proxy = new TcpProxy(source);
  await using kingbus = await TestKingbus.start();
  await kingbus.follow(proxy, { heartbeatMs: 200, readTimeoutMs: 1000 });
  await assertSameFiles(kingbus, source.onDisk);
  proxy.silence();
  await writeMore();
  const { reason = "" } = await kingbus.waitUntilState("waiting");
  assertStringIncludes(reason, "sent nothing for 1000 ms");
  proxy.speak();
  await assertSameFiles(kingbus, source.onDisk);
  assertEquals(kingbus.status.state, "following");
});

Deno.test("Syncer keeps to an idle source that sends heartbeats", async () => {
  await writeSome();
  await using proxy = new TcpProxy(source);
  const readTimeoutMs = 2000;
  for (const idleCheckMs of [60_000, 100]) {
    await using kingbus = await TestKingbus.start({ idleCheckMs });
    const before = proxy.connections;
    await kingbus.follow(proxy, { heartbeatMs: 200, readTimeoutMs });
    await assertSameFiles(kingbus, source.onDisk);
    const { heardAt, connectedAt } = kingbus.status;
    await waitUntil("more than the read timeout had passed", () => {
      const silentMs = kingbus.status.heardAt!.getTime() - heardAt!.getTime();
      return silentMs > 2 * readTimeoutMs;
    });
    // asking it why it is idle does not disturb the dump
    const asked = proxy.connections - before - 1;
    assert(idleCheckMs === 100 ? asked >= 3 : asked === 0, `asked ${asked}`);
    assertEquals(kingbus.status.state, "following");
    assertEquals(kingbus.status.connectedAt, connectedAt);
  }
});

Deno.test("Syncer fails when the source has purged what comes next", async () => {
  await writeSome();
  await using kingbus = await TestKingbus.following(source);
  await kingbus.waitUntilHas(await source.executed());
  await kingbus.stop();
  await source.run("FLUSH LOGS");
  await writeMore();
  await source.run("FLUSH LOGS", "PURGE BINARY LOGS TO 'binlog.000003'");
  await kingbus.resume();
  const { reason = "", executed } = await kingbus.waitUntilState("failed");
  assertStringIncludes(reason, "has no file binlog.000001 any more");
  assertStringIncludes(reason, "data-dir");
  assertEquals(executed, `${source.server.uuid}:1-2`);
  assertEquals(kingbus.syncer.running, false);
});

Deno.test("Syncer fails when the source was reset while it was away", async () => {
  await writeSome();
  await using kingbus = await TestKingbus.following(source);
  await kingbus.waitUntilHas(await source.executed());
  await kingbus.stop();
  await source.run("RESET MASTER");
  await writeMore();
  await kingbus.resume();
  const { cause, reason = "", executed } = await kingbus.waitUntilState(
    "failed",
  );
  assertEquals(cause, "reset");
  assertStringIncludes(reason, "does not have transactions that it once sent");
  assertStringIncludes(reason, `${source.server.uuid}:2`);
  assertEquals(executed, `${source.server.uuid}:1-2`);
});

Deno.test("Syncer fails when the source was reset and has written the same again", async () => {
  await writeSome();
  await using kingbus = await TestKingbus.following(source);
  await kingbus.waitUntilHas(await source.executed());
  await kingbus.stop();
  // a file's format description tells when it was made, in seconds
  await waitUntil("the source's next second began", async () => {
    const now = await valueOf(source.server, "SELECT UNIX_TIMESTAMP()");
    return Number(now) > kingbus.head.lastTimestamp;
  });
  await source.reset();
  await writeSome();
  await writeMore();
  await kingbus.resume();
  const { reason = "", executed } = await kingbus.waitUntilState("failed");
  assertStringIncludes(reason, "log was reset");
  assertEquals(executed, `${source.server.uuid}:1-2`);
});

Deno.test("Syncer fails when the source is reset while it follows", async () => {
  await writeSome();
  await source.run("FLUSH LOGS");
  await writeMore();
  await using kingbus = await TestKingbus.following(source);
  await kingbus.waitUntilHas(await source.executed());
  await source.run("RESET MASTER");
  await writeMore();
  const { cause, executed } = await kingbus.waitUntilState("failed");
  assertEquals(cause, "reset");
  assertEquals(executed, `${source.server.uuid}:1-3`);
});

/** Runs with the source's data under another server uuid. */
async function asAnotherServer(run: () => Promise<void>): Promise<void> {
  await source.server.stop();
  const uuidFile = `${source.server.dir}/data/auto.cnf`;
  const own = await Deno.readTextFile(uuidFile);
  await Deno.writeTextFile(
    uuidFile,
    own.replace(/server-uuid=......../, "server-uuid=0badcafe"),
  );
  try {
    await run();
  } finally {
    await source.server.stop();
    await Deno.writeTextFile(uuidFile, own);
    await source.server.restart([]);
  }
  assertEquals(
    await valueOf(source.server, "SELECT @@server_uuid"),
    source.server.uuid,
  );
}

Deno.test("Syncer follows another server at the source's address if it has all the log has", async () => {
  await writeSome();
  await using kingbus = await TestKingbus.following(source);
  await kingbus.waitUntilHas(await source.executed());
  await kingbus.stop();
  await asAnotherServer(async () => {
    await source.server.restart();
    await kingbus.resume();
    await writeMore();
    await kingbus.waitUntilHas(await source.executed());
    assertStringIncludes(kingbus.executed, "0badcafe");
    await kingbus.stop();
    await source.run("RESET MASTER");
    await writeMore();
    await kingbus.resume();
    await kingbus.waitUntilState("failed");
    assertEquals(kingbus.status.cause, "reset");
  });
});

Deno.test("Syncer refuses another server at the source's address that has another history", async () => {
  await writeSome();
  await using kingbus = await TestKingbus.following(source);
  await kingbus.waitUntilHas(await source.executed());
  const { executed } = kingbus;
  await kingbus.stop();
  await asAnotherServer(async () => {
    await source.server.restart(["--gtid-mode=OFF"]);
    await kingbus.resume();
    const { cause, reason = "" } = await kingbus.waitUntilState("failed");
    assertEquals(cause, "other-source");
    assertStringIncludes(reason, "0badcafe");
    assertStringIncludes(reason, source.server.uuid);
    await kingbus.stop();
    await source.server.restart([]);
    await source.run("RESET MASTER");
    await writeMore();
    await kingbus.resume();
    const status = await kingbus.waitUntilState("waiting");
    assertEquals(status.cause, "behind");
    assertStringIncludes(status.reason ?? "", `log has: ${executed}`);
    assertEquals(kingbus.executed, executed);
  });
});
