import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { EventType } from "../../../lib/binlog/event_type.ts";
import { rigTest } from "../../../scripts/test_servers/rig.ts";
import { waitUntil } from "../../../scripts/test_servers/wait_until.ts";
import { assertSound } from "../../support/assert_sound.ts";
import type { LaunchedServer } from "../../support/launched_server.ts";
import { checkpointed } from "../../support/mariadb_checkpoint.ts";
import {
  assertSameLog,
  mariadbStateOf,
  SharedMariadb,
  writeRow,
} from "../../support/mariadb_source.ts";
import { readFile } from "../../support/read_stored_file.ts";
import { assertSameBytes, readSourceFile } from "../../support/source_file.ts";
import { logEndOf, valueOf } from "../../support/sql_server.ts";
import { TestKingbus } from "../../support/test_kingbus.ts";

const as = new SharedMariadb(8141);
const bs = new SharedMariadb(8142);

/** A source and another server that replicates from it by GTID. */
async function pair(): Promise<{ a: LaunchedServer; b: LaunchedServer }> {
  const [a, b] = [await as.fresh(), await bs.fresh()];
  await b.run(
    `CHANGE MASTER TO MASTER_HOST = '127.0.0.1', MASTER_PORT = ${a.port},
     MASTER_USER = 'repl', MASTER_PASSWORD = 'replpass',
     MASTER_USE_GTID = slave_pos, MASTER_CONNECT_RETRY = 1`,
    "START SLAVE",
  );
  return { a, b };
}

/** Waits until one server has logged what the other one has. */
async function replicated(from: LaunchedServer, to: LaunchedServer) {
  const state = await mariadbStateOf(from);
  await waitUntil("the replica had all", async () => {
    return (await mariadbStateOf(to)).contains(state);
  });
}

/** Makes it a server of its own. */
async function promote(server: LaunchedServer): Promise<void> {
  await server.run("STOP ALL SLAVES", "RESET SLAVE ALL");
}

/** Waits until the log has what the server has logged. */
async function waitUntilHas(
  kingbus: TestKingbus,
  server: LaunchedServer,
): Promise<void> {
  const state = await mariadbStateOf(server);
  await waitUntil(`kingbus had ${state}`, () => {
    const { head } = kingbus.store;
    if (kingbus.status.state === "failed") {
      throw new TypeError(Deno.inspect(kingbus.status));
    }
    return head?.mariadb?.contains(state) ?? false;
  }).catch((error) => {
    throw new TypeError(Deno.inspect(kingbus.status), { cause: error });
  });
  assert(kingbus.head.mariadb!.equals(state));
}

/** Types of a stored file's events. */
async function typesOf(kingbus: TestKingbus, at: number): Promise<number[]> {
  const bytes = await readFile(kingbus.store, kingbus.store.files.at(at)!);
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const types: number[] = [];
  for (let event = 0; event < bytes.length;) {
    types.push(bytes[event + 4]!);
    event += view.getUint32(event + 9, true);
  }
  return types;
}

await rigTest(
  "Syncer goes on by GTID with the promoted replica of a MariaDB source",
  ["mariadb"],
  async () => {
    const { a, b } = await pair();
    await writeRow(a);
    await writeRow(a);
    await using kingbus = await TestKingbus.following(a);
    await assertSameLog(kingbus, a);
    await replicated(a, b);
    await kingbus.syncer.stop();
    await promote(b);
    await kingbus.follow(b);
    await kingbus.waitUntilState("following");
    // A server that has nothing new leaves no trace.
    assertEquals(kingbus.store.files.length, 1);
    await writeRow(b);
    await b.run("SET SESSION gtid_domain_id = 5");
    await writeRow(b);
    await b.run("SET SESSION gtid_domain_id = 0");
    await waitUntilHas(kingbus, b);
    const spliced = kingbus.store.files.at(-1)!;
    assert(spliced.spliced);
    assertEquals(`${spliced.mariadbStart}`, "0-8141-2");
    assertEquals(spliced.serverUuid, "mariadb-8142");
    assertEquals((await typesOf(kingbus, -1)).slice(0, 3), [
      EventType.FORMAT_DESCRIPTION,
      EventType.MARIADB_GTID_LIST,
      EventType.MARIADB_GTID,
    ]);
    // It is gone on with by GTID.
    await kingbus.stop();
    await writeRow(b);
    await kingbus.resume();
    await waitUntilHas(kingbus, b);
    assertEquals(kingbus.store.files.length, 2);
    // From its next file on, files are taken as they are.
    await b.run("FLUSH BINARY LOGS");
    await writeRow(b);
    await waitUntilHas(kingbus, b);
    await checkpointed(b);
    const { position } = await logEndOf(b);
    await kingbus.waitUntilAt(kingbus.head.fileName, position);
    const whole = kingbus.store.files.at(-1)!;
    assertEquals(whole.spliced, false);
    const expected = await readSourceFile(b.onDisk, whole.sourceName);
    assertSameBytes(
      whole.name,
      await readFile(kingbus.store, whole),
      expected.subarray(4),
    );
    await assertSound(kingbus);
    await kingbus.stop();
    await kingbus.resume();
    await writeRow(b);
    await waitUntilHas(kingbus, b);
    assertEquals(kingbus.store.files.length, 3);
    await assertSound(kingbus);
  },
);

