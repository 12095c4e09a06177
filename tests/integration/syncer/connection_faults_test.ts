import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { BlockLog } from "../../../lib/store/block_log.ts";
import type { BinlogStore } from "../../../lib/store/binlog_store.ts";
import { silentLog } from "../../../lib/log/log.ts";
import { Syncer } from "../../../lib/syncer/syncer.ts";
import type { SyncerStatus } from "../../../lib/syncer/syncer_status.ts";
import {
  REPLICATION_ACCOUNT,
  startMysql56,
} from "../../../scripts/test_servers/mysql56.ts";
import { waitUntil } from "../../../scripts/test_servers/wait_until.ts";
import { FaultPlan, FaultyEngine } from "../../support/faulty_engine.ts";
import { neverWithin } from "../../support/never_within.ts";
import {
  SharedReplica56,
  SharedSource56,
} from "../../support/shared_mysql56.ts";
import { assertSameFiles } from "../../support/source_file.ts";
import { SmallDisk, smallDiskTest } from "../../support/small_disk.ts";
import { executedOf, logEndOf } from "../../support/sql_server.ts";
import { TcpProxy } from "../../support/tcp_proxy.ts";
import { KvTestDisk } from "../../support/test_disk.ts";
import {
  KINGBUS_SERVER_ID,
  KINGBUS_UUID,
  TestKingbus,
} from "../../support/test_kingbus.ts";
import { TEST_TABLE } from "../../support/test_table.ts";

const source = new SharedSource56();
const replicas = new SharedReplica56();

/** Makes `test.t` with a row. */
async function writeSome(): Promise<void> {
  await source.run(
    TEST_TABLE,
    "INSERT INTO test.t (data) VALUES ('one')",
  );
}

/** One row more. */
async function writeMore(): Promise<void> {
  await source.run("INSERT INTO test.t (data) VALUES ('more')");
}

function assertSays({ reason = "" }: SyncerStatus, ...parts: string[]): void {
  for (const part of parts) assertStringIncludes(reason, part);
}

/** How long it is from the begin of the wait to the next attempt, in ms. */
function pauseOf({ since, nextAttemptAt }: SyncerStatus): number {
  return nextAttemptAt!.getTime() - since.getTime();
}

Deno.test("Syncer tries an address where nobody listens again and again, less and less often", async () => {
  await writeSome();
  await source.server.stop();
  await using kingbus = await TestKingbus.following(source);
  const first = await kingbus.waitUntilCause("unreachable");
  assertEquals([first.state, first.attempts], ["waiting", 1]);
  assertSays(first, `127.0.0.1 port ${source.port}`);
  assertEquals(first.connectedAt, undefined);
  assert(pauseOf(first) >= 125 && pauseOf(first) <= 250, "the first pause");
  const third = await waitUntil("three attempts had failed", () => {
    const { status } = kingbus;
    return status.attempts === 3 && status.state === "waiting" && status;
  });
  assert(pauseOf(third) >= 500 && pauseOf(third) <= 1000, "the third pause");
  await source.server.restart();
  await assertSameFiles(kingbus, source.onDisk);
  const { state, cause, reason, connectedAt } = kingbus.status;
  assertEquals([state, cause, reason], ["following", undefined, undefined]);
  assert(connectedAt! > third.since);
});

Deno.test("Syncer says which host name nobody knows", async () => {
  await using kingbus = await TestKingbus.start();
  const hostname = "no-such-host.invalid";
  await kingbus.follow({ hostname, port: source.port });
  const status = await kingbus.waitUntilCause("unreachable");
  assertEquals(status.state, "waiting");
  assertSays(status, hostname);
  assert(status.nextAttemptAt !== undefined);
});

Deno.test("Syncer gives up a server that does not greet, and tries it again", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  await using kingbus = await TestKingbus.start();
  const { port } = listener.addr;
  await kingbus.follow({ port }, { connectTimeoutMs: 300 });
  assertSays(await kingbus.waitUntilCause("unreachable"), "300 ms");
});

