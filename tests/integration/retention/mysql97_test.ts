import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { ServerError } from "../../../lib/protocol/server_error.ts";
import { rigTest } from "../../../scripts/test_servers/rig.ts";
import { DumpClient } from "../../support/dump_client.ts";
import type { LaunchedServer } from "../../support/launched_server.ts";
import { SharedMysql97 } from "../../support/shared_mysql97.ts";
import {
  binlogsOf,
  checksumTables,
  executedOf,
  valueOf,
} from "../../support/sql_server.ts";
import { TestApp } from "../../support/test_app.ts";
import type { ServerAddress } from "../../support/test_kingbus.ts";
import { assertSamePurges } from "./same_purges.ts";
import { TEST_TABLE } from "../../support/test_table.ts";

const sources = new SharedMysql97(9793);
const replicas = new SharedMysql97(9794);

const ONE_MIB = 2 ** 20;
const SMALL = "retention: { size: 1MiB, check-interval: 100ms }";

async function makeTable(source: LaunchedServer): Promise<void> {
  await source.run(
    TEST_TABLE,
  );
}

/** Writes so many files of 400 kB, and begins another. */
async function writeFiles(
  source: LaunchedServer,
  count: number,
): Promise<void> {
  for (let file = 0; file < count; file++) {
    await source.run(
      "INSERT INTO test.t (data) VALUES (REPEAT('x', 400000))",
      "FLUSH LOGS",
    );
  }
}

/** Waits until a kingbus has all of a source, its newest file too. */
async function waitUntilAll(
  app: TestApp,
  source: LaunchedServer,
): Promise<void> {
  const { name } = (await binlogsOf(source)).at(-1)!;
  await app.waitUntilHas(await executedOf(source));
  await app.waitUntil(`it had ${name}`, () => app.files.at(-1) === name);
}

/** The text of the error that refuses a dump. */
async function refusalOf(
  address: ServerAddress,
  executed: string,
): Promise<string> {
  await using client = await DumpClient.open(address, { executed });
  try {
    await client.rest();
  } catch (error) {
    if (error instanceof ServerError) return `${error.code} ${error.message}`;
    throw error;
  }
  return "none";
}

await rigTest(
  "a 9.7 replica that stays away too long is told what it lacks, in the source's words",
  ["mysql97", "mysql97-replica"],
  async () => {
    const source = await sources.asSource();
    const { server, replica } = await replicas.asReplica();
    await makeTable(source);
    await using app = await TestApp.following(source, SMALL);
    await replica.start({ port: app.port });
    await replica.waitUntilHas(await executedOf(source));
    await replica.stop();
    const has = await executedOf(server);
    await writeFiles(source, 6);
    await waitUntilAll(app, source);
    await app.waitUntil("the size was kept", () => app.bytes <= ONE_MIB);
    await replica.resume();
    const fault = await replica.waitUntilStopped();
    const uuid = await valueOf(source, "SELECT @@server_uuid");
    const last = app.app.store.head!.purged.toString().split("-").at(-1);
    assertStringIncludes(
      fault,
      `Cannot replicate because the source purged required binary logs. Replicate the missing transactions from elsewhere, or provision a new replica from backup. Consider increasing the source's binary log expiration period. The GTID set sent by the replica is '${has}', and the missing transactions are '${uuid}:2-${last}'`,
    );
    assertStringIncludes(fault, "Got fatal error 1236 from source");

    // Purged as far, the source says the same, and when a set is too long, too.
    await source.run(`PURGE BINARY LOGS TO '${app.files[0]}'`);
    assertEquals(
      app.app.store.head!.purged.toString(),
      await valueOf(source, "SELECT @@GLOBAL.gtid_purged"),
    );
    const many = Array.from(
      { length: 12 },
      (_, index) => `${10_000_000 + index}-71ca-11e1-9e33-c80aa9429562:1-9`,
    );
    for (
      const executed of [
        "",
        has,
        `${uuid}:1:3`,
        ...[1, 3, 5, 12].map((count) => many.slice(0, count).join()),
      ]
    ) {
      const expected = await refusalOf(source, executed);
      assert(expected.startsWith("1236 "), expected);
      assertEquals(await refusalOf(app, executed), expected);
    }
  },
);

await rigTest(
  "a 9.7 replica of the configuration that is away keeps its files until it is forced",
  ["mysql97", "mysql97-replica"],
  async () => {
    const source = await sources.asSource();
    const { server, replica } = await replicas.asReplica();
    await makeTable(source);
    const uuid = await valueOf(server, "SELECT @@server_uuid");
    await using app = await TestApp.following(
      source,
      `retention: { size: 1MiB, check-interval: 100ms, replicas: [{ uuid: ${uuid} }] }`,
    );
    await replica.start({ port: app.port });
    await replica.waitUntilHas(await executedOf(source));
    await replica.stop();
    await writeFiles(source, 6);
    await waitUntilAll(app, source);
    await app.waitUntil("it held back", () => app.said("a replica needs") > 0);
    assert(app.bytes > 2 * ONE_MIB);
    await replica.resume();
    await replica.waitUntilHas(await executedOf(source));
    assertEquals(await checksumTables(server), await checksumTables(source));
    await app.waitUntil("it had what it needed", () => app.bytes <= ONE_MIB);

    await replica.stop();
    await writeFiles(source, 3);
    await waitUntilAll(app, source);
    await app.ask("PUT", "/binlog/purge", {
      to: app.files.at(-1),
      force: true,
    });
    assertEquals(app.files.length, 1);
    await replica.resume();
    assertStringIncludes(
      await replica.waitUntilStopped(),
      "Cannot replicate because the source purged required binary logs.",
    );
    const { data } = await app.ask<{ replicas: { lost: boolean }[] }>(
      "GET",
      "/binlog/retention/status",
    );
    assertEquals(data.replicas.map(({ lost }) => lost), [true]);
  },
);

await rigTest("kingbus answers PURGE BINARY LOGS as a 9.7 source does", [
  "mysql97",
  "mysql97-replica",
], async () => {
  const source = await sources.asSource();
  await makeTable(source);
  await writeFiles(source, 5);
  await using app = await TestApp.following(source);
  await waitUntilAll(app, source);
  await app.waitUntil("it had all files", () => app.files.length === 6);
  await assertSamePurges(source, app);
});
