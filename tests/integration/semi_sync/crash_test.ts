import { assert, assertEquals } from "@std/assert";
import { GtidSet } from "../../../lib/gtid/gtid_set.ts";
import { openKvStore } from "../../../lib/store/kv/open_kv_store.ts";
import { rigTest } from "../../../scripts/test_servers/rig.ts";
import { waitUntil } from "../../../scripts/test_servers/wait_until.ts";
import { KingbusProcess } from "../../support/kingbus_process.ts";
import type { LaunchedServer } from "../../support/launched_server.ts";
import { neverWithin } from "../../support/never_within.ts";
import { readFile } from "../../support/read_stored_file.ts";
import { SeededRandom } from "../../support/seeded_random.ts";
import {
  makeSemiSyncSource,
  semiSyncStatus,
} from "../../support/semi_sync_plugin.ts";
import { SharedMysql97 } from "../../support/shared_mysql97.ts";
import { assertSameBytes, readSourceFile } from "../../support/source_file.ts";
import { executedOf } from "../../support/sql_server.ts";
import { TEST_TABLE } from "../../support/test_table.ts";

const sources = new SharedMysql97(9777);

const INSERT = "INSERT INTO test.t (data) VALUES ('x')";

/** How often kingbus is killed. */
const ROUNDS = 12;

/** A folder for a kingbus, gone at the end. */
async function makeFolder(): Promise<AsyncDisposable & { path: string }> {
  const path = await Deno.makeTempDir({ prefix: "kingbus-semi-sync-" });
  return {
    path,
    [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }),
  };
}

/** A kingbus in a process of its own that acknowledges to the source. */
async function startKingbus(
  source: LaunchedServer,
  folder: string,
): Promise<KingbusProcess> {
  await Deno.writeTextFile(`${folder}/password`, "replpass");
  return await KingbusProcess.start([
    `--data-dir=${folder}/data`,
    `--source-address=127.0.0.1:${source.port}`,
    "--source-user=repl",
    `--source-password-file=${folder}/password`,
    "--source-semi-sync=true",
  ]);
}

async function waitUntilSemiSync(source: LaunchedServer): Promise<void> {
  await using connection = await source.connect();
  await waitUntil("kingbus followed the source", async () => {
    return (await semiSyncStatus(connection)).clients === "1";
  });
}

/**
 * Opens the store that a killed kingbus has left, and makes sure that it has
 * these transactions, and of each file what the source's begins with.
 */
async function assertStoreHas(
  folder: string,
  source: LaunchedServer,
  committed: string,
): Promise<void> {
  await using store = await openKvStore({ path: `${folder}/data/kingbus.db` });
  const missing = GtidSet.parse(committed).subtract(store.head!.executed);
  assertEquals(missing.toString(), "", "committed on the source, not here");
  for (const file of store.files) {
    const stored = await readFile(store, file);
    const whole = await readSourceFile(source.onDisk, file.name);
    assertSameBytes(file.name, stored, whole.subarray(4, 4 + stored.length));
  }
}

await rigTest(
  "a COMMIT waits for a kingbus that stands still",
  ["mysql97"],
  async () => {
    const source = await sources.asSource();
    await source.run(TEST_TABLE);
    await using folder = await makeFolder();
    await using _semiSync = await makeSemiSyncSource(source);
    await using kingbus = await startKingbus(source, folder.path);
    await waitUntilSemiSync(source);
    await source.query(INSERT);
    for (let round = 0; round < 3; round++) {
      kingbus.signal("SIGSTOP");
      let returned = false;
      await using connection = await source.connect();
      const insert = connection.query(INSERT).then(() => returned = true);
      await neverWithin(400, "the COMMIT returned", () => returned);
      kingbus.signal("SIGCONT");
      await insert;
    }
    const status = await kingbus.ask("GET", "/binlog/syncer/status");
    const data = status.data as Record<string, unknown>;
    const acknowledging = data.acknowledging as Record<string, unknown>;
    assertEquals(data.semi_sync, true);
    assertEquals(
      { active: acknowledging.active, waiting: acknowledging.waiting },
      { active: true, waiting: 0 },
    );
    assert(Number(acknowledging.acks_sent) >= 4);
  },
);

await rigTest(
  "what a source has committed is there after kingbus is killed at any moment",
  ["mysql97"],
  async () => {
    const source = await sources.asSource();
    await source.run(TEST_TABLE);
    await using folder = await makeFolder();
    await using _semiSync = await makeSemiSyncSource(source);
    const random = new SeededRandom(20);
    let ended = false;
    let commits = 0;
    const sessions = Array.from({ length: 4 }, async (_, session) => {
      await using connection = await source.connect();
      while (!ended) {
        const bytes = random.integer(0, 30) === 0 ? 100_000 : 40 * session;
        await connection.query(
          `INSERT INTO test.t (data) VALUES (REPEAT('x', ${bytes}))`,
        );
        commits++;
      }
    });
    await using watcher = await source.connect();
    for (let round = 0; round < ROUNDS; round++) {
      await using kingbus = await startKingbus(source, folder.path);
      const wanted = commits + random.integer(1, 200);
      await waitUntil("sessions committed", () => commits >= wanted, {
        intervalMs: 1,
      });
      kingbus.signal("SIGKILL");
      await kingbus.ended();
      // What waits for an acknowledgement is not in here, what came back is.
      const committed = await executedOf(watcher);
      await assertStoreHas(folder.path, source, committed);
    }
    ended = true;
    await using _last = await startKingbus(source, folder.path);
    await Promise.all(sessions);
    const status = await semiSyncStatus(watcher);
    assertEquals(status.no_tx, "0", JSON.stringify(status));
  },
);

await rigTest(
  "a transaction is there when kingbus is killed as soon as its COMMIT returned",
  ["mysql97"],
  async () => {
    const source = await sources.asSource();
    await source.run(TEST_TABLE);
    await using folder = await makeFolder();
    await using _semiSync = await makeSemiSyncSource(source);
    for (let round = 0; round < ROUNDS; round++) {
      await using kingbus = await startKingbus(source, folder.path);
      await waitUntilSemiSync(source);
      await source.query(INSERT);
      kingbus.signal("SIGKILL");
      await kingbus.ended();
      await assertStoreHas(folder.path, source, await executedOf(source));
    }
  },
);
