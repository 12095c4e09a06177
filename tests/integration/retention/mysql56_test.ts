import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import type {
  PurgeStatus,
  RetentionStatus,
} from "../../../lib/admin/retention_status.ts";
import { ServerError } from "../../../lib/protocol/server_error.ts";
import { DumpClient } from "../../support/dump_client.ts";
import {
  SharedReplica56,
  SharedSource56,
} from "../../support/shared_mysql56.ts";
import {
  binlogsOf,
  checksumTables,
  valueOf,
} from "../../support/sql_server.ts";
import { TcpProxy } from "../../support/tcp_proxy.ts";
import { TestApp } from "../../support/test_app.ts";
import { assertSamePurges } from "./same_purges.ts";
import { TEST_TABLE } from "../../support/test_table.ts";

const source = new SharedSource56();
const replica = new SharedReplica56();

const ONE_MIB = 2 ** 20;

/** Keeps about the last two of the files that `writeFiles` makes. */
const SMALL = "retention: { size: 1MiB, check-interval: 100ms }";

async function makeTable(): Promise<void> {
  await source.run(
    TEST_TABLE,
  );
}

/** Writes so many files of 400 kB, and begins another. */
async function writeFiles(count: number): Promise<void> {
  for (let file = 0; file < count; file++) {
    for (let row = 0; row < 4; row++) {
      await source.run(
        "INSERT INTO test.t (data) VALUES (REPEAT('x', 100000))",
      );
    }
    await source.run("FLUSH LOGS");
  }
}

/** 16 MB in small events, more than fits into a connection, in one file. */
async function writeLargeFile(): Promise<void> {
  await source.run(
    "CREATE TABLE test.w (id INT AUTO_INCREMENT PRIMARY KEY, data VARCHAR(1000))",
    "INSERT INTO test.w (data) VALUES (REPEAT('w', 1000))",
  );
  for (let rows = 1; rows < 16_384; rows *= 2) {
    await source.run("INSERT INTO test.w (data) SELECT data FROM test.w");
  }
}

/** Waits until a kingbus has all of the source, its newest file too. */
async function waitUntilAll(app: TestApp): Promise<void> {
  const { name } = (await binlogsOf(source.server)).at(-1)!;
  await app.waitUntilHas(await source.executed());
  await app.waitUntil(`it had ${name}`, () => app.files.at(-1) === name);
}

async function uuidOf(): Promise<string> {
  return await valueOf(replica.server, "SELECT @@GLOBAL.server_uuid");
}

Deno.test("a 5.6 replica that stays away too long gets the source's words for a GTID that was purged", async () => {
  await makeTable();
  await using app = await TestApp.following(source, SMALL);
  await replica.replica.start({ port: app.port });
  await replica.replica.waitUntilHas(await source.executed());
  await replica.replica.stop();
  await writeFiles(6);
  await waitUntilAll(app);
  await app.waitUntil("the size was kept", () => app.bytes <= ONE_MIB);
  assert(app.files.length >= 2, app.files.join());
  await replica.replica.resume();
  assertEquals(
    await replica.replica.waitUntilStopped(),
    "1236: Got fatal error 1236 from master when reading data from binary log: 'The slave is connecting using CHANGE MASTER TO MASTER_AUTO_POSITION = 1, but the master has purged binary logs containing GTIDs that the slave requires.'",
  );
  // The same log, purged as far, makes the source refuse the same replica.
  await source.run(`PURGE BINARY LOGS TO '${app.files[0]}'`);
  assertEquals(
    app.app.store.head!.purged.toString(),
    await valueOf(source.server, "SELECT @@GLOBAL.gtid_purged"),
  );
  const { data } = await app.ask<RetentionStatus>(
    "GET",
    "/binlog/retention/status",
  );
  assertEquals(data.last_purge?.limits, ["size"]);
  assertEquals(data.held_back, undefined);
});

Deno.test("a 5.6 replica by position gets 1236 for a file that was purged", async () => {
  await makeTable();
  await using app = await TestApp.following(source, SMALL);
  const from = { fileName: "binlog.000001", position: 4 };
  await replica.replica.start({ port: app.port, from });
  await replica.replica.waitUntilHas(await source.executed());
  await replica.replica.stop();
  await writeFiles(6);
  await app.waitUntil("the file was purged", () => {
    return app.files.length > 1 && !app.files.includes("binlog.000001");
  });
  await replica.replica.resume();
  assertEquals(
    await replica.replica.waitUntilStopped(),
    "1236: Got fatal error 1236 from master when reading data from binary log: 'Could not find first log file name in binary log index file'",
  );
});

