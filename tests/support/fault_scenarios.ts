import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { EventType } from "../../lib/binlog/event_type.ts";
import { eventTypeAt } from "../../lib/binlog/event_header.ts";
import { GtidSet } from "../../lib/gtid/gtid_set.ts";
import type { SyncerStatus } from "../../lib/syncer/syncer_status.ts";
import { waitUntil } from "../../scripts/test_servers/wait_until.ts";
import { readDump, readDumpedFiles } from "./dump_client.ts";
import type { FaultSource } from "./fault_source.ts";
import { assertSameBytes, assertSameFiles } from "./source_file.ts";
import { binlogsOf, logEndOf, valueOf } from "./sql_server.ts";
import { TestKingbus } from "./test_kingbus.ts";
import { TEST_TABLE } from "./test_table.ts";

/** Something that happens to a source, and what has to come of it. */
export interface FaultScenario {
  readonly title: string;
  run(source: FaultSource): Promise<void>;
}

/** Makes `test.t` and puts some rows into it: two transactions. */
async function writeSome(source: FaultSource): Promise<void> {
  await source.run(
    TEST_TABLE,
    "INSERT INTO test.t (data) VALUES ('one'), ('two')",
  );
}

/** Some more transactions. */
async function writeMore(source: FaultSource, count = 1): Promise<void> {
  for (let at = 0; at < count; at++) {
    await source.run("INSERT INTO test.t (data) VALUES (REPEAT('more', 100))");
  }
}

/** A kingbus that has all of the source's log, with shorter pauses. */
async function following(source: FaultSource): Promise<TestKingbus> {
  const kingbus = await TestKingbus.following(source, {
    hurry: 10,
    idleCheckMs: 500,
  });
  try {
    await kingbus.waitUntilHas(await source.executed());
    return kingbus;
  } catch (error) {
    await kingbus[Symbol.asyncDispose]();
    throw error;
  }
}

/** What kingbus serves is what the source's disk has, and what it would send. */
async function assertSame(
  kingbus: TestKingbus,
  source: FaultSource,
): Promise<void> {
  await assertSameFiles(kingbus, source.onDisk);
  assertEquals(kingbus.executed, await source.executed());
  const sent = await readDumpedFiles({ port: source.port });
  for (const [name, bytes] of await readDumpedFiles({ port: kingbus.port })) {
    assertSameBytes(name, bytes, sent.get(name)!);
  }
  const files = kingbus.store.files.map(({ closed }) => closed);
  assertEquals(files, files.map((_, at) => at < files.length - 1));
}

/** Type of the last event that the source sends of a file. */
async function lastTypeOf(source: FaultSource, name: string): Promise<number> {
  const events = await readDump({ port: source.port }, { fileName: name });
  const next = events.findIndex((event, at) =>
    at > 1 && eventTypeAt(event, 0) === EventType.FORMAT_DESCRIPTION
  );
  // in front of a format description is the artificial rotate to its file
  const last = next < 0 ? events.at(-1)! : events[next - 2]!;
  return eventTypeAt(last, 0);
}

/** Cuts what is behind a position of a source's file that is down. */
async function cutFile(
  source: FaultSource,
  name: string,
  size: number,
): Promise<void> {
  await Deno.truncate(`${source.onDisk.binlogFolder}/${name}`, size);
}

function assertSays({ reason = "" }: SyncerStatus, ...parts: string[]): void {
  for (const part of parts) assertStringIncludes(reason, part);
}

/** Waits until files that are made now have another time in them than those so far. */
async function nextSecond(source: FaultSource): Promise<void> {
  const sql = "SELECT UNIX_TIMESTAMP()";
  const begun = await valueOf(source, sql);
  await waitUntil("the source's next second began", async () => {
    return await valueOf(source, sql) !== begun;
  });
}

/** The failed syncer's source is as it was: kingbus serves on what it had. */
async function assertServes(
  kingbus: TestKingbus,
  before: Map<string, Uint8Array>,
): Promise<void> {
  const served = await readDumpedFiles({ port: kingbus.port });
  assertEquals([...served.keys()], [...before.keys()]);
  for (const [name, bytes] of served) {
    assertSameBytes(name, bytes, before.get(name)!);
  }
}

