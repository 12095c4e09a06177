import { assert, assertEquals } from "@std/assert";
import { freePort } from "../../../scripts/test_servers/free_port.ts";
import { waitUntil } from "../../../scripts/test_servers/wait_until.ts";
import {
  DumpClient,
  joinBytes,
  readDump,
  readDumpedFiles,
} from "../../support/dump_client.ts";
import { KingbusProcess } from "../../support/kingbus_process.ts";
import { LOAD_TABLE, LoadWriter } from "../../support/load_writer.ts";
import { SeededRandom } from "../../support/seeded_random.ts";
import {
  SharedReplica56,
  SharedSource56,
} from "../../support/shared_mysql56.ts";
import {
  assertSameBytes,
  assertSameFiles,
  readSourceFile,
} from "../../support/source_file.ts";
import { binlogsOf, checksumTables } from "../../support/sql_server.ts";
import { TcpProxy } from "../../support/tcp_proxy.ts";
import { TestKingbus } from "../../support/test_kingbus.ts";

/** Small files, so that there are many. */
const source = new SharedSource56(["--max-binlog-size=256K"]);
const replica = new SharedReplica56();

Deno.test("a replica gets every transaction through breaks of every connection under load", async () => {
  await source.run(LOAD_TABLE);
  await using upstream = new TcpProxy(source);
  await using kingbus = await TestKingbus.following(upstream);
  await using downstream = new TcpProxy(kingbus);
  await replica.replica.start({ port: downstream.port });
  const seed = Number(Deno.env.get("KINGBUS_SEED") ?? 56);
  const random = new SeededRandom(seed);
  {
    await using first = new LoadWriter(source.server, seed);
    await using _second = new LoadWriter(source.server, seed + 1);
    const faults = [
      () => upstream.cut(),
      () => downstream.cut(),
      async () => {
        await kingbus.syncer.stop();
        await kingbus.follow(upstream);
      },
      async () => {
        await kingbus.stop();
        await kingbus.resume();
      },
    ];
    for (let round = 0; round < 12; round++) {
      await first.more(random.integer(1, 40));
      await random.pick(faults)();
    }
    await first.more(20);
  }
  await replica.replica.waitUntilHas(await source.executed());
  assertEquals(
    await checksumTables(replica.server),
    await checksumTables(source.server),
    `seed ${seed}`,
  );
  await assertSameFiles(kingbus, source.onDisk);
});

Deno.test("a dump that outlasts breaks of the source's connection gets each event once", async () => {
  await source.run(LOAD_TABLE);
  await using upstream = new TcpProxy(source);
  await using kingbus = await TestKingbus.following(upstream);
  await kingbus.waitUntilHas(await source.executed());
  await using client = await DumpClient.open(kingbus, {
    flags: 0,
    serverId: 77,
  });
  const seed = Number(Deno.env.get("KINGBUS_SEED") ?? 57);
  const random = new SeededRandom(seed);
  {
    await using writer = new LoadWriter(source.server, seed);
    for (let round = 0; round < 10; round++) {
      await writer.more(random.integer(1, 20));
      upstream.pieceBytesMax = random.pick([100, 5000, 65_536]);
      upstream.cut();
    }
  }
  upstream.pieceBytesMax = 65_536;
  await assertSameFiles(kingbus, source.onDisk);
  const { fileName, position } = kingbus.head;
  const got = joinBytes(await client.logTo(fileName, position));
  const files = await readDumpedFiles(kingbus);
  const expected = joinBytes([...files.values()].map((file) => file.slice(4)));
  assertSameBytes("what the client got", got, expected);
});

Deno.test("a replica follows through crashes of the source under load", async () => {
  await source.run(LOAD_TABLE);
  await using kingbus = await TestKingbus.following(source);
  await replica.replica.start({ port: kingbus.port });
  {
    await using writer = new LoadWriter(source.server, 58);
    for (let crash = 0; crash < 3; crash++) {
      await writer.more(60);
      await source.server.kill();
      await source.server.restart();
    }
    await writer.more(20);
  }
  await replica.replica.waitUntilHas(await source.executed());
  assertEquals(
    await checksumTables(replica.server),
    await checksumTables(source.server),
  );
  await assertSameFiles(kingbus, source.onDisk);
});