await rigTest(
  "Syncer changes by itself to a MariaDB candidate when the source crashes",
  ["mariadb"],
  async () => {
    const { a, b } = await pair();
    await using kingbus = await TestKingbus.start({ hurry: 10 });
    await kingbus.follow(a, {
      candidates: [{ hostname: "127.0.0.1", port: b.port }],
      switchAfterMs: 100,
    });
    await writeRow(a);
    await waitUntilHas(kingbus, a);
    await replicated(a, b);
    await a.kill();
    await promote(b);
    await writeRow(b);
    await waitUntilHas(kingbus, b);
    assertEquals(kingbus.status.currentGtid, "0-8142-2");
    await assertSound(kingbus);
  },
);

await rigTest(
  "Syncer waits for a MariaDB server that lacks what the log has",
  ["mariadb"],
  async () => {
    const { a, b } = await pair();
    await writeRow(a);
    await replicated(a, b);
    await b.run("STOP SLAVE");
    await writeRow(a);
    await using kingbus = await TestKingbus.following(a, { hurry: 10 });
    await waitUntilHas(kingbus, a);
    await kingbus.follow(b).catch(() => kingbus.syncer.stop());
    await kingbus.syncer.stop();
    await kingbus.follow(b);
    const { reason } = await kingbus.waitUntilCause("behind");
    assertStringIncludes(
      reason!,
      "lacks transactions that the log has: 0-8141-2",
    );
    await b.run("START SLAVE");
    await kingbus.waitUntilState("following");
  },
);

await rigTest(
  "Syncer refuses a MariaDB server that has written on its own before what the log has",
  ["mariadb"],
  async () => {
    const { a, b } = await pair();
    await writeRow(a);
    await replicated(a, b);
    // In the file that has the newest of the log, and in one before it.
    for (
      const [flush, expected] of [[false, "0-8142-2"], [
        true,
        "0-8142-",
      ]] as const
    ) {
      await b.run(
        "INSERT INTO test.t (id, data) VALUES (1000 + CEIL(RAND() * 1000000), 'own')",
      );
      if (flush) await b.run("FLUSH BINARY LOGS");
      await writeRow(a);
      await writeRow(a);
      await replicated(a, b);
      await using kingbus = await TestKingbus.following(a);
      await waitUntilHas(kingbus, a);
      await kingbus.syncer.stop();
      await kingbus.follow(b);
      const { cause, reason } = await kingbus.waitUntilState("failed");
      assertEquals(cause, "errant");
      assertStringIncludes(reason!, expected);
    }
  },
);

await rigTest(
  "Syncer refuses a MariaDB server that has purged what the log lacks",
  ["mariadb"],
  async () => {
    const { a, b } = await pair();
    await writeRow(a);
    await using kingbus = await TestKingbus.following(a);
    await waitUntilHas(kingbus, a);
    await kingbus.syncer.stop();
    await writeRow(a);
    await replicated(a, b);
    await promote(b);
    await b.run("FLUSH BINARY LOGS");
    await waitUntil("the server had purged its first file", async () => {
      await b.run("PURGE BINARY LOGS TO 'binlog.000002'");
      return await valueOf(b, "SHOW BINARY LOGS") === "binlog.000002";
    });
    await kingbus.follow(b);
    const { cause, reason } = await kingbus.waitUntilState("failed");
    assertEquals(cause, "purged");
    assertStringIncludes(reason!, "some of those up to 0-8141-2");
  },
);