/** What can happen to a source of every version. */
export const FAULT_SCENARIOS: readonly FaultScenario[] = [
  {
    title: "goes on when the source is restarted and flushes its log",
    async run(source) {
      await writeSome(source);
      await using kingbus = await following(source);
      for (let file = 0; file < 3; file++) {
        await source.run("FLUSH LOGS");
        await writeMore(source);
      }
      await assertSame(kingbus, source);
      await source.restart();
      for (let file = 0; file < 3; file++) {
        await source.run("FLUSH LOGS");
        await writeMore(source);
      }
      await assertSame(kingbus, source);
      await kingbus.stop();
      await source.run("FLUSH LOGS");
      await source.restart();
      await writeMore(source);
      await source.run("FLUSH LOGS", "FLUSH LOGS");
      await kingbus.resume();
      await assertSame(kingbus, source);
    },
  },
  {
    title: "goes on when the source crashed and ended no file",
    async run(source) {
      await writeSome(source);
      await using kingbus = await following(source);
      await source.kill();
      const { connectedAt, heardAt, attempts } = await kingbus.waitUntilCause(
        "unreachable",
      );
      assert(connectedAt !== undefined && heardAt !== undefined);
      assert(attempts > 0);
      await source.restart();
      await writeMore(source);
      await assertSame(kingbus, source);
      const type = await lastTypeOf(source, "binlog.000001");
      assert(type !== EventType.ROTATE && type !== EventType.STOP);
      await kingbus.stop();
      await source.kill();
      await source.restart();
      await writeMore(source);
      await source.kill();
      await source.restart();
      await kingbus.resume();
      await assertSame(kingbus, source);
      await kingbus.stop();
      await source.kill();
      await source.restart();
      await kingbus.resume();
      await writeMore(source);
      await assertSame(kingbus, source);
    },
  },
  {
    title:
      "goes on when the source crashed with half a transaction in its file",
    async run(source) {
      await writeSome(source);
      await using kingbus = await following(source);
      // inside an event, inside a transaction, at its end, in the first event
      for (const cut of ["event", "transaction", "whole", "gtid"] as const) {
        await kingbus.stop();
        await writeMore(source);
        const { fileName, position } = await logEndOf(source);
        await source.run(
          "BEGIN",
          "INSERT INTO test.t (data) VALUES (REPEAT('x', 5000))",
          "INSERT INTO test.t (data) VALUES (REPEAT('y', 5000))",
          "COMMIT",
        );
        const end = (await logEndOf(source)).position;
        await source.kill();
        const sizes = {
          event: end - 3000,
          // an Xid event with a checksum
          transaction: end - 31,
          whole: end,
          gtid: position + 10,
        };
        await cutFile(source, fileName, sizes[cut]);
        await source.restart();
        await kingbus.resume();
        await writeMore(source);
        await assertSame(kingbus, source);
      }
    },
  },
  {
    title: "stops when the source lost events in a crash",
    async run(source) {
      await writeSome(source);
      const { fileName, position } = await logEndOf(source);
      await writeMore(source, 2);
      await using kingbus = await following(source);
      const before = await readDumpedFiles({ port: kingbus.port });
      await source.kill();
      await cutFile(source, fileName, position);
      await source.restart();
      const status = await kingbus.waitUntilCause("source-lost-events");
      assertEquals(status.state, "failed");
      assertSays(
        status,
        `once sent`,
        fileName,
        `the source has ${position} bytes`,
        "data-dir",
      );
      // The engine may have kept a transaction whose events are gone; then it is
      // named apart from those that are gone altogether.
      assertEquals(
        gtidsNamed(status.reason ?? "", await source.uuid()),
        `${await source.uuid()}:3-4`,
      );
      await assertServes(kingbus, before);
      // the same GTIDs with other content
      await source.run(
        "DELETE FROM test.t WHERE id < 3",
        "UPDATE test.t SET data = 'other'",
        "UPDATE test.t SET data = 'another'",
      );
      await kingbus.follow(source);
      const again = await kingbus.waitUntilCause("source-lost-events");
      assertSays(again, `the source has ${position} bytes of ${fileName}`);
      await assertServes(kingbus, before);
    },
  },
  {
    title: "stops when the source was restored from an older backup",
    async run(source) {
      await writeSome(source);
      await source.run("FLUSH LOGS");
      await writeMore(source);
      await source.stop();
      const folder = source.onDisk.binlogFolder;
      const backup = await Deno.makeTempDir({ prefix: "kingbus-backup-" });
      try {
        await copy(folder, backup);
        await source.restart();
        await writeMore(source, 2);
        await source.run("FLUSH LOGS");
        await writeMore(source, 2);
        await using kingbus = await following(source);
        await kingbus.stop();
        await source.stop();
        await Deno.remove(folder, { recursive: true });
        await copy(backup, folder);
        await source.restart();
        await kingbus.resume();
        const shorter = await kingbus.waitUntilCause("source-lost-events");
        assertEquals(shorter.state, "failed");
        assertSays(shorter, `${await source.uuid()}:4-7`, "backup");
        const { executed } = kingbus;
        // its files and GTIDs come as far as they were, and further
        await nextSecond(source);
        await writeMore(source, 3);
        await source.run("FLUSH LOGS");
        await source.run("UPDATE test.t SET data = 'other'");
        await writeMore(source, 4);
        await kingbus.follow(source);
        const other = await kingbus.waitUntilCause("reset");
        assertEquals(other.state, "failed");
        assertSays(other, "old backup", "binlog.000004");
        assertEquals(kingbus.executed, executed);
      } finally {
        await Deno.remove(backup, { recursive: true });
      }
    },
  },
  {
    title: "stops when the source was reset while kingbus was away",
    async run(source) {
      await writeSome(source);
      await source.run("FLUSH LOGS");
      await writeMore(source);
      await using kingbus = await following(source);
      const before = await readDumpedFiles({ port: kingbus.port });
      await kingbus.stop();
      await nextSecond(source);
      await source.run(source.resetSql);
      await kingbus.resume();
      const empty = await kingbus.waitUntilCause("reset");
      assertEquals(empty.state, "failed");
      assertSays(empty, "was reset", `${await source.uuid()}:1-3`, "data-dir");
      // to the same positions and GTIDs, and further
      await source.run("DROP TABLE test.t", source.resetSql);
      await writeSome(source);
      await source.run("FLUSH LOGS");
      await writeMore(source, 2);
      await kingbus.follow(source);
      const again = await kingbus.waitUntilCause("reset");
      assertSays(again, "binlog.000002 is not the one that kingbus has");
      await assertServes(kingbus, before);
    },
  },
  {
    title: "stops when the source is reset while kingbus is connected",
    async run(source) {
      for (const then of ["flush", "further", "nothing"]) {
        await source.run("DROP TABLE IF EXISTS test.t", source.resetSql);
        await writeSome(source);
        await using kingbus = await following(source);
        const { position } = kingbus.head;
        const before = await readDumpedFiles({ port: kingbus.port });
        await nextSecond(source);
        const { fileName } = kingbus.head;
        await source.run(
          "SET sql_log_bin = 0",
          "DROP TABLE test.t",
          "SET sql_log_bin = 1",
          source.resetSql,
        );
        if (then !== "nothing") {
          await writeSome(source);
          // the transactions of the file are those that kingbus has
          assertEquals(await logEndOf(source), { fileName, position });
        }
        if (then === "flush") await source.run("FLUSH LOGS");
        if (then === "further") await writeMore(source, 3);
        const status = await kingbus.waitUntilCause("reset");
        assertEquals(status.state, "failed");
        await assertServes(kingbus, before);
      }
    },
  },
  {
    title: "stops when the source purged what comes next, and names it",
    async run(source) {
      await writeSome(source);
      await using kingbus = await following(source);
      const { position } = kingbus.head;
      const before = await readDumpedFiles({ port: kingbus.port });
      await kingbus.stop();
      for (let file = 0; file < 3; file++) {
        await writeMore(source);
        await source.run("FLUSH LOGS");
      }
      await writeMore(source);
      await source.run("PURGE BINARY LOGS TO 'binlog.000004'");
      await kingbus.resume();
      const status = await kingbus.waitUntilCause("purged");
      assertEquals([status.state, status.attempts], ["failed", 1]);
      assertEquals(status.nextAttemptAt, undefined);
      assertSays(
        status,
        `no file binlog.000001 any more, in which kingbus stopped at position ${position}`,
        "its oldest is binlog.000004",
        "from there to binlog.000003",
        `The missing transactions are ${await source.uuid()}:3-5`,
        "kingbus import",
        "data-dir",
      );
      await assertServes(kingbus, before);
      assertEquals((await binlogsOf(source))[0]!.name, "binlog.000004");
      await kingbus.follow(source);
      assertEquals(
        (await kingbus.waitUntilCause("purged")).reason,
        status.reason,
      );
    },
  },
];

async function copy(from: string, to: string): Promise<void> {
  await Deno.mkdir(to, { recursive: true });
  for await (const { name, isDirectory, isFile } of Deno.readDir(from)) {
    if (isDirectory) await copy(`${from}/${name}`, `${to}/${name}`);
    else if (isFile) await Deno.copyFile(`${from}/${name}`, `${to}/${name}`);
  }
}

/** All transactions of a server that a text names. */
function gtidsNamed(text: string, uuid: string): string {
  const named = new GtidSet();
  for (
    const [set] of text.matchAll(new RegExp(`${uuid}(:[0-9]+(-[0-9]+)?)+`, "g"))
  ) {
    named.addSet(GtidSet.parse(set));
  }
  return named.toString();
}