Deno.test("a replica follows through crashes of kingbus under load", async () => {
  await source.run(LOAD_TABLE);
  const folder = await Deno.makeTempDir({ prefix: "kingbus-crash-" });
  await Deno.writeTextFile(
    `${folder}/kingbus.yaml`,
    `data-dir: ${folder}/data
server: { users: [{ name: repl, password: replpass }] }
source: { address: "127.0.0.1:${source.port}", user: repl, password: replpass }
`,
  );
  const port = freePort();
  const args = [
    `--config=${folder}/kingbus.yaml`,
    `--server-listen=127.0.0.1:${port}`,
  ];
  try {
    await replica.replica.start({ port });
    {
      await using writer = new LoadWriter(source.server, 59);
      for (let crash = 0; crash < 4; crash++) {
        await using kingbus = await KingbusProcess.start(args);
        await writer.more(50);
        kingbus.signal("SIGKILL");
        await kingbus.ended();
      }
    }
    await using _kingbus = await KingbusProcess.start(args);
    await replica.replica.waitUntilHas(await source.executed());
    assertEquals(
      await checksumTables(replica.server),
      await checksumTables(source.server),
    );
    for (const [name, bytes] of await readDumpedFiles({ port })) {
      const onDisk = await readSourceFile(source.onDisk, name);
      assertSameBytes(name, bytes, onDisk);
    }
  } finally {
    await replica.replica.stop();
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("a replica that does not read delays only itself", async () => {
  await source.run(LOAD_TABLE);
  await using kingbus = await TestKingbus.following(source);
  await source.run(
    `INSERT INTO test.t (data) VALUES ${
      Array.from({ length: 200 }, () => "(REPEAT('x', 3000))").join(", ")
    }`,
    ...Array.from(
      { length: 30 },
      () => "INSERT INTO test.t (data) SELECT data FROM test.t LIMIT 200",
    ),
  );
  await kingbus.waitUntilHas(await source.executed());
  const files = await binlogsOf(source.server);
  const logBytes = files.reduce((bytes, { size }) => bytes + size, 0);
  await using slow = await DumpClient.open(kingbus, {
    flags: 0,
    serverId: 88,
  });
  const [before] = await waitUntil("its dump had begun", () => {
    return kingbus.replicas[0]?.bytesSent ? kingbus.replicas : false;
  });
  for (let round = 0; round < 3; round++) {
    assert((await readDump(kingbus)).length > 100);
  }
  await source.run("INSERT INTO test.t (data) VALUES ('more')");
  await kingbus.waitUntilHas(await source.executed());
  // what the sockets hold has gone out to it, and no more
  assert(Number(before!.bytesSent) < logBytes / 2);
  assert(Number(kingbus.replicas[0]!.bytesSent) < logBytes / 2);
  await slow.logTo(kingbus.head.fileName, kingbus.head.position);
});

Deno.test("kingbus stops in time although a replica does not read", async () => {
  await source.run(
    LOAD_TABLE,
    `INSERT INTO test.t (data) VALUES ${
      Array.from({ length: 200 }, () => "(REPEAT('x', 3000))").join(", ")
    }`,
    ...Array(30).fill(
      "INSERT INTO test.t (data) SELECT data FROM test.t LIMIT 200",
    ),
  );
  const drainTimeoutMs = 300;
  await using kingbus = await TestKingbus.following(source, {
    server: { drainTimeoutMs },
  });
  await kingbus.waitUntilHas(await source.executed());
  await using _slow = await DumpClient.open(kingbus, {
    flags: 0,
    serverId: 88,
  });
  await waitUntil("its dump had begun", () => {
    return kingbus.replicas[0]?.bytesSent ? true : false;
  });
  const startMs = performance.now();
  await kingbus.stop();
  assert(performance.now() - startMs < 20 * drainTimeoutMs);
  await kingbus.resume();
  assert((await readDump(kingbus)).length > 100);
});