Deno.test("Syncer takes no other server's greeting for a source's", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const serve = async () => {
    for await (const connection of listener) {
      await connection.write(new TextEncoder().encode("SSH-2.0-OpenSSH\r\n"));
      connection.close();
    }
  };
  const serving = serve();
  {
    await using kingbus = await TestKingbus.start();
    await kingbus.follow({ port: listener.addr.port });
    const status = await waitUntil("it had a cause", () => {
      const { status } = kingbus;
      return status.cause !== undefined && status;
    });
    assert(["stream", "unreachable"].includes(status.cause!), status.cause);
    assertEquals(kingbus.store.head, undefined);
  }
  listener.close();
  await serving.catch(() => {});
});

Deno.test("Syncer goes on after a cut in the middle of a packet", async () => {
  await writeSome();
  await using proxy = new TcpProxy(source);
  await using kingbus = await TestKingbus.start({ hurry: 10 });
  await kingbus.follow(proxy);
  await assertSameFiles(kingbus, source.onDisk);
  const { executed } = kingbus;
  // inside the header of the event's packet, the event's header, its body
  for (const more of [2, 12, 20_000]) {
    const before = kingbus.status.bytesReceived;
    proxy.silenceAfter(more);
    await source.run("INSERT INTO test.t (data) VALUES (REPEAT('x', 30000))");
    await waitUntil("a part of it was there", () => {
      return kingbus.status.bytesReceived === before + more;
    });
    proxy.cut();
    const status = await kingbus.waitUntilCause("lost");
    assertEquals(status.state, "waiting");
    assert(status.connectedAt !== undefined);
    proxy.speak();
    await assertSameFiles(kingbus, source.onDisk);
  }
  assert(kingbus.executed !== executed);
});

Deno.test("Syncer notices a source that vanished without closing the connection", async () => {
  await writeSome();
  await using proxy = new TcpProxy(source);
  await using kingbus = await TestKingbus.start({ hurry: 10 });
  await kingbus.follow(proxy, { heartbeatMs: 200, readTimeoutMs: 1500 });
  await assertSameFiles(kingbus, source.onDisk);
  proxy.silence();
  await source.server.kill();
  const { heardAt } = kingbus.status;
  const status = await kingbus.waitUntilCause("silent");
  const silentMs = status.since.getTime() - heardAt!.getTime();
  assert(silentMs >= 1000 && silentMs < 10_000, `after ${silentMs} ms`);
  assertSays(status, "sent nothing for 1500 ms, not even a heartbeat");
  proxy.speak();
  await source.server.restart();
  await writeMore();
  await assertSameFiles(kingbus, source.onDisk);
});

Deno.test("Syncer says that statements are not answered", async () => {
  await using proxy = new TcpProxy(source);
  await using kingbus = await TestKingbus.start();
  // the greeting and the login's OK have 100 bytes together, and a few
  proxy.silenceAfter(150);
  await kingbus.follow(proxy, {
    readTimeoutMs: 700,
    heartbeatMs: 200,
    connectTimeoutMs: 5000,
  });
  assertSays(await kingbus.waitUntilCause("silent"), "700 ms");
});

Deno.test("Syncer tries a refused login seldom, and at once when started anew", async () => {
  await writeSome();
  await using proxy = new TcpProxy(source);
  await using kingbus = await TestKingbus.start();
  await kingbus.follow(proxy, { password: "wrongpass" });
  const status = await kingbus.waitUntilCause("refused");
  assertEquals([status.state, status.attempts], ["waiting", 1]);
  assert(pauseOf(status) >= 15_000, "the pause is long");
  assertSays(status, "1045", "repl", "password");
  assert(!JSON.stringify(status).includes("wrongpass"));
  await neverWithin(500, "it tried again", () => proxy.connections > 1);
  await kingbus.syncer.stop();
  await kingbus.follow(proxy);
  await assertSameFiles(kingbus, source.onDisk);
});

