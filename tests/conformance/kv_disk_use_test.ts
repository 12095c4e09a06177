import { assert, assertEquals } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { waitUntil } from "../../scripts/test_servers/wait_until.ts";
import type { BinlogStore, DiskUse } from "../../lib/store/binlog_store.ts";
import type { BlockLogOptions } from "../../lib/store/block_log.ts";
import type { BlockEngine } from "../../lib/store/block_engine.ts";
import { openKvStore } from "../../lib/store/kv/open_kv_store.ts";
import { KvTestDisk, type TestDisk } from "../support/test_disk.ts";
import { LogRun } from "./suite/log_run.ts";

/** A disk whose store is opened as the application does it. */
class ApplicationDisk implements TestDisk {
  readonly #disk = new KvTestDisk();

  get path(): string {
    return this.#disk.path;
  }

  open(options: BlockLogOptions = {}): Promise<BinlogStore> {
    return openKvStore({ path: this.path, ...options });
  }

  engine(): Promise<BlockEngine> {
    return this.#disk.engine();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#disk[Symbol.asyncDispose]();
  }
}

/** Begins a log whose store keeps next to no free space. */
function begin(disk: ApplicationDisk): Promise<LogRun> {
  return LogRun.begin(() => disk, {
    store: { spareBytes: 1_000_000, tailBytes: 1_000_000 },
  });
}

/** Appends a file of about so many MB. */
async function appendFile(run: LogRun, megabytes: number): Promise<void> {
  run.startFile();
  for (let count = 0; count < megabytes; count++) {
    run.transaction({ rows: Array(20).fill(50_000) });
    await run.store.writer.ready();
  }
  await run.store.writer.flush();
}

/** Waits until purged files have gone from the disk, and tells what is left. */
async function settled(store: BinlogStore): Promise<DiskUse> {
  return await waitUntil("the store has become smaller", async () => {
    const use = await store.diskUse();
    return use.settled ? use : undefined;
  });
}

Deno.test("diskUse() tells what the database takes, and what of it is free", async () => {
  const disk = new ApplicationDisk();
  await using run = await begin(disk);
  await appendFile(run, 10);
  const full = await run.store.diskUse();
  const files = Deno.statSync(disk.path).size +
    Deno.statSync(`${disk.path}-wal`).size;
  assertEquals(full.databaseBytes, files);
  assert(full.databaseBytes > 10e6);
  assert(full.freeInsideBytes < 1e6, `${full.freeInsideBytes} bytes free`);
});

Deno.test("purged files make the database smaller", async () => {
  const disk = new ApplicationDisk();
  await using run = await begin(disk);
  for (let file = 0; file < 6; file++) await appendFile(run, file < 5 ? 10 : 1);
  const before = Deno.statSync(disk.path).size;
  await run.purge(6);
  const after = await settled(run.store);
  assert(after.freeInsideBytes < 3e6, `${after.freeInsideBytes} bytes free`);
  const size = Deno.statSync(disk.path).size;
  assert(size < before / 4, `${before} bytes before, ${size} after`);
  await run.check();
  await run.reopen();
  await run.check();
});

Deno.test("the database becomes smaller while the log is written and read", async () => {
  const disk = new ApplicationDisk();
  await using run = await begin(disk);
  for (let file = 0; file < 4; file++) await appendFile(run, 10);
  await run.purge(4);
  for (let count = 0; count < 40; count++) {
    run.transaction({ rows: [200_000] });
    await run.store.writer.flush();
    if (count % 10 === 0) await run.check();
  }
  await run.check();
  await settled(run.store);
  await run.reopen();
  await run.check();
});

Deno.test("what is appended takes the place of what was purged", async () => {
  const disk = new ApplicationDisk();
  await using run = await LogRun.begin(() => disk, {
    store: { spareBytes: 1e9 },
  });
  for (let file = 0; file < 3; file++) await appendFile(run, 8);
  let most = Deno.statSync(disk.path).size;
  for (let file = 4; file <= 8; file++) {
    await run.purge(file - 2);
    await settled(run.store);
    await appendFile(run, 8);
    most = Math.max(most, Deno.statSync(disk.path).size);
  }
  assert(most < 45e6, `${most} bytes for 64 MB, of which 24 MB were kept`);
  await run.check();
});

Deno.test("a database that can't become smaller keeps its free space for later", async () => {
  const disk = new ApplicationDisk();
  const database = new DatabaseSync(disk.path);
  database.exec("CREATE TABLE made (x); DROP TABLE made;");
  database.close();
  await using run = await begin(disk);
  for (let file = 0; file < 2; file++) await appendFile(run, 10);
  await run.purge(2);
  const { freeInsideBytes } = await settled(run.store);
  assert(freeInsideBytes > 9e6, `${freeInsideBytes} bytes free`);
  await run.check();
});
