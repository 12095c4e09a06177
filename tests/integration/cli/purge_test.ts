import { assert, assertEquals } from "@std/assert";
import type { FileStatus } from "../../../lib/admin/file_status.ts";
import { databasePath } from "../../../lib/store/kv/database_path.ts";
import { openKvStore } from "../../../lib/store/kv/open_kv_store.ts";
import { freePort } from "../../../scripts/test_servers/free_port.ts";
import { KingbusProcess, runKingbus } from "../../support/kingbus_process.ts";
import { LogFeeder } from "../../support/log_feeder.ts";
import { MADE_UUID, MadeLog } from "../../support/made_log.ts";

/** An address nobody listens on. */
function nobody(): string {
  return `127.0.0.1:${freePort()}`;
}

/** Makes a store with six files of 1 MB in a folder. */
async function makeStore(dataDir: string): Promise<void> {
  await Deno.mkdir(dataDir);
  await using store = await openKvStore({ path: databasePath(dataDir) });
  const made = new MadeLog();
  const feeder = new LogFeeder(store.writer);
  for (let file = 1; file <= 6; file++) {
    feeder.startFile(`binlog.00000${file}`, MADE_UUID);
    feeder.push(made.beginFile());
    feeder.push(made.transaction({ rows: [500_000, 500_000] }));
    made.timestamp += 3600;
    await store.writer.flush();
  }
}

async function withStore(
  test: (dataDir: string) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "kingbus-purge-" });
  try {
    await makeStore(`${folder}/data`);
    await test(`${folder}/data`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Names of the files a stopped node's store has. */
async function filesIn(dataDir: string): Promise<string> {
  await using store = await openKvStore({ path: databasePath(dataDir) });
  assertEquals((await store.diskUse()).removingBytes, 0);
  return store.files.map(({ name }) => name.slice(-1)).join("");
}

Deno.test("kingbus purge removes files of a store that no node has open", () =>
  withStore(async (dataDir) => {
    const purge = (...args: string[]) =>
      runKingbus([
        "purge",
        `--data-dir=${dataDir}`,
        `--admin-listen=${nobody()}`,
        ...args,
      ]);
    const dry = await purge("--to=binlog.000003", "--dry-run");
    assertEquals([dry.code, dry.stderr], [0, ""]);
    assert(
      dry.stdout.startsWith("would remove 2 files, 1.91 MiB: "),
      dry.stdout,
    );
    assertEquals(await filesIn(dataDir), "123456");
    const done = await purge("--to=binlog.000003");
    assertEquals([done.code, done.stderr], [0, ""]);
    assert(
      done.stdout.includes(
        "binlog.000001 to binlog.000002\nthe log begins with binlog.000003\n",
      ),
      done.stdout,
    );
    assertEquals(await filesIn(dataDir), "3456");
    const unknown = await purge("--to=binlog.000002");
    assertEquals([unknown.code, unknown.stdout], [1, ""]);
    assertEquals(
      unknown.stderr,
      'kingbus: Cannot purge up to "binlog.000002": the log has binlog.000003 to binlog.000006\n',
    );
    const config = `${dataDir}/kingbus.yaml`;
    await Deno.writeTextFile(
      config,
      `retention: { replicas: [{ uuid: ${MADE_UUID}, name: reports }] }`,
    );
    const held = await purge("--before=2030-01-01", `--config=${config}`);
    assertEquals(held.code, 1);
    assert(
      held.stdout.includes(
        `replica reports (${MADE_UUID}) has never connected and needs everything`,
      ),
      held.stdout,
    );
    assertEquals(await filesIn(dataDir), "3456");
    const forced = await purge(
      "--before=2030-01-01",
      "--force",
      `--config=${config}`,
    );
    assertEquals([forced.code, forced.stderr], [0, ""]);
    assertEquals(await filesIn(dataDir), "6");
  }));

Deno.test("kingbus purge asks the node that runs, and leaves its store alone", () =>
  withStore(async (dataDir) => {
    await using kingbus = await KingbusProcess.start([
      `--data-dir=${dataDir}`,
      "--retention-files=5",
      "--retention-check-interval=100ms",
    ]);
    await kingbus.logged("purged the oldest files of the log");
    const address = kingbus.adminUrl.replace("http://", "");
    const purged = await runKingbus([
      "purge",
      "--to=binlog.000004",
      `--admin-listen=${address}`,
    ]);
    assertEquals([purged.code, purged.stderr], [0, ""]);
    const { data } = await kingbus.ask("GET", "/binlog/files");
    const files = data as FileStatus[];
    assertEquals(files.map(({ name }) => name), [
      "binlog.000004",
      "binlog.000005",
      "binlog.000006",
    ]);
    assertEquals(files[0]?.previous_gtids, `${MADE_UUID}:1-3`);
    assertEquals(files.map(({ closed }) => closed).at(-1), false);
    const locked = await runKingbus([
      "purge",
      "--to=binlog.000005",
      `--data-dir=${dataDir}`,
      `--admin-listen=${nobody()}`,
    ]);
    assertEquals([locked.code, locked.stdout], [1, ""]);
    assert(locked.stderr.includes("kingbus.db"), locked.stderr);
    assertEquals(
      ((await kingbus.ask("GET", "/binlog/files")).data as []).length,
      3,
    );
    const status = await runKingbus(["status", `--admin-listen=${address}`]);
    assert(status.stdout.includes("kept      5 files\n"), status.stdout);
  }));