Deno.test("Syncer says which privileges its account lacks, and goes on when it has them", async () => {
  await source.run(
    "SET sql_log_bin = 0",
    "GRANT USAGE ON *.* TO less@'%' IDENTIFIED BY 'lesspass'",
    "SET sql_log_bin = 1",
  );
  await using kingbus = await TestKingbus.start({ hurry: 100 });
  await kingbus.follow(source, { user: "less", password: "lesspass" });
  const status = await kingbus.waitUntilCause("privileges");
  assertEquals(status.state, "waiting");
  assertSays(status, "GRANT REPLICATION SLAVE, REPLICATION CLIENT", "less");
  await source.run(
    "SET sql_log_bin = 0",
    "GRANT REPLICATION CLIENT ON *.* TO less@'%'",
    "SET sql_log_bin = 1",
  );
  // registering needs the other one
  await waitUntil("registering was refused", () => {
    const { cause, reason = "" } = kingbus.status;
    return cause === "privileges" && reason.includes("1045");
  });
  await source.run(
    "SET sql_log_bin = 0",
    "GRANT REPLICATION SLAVE ON *.* TO less@'%'",
    "SET sql_log_bin = 1",
  );
  await writeSome();
  await assertSameFiles(kingbus, source.onDisk);
});

Deno.test("Syncer waits for a source that has too many connections", async () => {
  await writeSome();
  await source.run("SET GLOBAL max_connections = 1");
  try {
    await using kingbus = await TestKingbus.following(source);
    const status = await kingbus.waitUntilCause("unavailable");
    assertEquals(status.state, "waiting");
    assertSays(status, "1040");
    await source.run("SET GLOBAL max_connections = 100");
    await assertSameFiles(kingbus, source.onDisk);
  } finally {
    await source.run("SET GLOBAL max_connections = 100");
  }
});

Deno.test("Syncer waits for a source that writes no log to write one", async () => {
  await using kingbus = await TestKingbus.start({ hurry: 100 });
  await source.server.restart([
    "--skip-log-bin",
    "--skip-log-slave-updates",
    "--gtid-mode=OFF",
    "--enforce-gtid-consistency=OFF",
  ]);
  try {
    await kingbus.follow(source);
    const status = await kingbus.waitUntilCause("unsuitable");
    assertEquals(status.state, "waiting");
    assertSays(status, "log_bin");
  } finally {
    await source.server.restart([]);
  }
  await writeSome();
  await assertSameFiles(kingbus, source.onDisk);
});

Deno.test("Syncer waits for a source with its own ids to get others", async () => {
  await using kingbus = await TestKingbus.start({ hurry: 100 });
  await source.run(`SET GLOBAL server_id = ${KINGBUS_SERVER_ID}`);
  try {
    await kingbus.follow(source);
    const status = await kingbus.waitUntilCause("own-server-id");
    assertEquals(status.state, "waiting");
    assertSays(status, `server id ${KINGBUS_SERVER_ID}`, "source.server-id");
  } finally {
    await source.run(`SET GLOBAL server_id = ${source.server.serverId}`);
  }
  await writeSome();
  await assertSameFiles(kingbus, source.onDisk);
});

Deno.test("Syncer notices a replica with its ids, and lets it be until it is gone", async () => {
  await writeSome();
  const { server, replica } = replicas;
  await using kingbus = await TestKingbus.start({ hurry: 20 });
  await replica.start({ port: source.port });
  await replica.waitUntilHas(await source.executed());
  const ids = { serverId: server.serverId, uuid: server.uuid };
  await kingbus.follow(source, ids);
  const status = await kingbus.waitUntilCause("duplicate-server-id");
  assertEquals(status.state, "waiting");
  assertSays(
    status,
    `server id ${server.serverId}`,
    `server uuid ${server.uuid}`,
    "source.server-id and source.uuid",
  );
  // kingbus looks now and then whether the other is there still
  await waitUntil("kingbus had asked for the other", () => {
    const { cause, reason = "" } = kingbus.status;
    return cause === "duplicate-server-id" &&
      reason.includes("is registered at the source");
  });
  const { attempts } = kingbus.status;
  await waitUntil("it tried again", () => kingbus.status.attempts > attempts);
  await writeMore();
  await replica.waitUntilHas(await source.executed());
  assertEquals((await replica.state()).Slave_IO_Running, "Yes");
  await server.query("STOP SLAVE");
  await assertSameFiles(kingbus, source.onDisk);
  assertEquals(kingbus.status.state, "following");
});

