import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { EventType } from "../../../lib/binlog/event_type.ts";
import { decodeEventHeader } from "../../../lib/binlog/event_header.ts";
import { rigTest } from "../../../scripts/test_servers/rig.ts";
import type { LaunchedServer } from "../../support/launched_server.ts";
import {
  assertSameLog,
  caughtUp,
  mariadbStateOf,
  SharedMariadb,
  writeRow,
} from "../../support/mariadb_source.ts";
import { logEndOf } from "../../support/sql_server.ts";
import { TestKingbus } from "../../support/test_kingbus.ts";

const sources = new SharedMariadb(8131);

/**
 * Ends the server as a crash does that came while it wrote its newest
 * transaction: of that stay so many events, and so many bytes of the next one.
 */
async function crashInside(
  source: LaunchedServer,
  events: number,
  bytes = 0,
): Promise<void> {
  const { fileName } = await logEndOf(source);
  await source.kill();
  const path = `${source.onDisk.binlogFolder}/${fileName}`;
  const file = await Deno.readFile(path);
  let begin = 0;
  for (let at = 4; at < file.length;) {
    const { type, eventSize } = decodeEventHeader(file, at);
    if (type === EventType.MARIADB_GTID) begin = at;
    at += eventSize;
  }
  let end = begin;
  for (let event = 0; event < events; event++) {
    end += decodeEventHeader(file, end).eventSize;
  }
  await Deno.truncate(path, end + bytes);
  await source.restart();
}

await rigTest(
  "Syncer goes on, as replicas do, after a MariaDB source crashed inside a transaction",
  ["mariadb"],
  async () => {
    const source = await sources.fresh();
    await writeRow(source);
    await using kingbus = await TestKingbus.following(source, { hurry: 10 });
    await caughtUp(kingbus, source);
    // What comes now never arrives whole.
    await kingbus.syncer.stop();
    for (const events of [1, 2, 3]) {
      await writeRow(source, "'lost'");
      await crashInside(source, events);
      // The GTID of what was lost is given out again.
      const before = await mariadbStateOf(source);
      await writeRow(source);
      await kingbus.follow(source);
      await assertSameLog(kingbus, source);
      await kingbus.syncer.stop();
      assertEquals(
        kingbus.head.mariadb!.lastOf(0)!.sequence,
        before.lastOf(0)!.sequence + 1n,
      );
    }
    // Half a transaction is part of the file, and stays when the log is opened.
    await kingbus.stop();
    await kingbus.resume();
    await writeRow(source);
    await source.run("FLUSH BINARY LOGS");
    await writeRow(source);
    await assertSameLog(kingbus, source);
  },
);

await rigTest(
  "Syncer that was following when a MariaDB source crashed inside a transaction goes on",
  ["mariadb"],
  async () => {
    const source = await sources.fresh();
    await using kingbus = await TestKingbus.following(source, { hurry: 10 });
    await writeRow(source);
    await caughtUp(kingbus, source);
    const { position } = kingbus.head;
    // The dump does not reach what is cut off again.
    await source.run("SET GLOBAL binlog_checksum = CRC32");
    await kingbus.syncer.stop();
    await writeRow(source, "REPEAT('x', 5000000)");
    await crashInside(source, 3);
    await kingbus.follow(source);
    await assertSameLog(kingbus, source);
    assert(kingbus.store.files[0]!.size > position);
    assertEquals(kingbus.status.executed, "0-8131-1");
  },
);

await rigTest(
  "Syncer goes on behind a file of a MariaDB source that a crash cut inside an event",
  ["mariadb"],
  async () => {
    const source = await sources.fresh();
    await writeRow(source);
    await using kingbus = await TestKingbus.following(source, { hurry: 10 });
    await caughtUp(kingbus, source);
    for (const [events, bytes] of [[2, 10], [0, 25], [3, 30]] as const) {
      await kingbus.syncer.stop();
      const { fileName, position } = kingbus.head;
      await writeRow(source, "'lost'");
      await crashInside(source, events, bytes);
      await writeRow(source);
      await kingbus.follow(source);
      const { reason } = await kingbus.waitUntilCause("source-error");
      assertStringIncludes(reason!, "truncated in the middle of event");
      assertStringIncludes(reason!, "goes on with the next one");
      await caughtUp(kingbus, source);
      // Whole transactions only, and all of them.
      assertEquals(kingbus.store.fileByName(fileName)!.size, position);
      const state = await mariadbStateOf(source);
      assertEquals(kingbus.status.executed, `${state}`);
    }
    // It is gone on with, also where nobody remembers that a file was torn.
    await kingbus.stop();
    await writeRow(source);
    await kingbus.resume();
    await caughtUp(kingbus, source);
    assertEquals(kingbus.status.currentGtid, "0-8131-5");
  },
);

await rigTest(
  "Syncer takes a torn file of a MariaDB source for damage where transactions are missing behind it",
  ["mariadb"],
  async () => {
    const source = await sources.fresh();
    await writeRow(source);
    await using kingbus = await TestKingbus.following(source, { hurry: 10 });
    await caughtUp(kingbus, source);
    await kingbus.syncer.stop();
    const { fileName, position } = kingbus.head;
    await writeRow(source);
    await source.run("FLUSH BINARY LOGS");
    await writeRow(source);
    // The server knows that it had written all of it.
    await Deno.truncate(
      `${source.onDisk.binlogFolder}/${fileName}`,
      position + 50,
    );
    await kingbus.follow(source);
    const { cause, reason } = await kingbus.waitUntilState("failed");
    assertEquals(cause, "hole");
    assertStringIncludes(reason!, "in no earlier file: 0-8131-2");
    assertEquals(kingbus.status.executed, "0-8131-1");
  },
);