Deno.test("a replica of the configuration that is away keeps its files, over a restart too", async () => {
  await makeTable();
  const uuid = await uuidOf();
  await using app = await TestApp.following(
    source,
    `retention:
  size: 1MiB
  check-interval: 100ms
  replicas: [{ uuid: ${uuid.toUpperCase()}, name: reports }]`,
  );
  await waitUntilAll(app);
  await writeFiles(4);
  await waitUntilAll(app);
  await app.waitUntil("it held back", () => app.said("a replica needs") > 0);
  assertEquals(app.files[0], "binlog.000001");
  assertEquals(app.said("replica reports"), 1, app.lines.join(""));

  await replica.replica.start({ port: app.port });
  await replica.replica.waitUntilHas(await source.executed());
  await app.waitUntil("it had what it needed", () => app.bytes <= ONE_MIB);
  await replica.replica.stop();
  const first = app.files[0]!;
  await writeFiles(6);
  await waitUntilAll(app);
  await app.waitUntil("it held back", () => app.bytes > 2 * ONE_MIB);
  const { data } = await app.ask<RetentionStatus>(
    "GET",
    "/binlog/retention/status",
  );
  assertEquals(data.replicas.map(({ name }) => name), ["reports"]);
  assertEquals(data.replicas[0]?.connected, false);

  await app.stop();
  const saidBefore = app.said("the limits of retention can't be kept");
  await app.start();
  await writeFiles(1);
  await waitUntilAll(app);
  await app.waitUntil("it held back again", () => {
    return app.said("the limits of retention can't be kept") > saidBefore;
  });
  const held = await app.ask<RetentionStatus>(
    "GET",
    "/binlog/retention/status",
  );
  assertEquals(held.data.held_back?.by.map(({ name }) => name), ["reports"]);
  const kept = app.files[0]!;
  assert(kept >= first && kept <= held.data.replicas[0]!.file!, kept);

  await replica.replica.start({ port: app.port });
  await replica.replica.waitUntilHas(await source.executed());
  assertEquals(
    await checksumTables(replica.server),
    await checksumTables(source.server),
  );
  await app.waitUntil("it had what it needed", () => app.bytes <= ONE_MIB);
});

Deno.test("a connected replica that is slow keeps its file, until a purge is forced", async () => {
  await writeLargeFile();
  await makeTable();
  await using app = await TestApp.following(source, SMALL);
  await waitUntilAll(app);
  const slow = { flags: 0, serverId: 77, executed: "" };
  const uuid = "4b494e47-4255-2222-8000-000000000077";
  await using client = await DumpClient.open(app, { ...slow, uuid });
  assert(await client.next() !== null);
  await source.run("FLUSH LOGS");
  await writeFiles(6);
  await waitUntilAll(app);
  await app.waitUntil("it held back", () => app.said("a replica needs") > 0);
  assertEquals(app.files[0], "binlog.000001");

  const target = app.files.at(-1)!;
  const polite = await app.ask<PurgeStatus>("PUT", "/binlog/purge", {
    to: target,
  });
  assertEquals(polite.status, 200);
  assertEquals(polite.data.removed, []);
  const [hold] = polite.data.held_back_by;
  assertEquals([hold?.kind, hold?.uuid, hold?.file], [
    "connected",
    uuid,
    "binlog.000001",
  ]);
  await using keeper = await app.connect();
  await keeper.query(`PURGE BINARY LOGS TO '${target}'`);
  const { rows } = await keeper.query("SHOW WARNINGS");
  assertEquals(rows, [[
    "Warning",
    "1867",
    `file ./binlog.000001 was not purged because it was being read by 1 thread(s), purged only 0 out of ${polite.data.asked} files.`,
  ]]);

  const forced = await app.ask<PurgeStatus>("PUT", "/binlog/purge", {
    to: target,
    force: true,
  });
  assertEquals(forced.data.removed[0]?.name, "binlog.000001");
  assertEquals(app.files, [target]);
  assertEquals(app.said("purged by force what a replica still needed"), 1);
  try {
    await client.rest();
    assert(false, "the dump ended without an error");
  } catch (error) {
    assert(error instanceof ServerError, String(error));
    assertEquals(error.code, 1236);
    assertStringIncludes(
      error.message,
      "could not find next log; the first event '' at 4, the last event read from './binlog.000001' at ",
    );
  }
});

for (const mode of ["GTID", "position"]) {
  Deno.test(`a 5.6 replica by ${mode} behind a slow line keeps its file, and stops with 1236 once that is purged by force`, async () => {
    await makeTable();
    for (let row = 0; row < 160; row++) {
      await source.run(
        "INSERT INTO test.t (data) VALUES (REPEAT('x', 100000))",
      );
    }
    await using app = await TestApp.following(source, SMALL);
    await waitUntilAll(app);
    await using proxy = new TcpProxy(app);
    proxy.silenceAfter(300_000);
    await replica.replica.start({
      port: proxy.port,
      ...mode === "GTID"
        ? {}
        : { from: { fileName: "binlog.000001", position: 4 } },
    });
    await app.waitUntil("the replica was reading", () => {
      return app.app.server.report().replicas[0]?.state === "dumping";
    });
    await source.run("FLUSH LOGS");
    await writeFiles(5);
    await waitUntilAll(app);
    await app.waitUntil("it held back", () => app.said("a replica needs") > 0);
    assertEquals(app.files[0], "binlog.000001");
    const { data } = await app.ask<PurgeStatus>("PUT", "/binlog/purge", {
      to: app.files.at(-1),
      force: true,
    });
    assertEquals(data.removed[0]?.name, "binlog.000001");
    proxy.speak();
    assertMatch(
      await replica.replica.waitUntilStopped(),
      /^1236: Got fatal error 1236 from master when reading data from binary log: '(could not find next log;|The slave is connecting using CHANGE MASTER TO MASTER_AUTO_POSITION = 1, but the master has purged|Could not find first log file name in binary log index file)/,
    );
  });
}

Deno.test("kingbus answers PURGE BINARY LOGS as a 5.6 source does", async () => {
  await makeTable();
  await writeFiles(5);
  await using app = await TestApp.following(source);
  await waitUntilAll(app);
  await app.waitUntil("it had all files", () => app.files.length === 6);
  await assertSamePurges(source.server, app);
});