Deno.test("Syncer keeps nothing of an event that the source's disk has damaged", async () => {
  await writeSome();
  await using kingbus = await TestKingbus.start({ hurry: 10 });
  await kingbus.follow(source);
  await assertSameFiles(kingbus, source.onDisk);
  await kingbus.stop();
  await source.run(
    "INSERT INTO test.t (data) VALUES (REPEAT('x', 1000))",
    "FLUSH LOGS",
  );
  const path = `${source.onDisk.binlogFolder}/binlog.000001`;
  const bytes = await Deno.readFile(path);
  const damaged = Uint8Array.from(bytes);
  const at = damaged.length - 200;
  damaged[at] = damaged[at]! ^ 1;
  await Deno.writeFile(path, damaged);
  const before = kingbus.executed;
  await kingbus.resume();
  const status = await kingbus.waitUntilCause("stream");
  assertEquals(status.state, "waiting");
  assertSays(status, "binlog.000001", "checksum");
  assertEquals(kingbus.executed, before);
  await Deno.writeFile(path, bytes);
  await assertSameFiles(kingbus, source.onDisk);
});

Deno.test("Syncer waits for a source that can't read its own log", async () => {
  await writeSome();
  await using kingbus = await TestKingbus.start({ hurry: 100 });
  await source.run("SET GLOBAL master_verify_checksum = 1");
  try {
    await kingbus.follow(source);
    await assertSameFiles(kingbus, source.onDisk);
    await kingbus.stop();
    await source.run(
      "INSERT INTO test.t (data) VALUES (REPEAT('x', 1000))",
      "FLUSH LOGS",
    );
    const path = `${source.onDisk.binlogFolder}/binlog.000001`;
    const bytes = await Deno.readFile(path);
    const damaged = Uint8Array.from(bytes);
    const at = damaged.length - 200;
    damaged[at] = damaged[at]! ^ 1;
    await Deno.writeFile(path, damaged);
    await kingbus.resume();
    const status = await kingbus.waitUntilCause("source-error");
    assertEquals(status.state, "waiting");
    assertSays(status, "1236");
    await Deno.writeFile(path, bytes);
    await assertSameFiles(kingbus, source.onDisk);
  } finally {
    await source.run("SET GLOBAL master_verify_checksum = 0");
  }
});

Deno.test("Syncer takes events larger than the source's max_allowed_packet", async () => {
  await source.run(
    // InnoDB's own log is too small for such rows
    "CREATE TABLE test.t (id INT AUTO_INCREMENT PRIMARY KEY, data LONGBLOB) ENGINE = MyISAM",
    "SET GLOBAL max_allowed_packet = 67108864",
  );
  {
    await using connection = await source.server.connect();
    await connection.query(
      "INSERT INTO test.t (data) VALUES (REPEAT('x', 20000000))",
    );
  }
  await source.run("SET GLOBAL max_allowed_packet = 1024");
  try {
    await using kingbus = await TestKingbus.following(source);
    await assertSameFiles(kingbus, source.onDisk);
    assertEquals(kingbus.executed, await executedOf(source.server));
  } finally {
    await source.run("SET GLOBAL max_allowed_packet = 4194304");
  }
});

await smallDiskTest(
  "Syncer waits for a source whose disk is full, and that then crashes",
  async () => {
    await using disk = await SmallDisk.mount(1024 * 1024);
    await using server = await startMysql56({
      extraArgs: [`--log-bin=${disk.path}/binlog`],
    });
    await server.query("CREATE TABLE test.t (data LONGBLOB)");
    await using kingbus = await TestKingbus.start({ hurry: 10 });
    await kingbus.follow(server, { heartbeatMs: 200, readTimeoutMs: 1000 });
    await kingbus.waitUntilHas(await executedOf(server));
    const { position } = kingbus.head;
    await disk.fill();
    // waits for space, a minute or more, with half of its event in the file
    const stuck = server.query(
      "INSERT INTO test.t (data) VALUES (REPEAT('x', 60000))",
    ).catch((error: Error) => error);
    const status = await kingbus.waitUntilCause("silent");
    assertEquals([status.state, status.position], ["waiting", position]);
    await server.kill();
    assert(await stuck instanceof Error, "the statement came to no end");
    const path = `${disk.path}/binlog.000001`;
    assert((await Deno.stat(path)).size > position, "half an event is there");
    await disk.resize(10 * 1024 * 1024);
    await server.restart();
    await server.query("INSERT INTO test.t (data) VALUES ('y')");
    await assertSameFiles(kingbus, { server, binlogFolder: disk.path });
    assertEquals(kingbus.executed, await executedOf(server));
  },
);

/** A syncer that writes to a store which is not its alone, or fails. */
async function following(store: BinlogStore): Promise<Syncer> {
  const syncer = new Syncer(store, {
    log: silentLog(),
    now: Date.now,
    random: Math.random,
  });
  await syncer.start({
    hostname: "127.0.0.1",
    port: source.port,
    ...REPLICATION_ACCOUNT,
    serverId: KINGBUS_SERVER_ID,
    uuid: KINGBUS_UUID,
    name: "kingbus",
    start: "oldest",
    heartbeatMs: 500,
    readTimeoutMs: 20_000,
    connectTimeoutMs: 10_000,
  });
  await waitUntil("it had all of the log", async () => {
    const { fileName, position } = await logEndOf(source.server);
    return store.head?.fileName === fileName &&
      store.head.position === position;
  });
  return syncer;
}

/** Waits until it has failed for good; answers how. */
async function failed(syncer: Syncer): Promise<SyncerStatus> {
  return await waitUntil("the syncer failed", () => {
    const status = syncer.status();
    return status.state === "failed" && status;
  });
}

Deno.test("Syncer waits for a store that can't be written, and takes again what is not in it", async () => {
  await writeSome();
  await using disk = new KvTestDisk();
  const plan = new FaultPlan(1000, false);
  const engine = new FaultyEngine(await disk.engine(), plan);
  const store = await BlockLog.open(engine);
  const syncer = await following(store);
  try {
    const { executed } = store.head!;
    plan.writes = plan.failAt - 1;
    await writeMore();
    const { status, had } = await waitUntil("the syncer waited", () => {
      const status = syncer.status();
      const had = store.head!.executed.toString();
      return status.cause === "disk" && { status, had };
    });
    assertEquals([status.state, status.attempts], ["waiting", 1]);
    assertSays(status, "made to fail");
    assertEquals(had, executed.toString());
    const now = await source.executed();
    await waitUntil("it had all of the log again", () => {
      return store.head!.executed.toString() === now;
    });
    assertEquals(syncer.status().cause, undefined);
  } finally {
    await syncer.stop();
    await store.close().catch(() => {});
  }
});

Deno.test("Syncer stops when another process has taken the store over", async () => {
  await writeSome();
  await using disk = new KvTestDisk();
  const store = await disk.open();
  const syncer = await following(store);
  try {
    await using _other = await disk.open();
    await writeMore();
    const status = await failed(syncer);
    assertEquals(status.cause, "fenced");
  } finally {
    await syncer.stop();
    await store.close().catch(() => {});
  }
});

Deno.test("Syncer stops when the store is closed under it", async () => {
  await writeSome();
  await using disk = new KvTestDisk();
  const store = await disk.open();
  const syncer = await following(store);
  try {
    await store.close();
    await writeMore();
    assertEquals((await failed(syncer)).cause, "store");
  } finally {
    await syncer.stop();
  }
});
