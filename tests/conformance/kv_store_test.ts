import { assert, assertEquals, assertRejects } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { StoreError } from "../../lib/store/binlog_store.ts";
import { formatValue } from "../../lib/store/kv/kv_loader.ts";
import {
  HEAD_PLACE,
  openRecord,
  sealRecord,
} from "../../lib/store/kv/kv_record.ts";
import { openKvStore } from "../../lib/store/kv/open_kv_store.ts";
import { LogFeeder } from "../support/log_feeder.ts";
import { killedTransaction, scatteredGtids } from "../support/killed_log.ts";
import { MadeLog } from "../support/made_log.ts";
import { assertSameBytes, describeHead } from "../support/naive_log.ts";
import { readFile } from "../support/read_stored_file.ts";
import { readFramed } from "../support/read_log.ts";
import { KvTestDisk } from "../support/test_disk.ts";
import { storeConformance } from "./store_conformance.ts";
import { LogRun } from "./suite/log_run.ts";

storeConformance("KV store", () => new KvTestDisk());

/** Opens what has to fail, and answers how. */
async function refused(path: string): Promise<StoreError> {
  return await assertRejects(() => openKvStore({ path }), StoreError);
}

/** Changes a database behind the store's back. */
async function meddle(
  path: string,
  change: (kv: Deno.Kv) => Promise<unknown>,
): Promise<void> {
  const kv = await Deno.openKv(path);
  await change(kv);
  kv.close();
}

Deno.test("openKvStore() refuses a store that is open, and names its process", async () => {
  await using disk = new KvTestDisk();
  const { path } = disk;
  const store = await openKvStore({ path });
  const error = await refused(path);
  assertEquals(error.kind, "locked");
  assert(error.message.includes(`process ${Deno.pid} has it open`));
  assert(error.message.includes(path));
  await store.close();
  await using _again = await openKvStore({ path });
});

Deno.test("openKvStore() makes the folder, and 16 KiB pages", async () => {
  await using disk = new KvTestDisk();
  const path = `${disk.folder}/a/b/log.db`;
  const store = await openKvStore({ path });
  await store.setMeta("name", 1);
  await store.close();
  const database = new DatabaseSync(path, { readOnly: true });
  assertEquals(database.prepare("PRAGMA page_size").get()?.page_size, 16_384);
  // For its owner's eyes: passwords are in it.
  assertEquals(Deno.statSync(path).mode! & 0o777, 0o600);
  database.close();
  await using again = await openKvStore({ path });
  assertEquals(await again.getMeta("name"), 1);
});

Deno.test("openKvStore() refuses another format, and lets go of the lock", async () => {
  await using disk = new KvTestDisk();
  const { path } = disk;
  await (await openKvStore({ path })).close();
  const cases = [
    [{ product: "kingbus", version: 1 }, "format", "format 1, of an older"],
    [formatValue(3), "format", "format 3, of a newer"],
    [{ ...formatValue(2), version: 3 }, "corrupt", "format's record"],
    [{ product: "kingbus", version: 2 }, "corrupt", "format's record"],
    [{ product: "queenbus", version: 2 }, "corrupt", "format's record"],
    ["kingbus", "corrupt", "format's record"],
    [1, "corrupt", "format's record"],
  ] as const;
  for (const [format, kind, text] of cases) {
    await meddle(path, (kv) => kv.set(["format"], format));
    for (let count = 0; count < 2; count++) {
      const error = await refused(path);
      assertEquals(error.kind, kind);
      assert(error.message.includes(text), error.message);
      assert(error.message.includes(path), error.message);
    }
  }
  await meddle(path, (kv) => kv.set(["format"], formatValue()));
  await (await openKvStore({ path })).close();
});

Deno.test("openKvStore() refuses a database of something else", async () => {
  await using disk = new KvTestDisk();
  const { path } = disk;
  await meddle(path, (kv) => kv.set(["format"], { product: "queenbus" }));
  assertEquals((await refused(path)).kind, "format");
  await meddle(path, (kv) => kv.delete(["format"]));
  await meddle(path, (kv) => kv.set(["users", 1], "somebody"));
  const error = await refused(path);
  assertEquals(error.kind, "format");
  assert(error.message.includes('"users"'));
  // It was left as it was.
  await meddle(path, async (kv) => {
    assertEquals((await kv.get(["format"])).value, null);
    assertEquals((await kv.get(["lease"])).value, null);
  });
});

Deno.test("openKvStore() refuses a file that is no database", async () => {
  await using disk = new KvTestDisk();
  const text = "no database\n".repeat(1000);
  await Deno.writeTextFile(disk.path, text);
  const error = await refused(disk.path);
  assertEquals(error.kind, "format");
  assert(error.message.includes(disk.path), error.message);
  assertEquals(await Deno.readTextFile(disk.path), text);
  assertEquals((await refused(`${disk.path}/below-a-file`)).kind, "io");
});

Deno.test("openKvStore() leaves a database alone that is not Deno KV's", async () => {
  await using disk = new KvTestDisk();
  const { path } = disk;
  const database = new DatabaseSync(path);
  database.exec("CREATE TABLE kv (k); INSERT INTO kv VALUES ('a')");
  database.close();
  const before = await Deno.readFile(path);
  const error = await refused(path);
  assertEquals(error.kind, "format");
  assert(error.message.includes("not a database of kingbus"), error.message);
  assertSameBytes(await Deno.readFile(path), before);
});

Deno.test("openKvStore() refuses a log that contradicts itself", async () => {
  const damages: ((kv: Deno.Kv) => Promise<unknown>)[] = [
    (kv) => kv.delete(["file", 1n]),
    (kv) => kv.delete(["file", 2n]),
    (kv) => kv.delete(["file", 3n]),
    (kv) => swap(kv, ["file", 1n], ["file", 2n]),
    (kv) => kv.delete(["head"]),
    (kv) => kv.delete(["names"]),
    (kv) => kv.delete(["tail", 0n]),
    (kv) => kv.set(["tail", 0n], new Uint8Array(10)),
    (kv) => changeHead(kv, (head) => ({ ...head, position: 5_000 })),
    (kv) => changeHead(kv, (head) => ({ ...head, fileNumber: 4 })),
    (kv) =>
      changeHead(kv, (head) => ({ ...head, executed: new Uint8Array(3) })),
    (kv) =>
      changeHead(kv, (head) => ({
        ...head,
        executed: { generation: 1, pieces: 2 },
      })),
  ];
  for (const [index, damage] of damages.entries()) {
    await using run = await LogRun.begin(() => new KvTestDisk());
    for (let file = 0; file < 3; file++) {
      run.startFile();
      run.transaction();
    }
    await run.check();
    await run.store.close();
    const { path } = run.disk as KvTestDisk;
    await meddle(path, damage);
    assertEquals([index, (await refused(path)).kind], [index, "corrupt"]);
  }
});

async function swap(kv: Deno.Kv, one: Deno.KvKey, other: Deno.KvKey) {
  const [a, b] = await Promise.all([kv.get(one), kv.get(other)]);
  await kv.set(one, b.value);
  await kv.set(other, a.value);
}

async function changeHead(
  kv: Deno.Kv,
  change: (head: Record<string, unknown>) => Record<string, unknown>,
): Promise<void> {
  const { value } = await kv.get(["head"]);
  const { record } = openRecord(HEAD_PLACE, value)!;
  const changed = change(record as Record<string, unknown>);
  await kv.set(["head"], sealRecord(HEAD_PLACE, changed));
}

Deno.test("a value beside the log that is damaged or lost is a fault", async () => {
  await using disk = new KvTestDisk();
  const { path } = disk;
  const store = await openKvStore({ path });
  const version = store.metaVersion;
  await store.setMeta("one", { text: "a" });
  assert(store.metaVersion > version);
  await store.setMeta("other", 2);
  await store.setMeta("gone", 3);
  await store.setMeta("gone", undefined);
  await store.close();
  await meddle(path, (kv) => kv.delete(["meta", "one"]));
  await meddle(path, (kv) => kv.set(["meta", "other"], 2));
  await using again = await openKvStore({ path });
  for (const name of ["one", "other"]) {
    const fault = await assertRejects(() => again.getMeta(name), StoreError);
    assertEquals(fault.kind, "corrupt");
    assert(fault.message.includes(name), fault.message);
  }
  assertEquals(await again.getMeta("gone"), undefined);
  await again.setMeta("one", 7);
  assertEquals(await again.getMeta("one"), 7);
});

Deno.test("a block that is missing is a fault, not another block", async () => {
  await using run = await LogRun.begin(() => new KvTestDisk());
  run.startFile();
  run.transaction({ rows: Array(40).fill(50_000) });
  await run.check();
  await run.store.close();
  await meddle((run.disk as KvTestDisk).path, (kv) => kv.delete(["block", 5n]));
  await run.reopen();
  const reader = await run.store.openReader({ fileNumber: 1, position: 4 });
  for (let block = 0; block < 5; block++) await reader.next();
  const error = await assertRejects(() => readFramed(reader), StoreError);
  assertEquals(error.kind, "corrupt");
  assert(error.message.includes("block 5"));
});

Deno.test("a large set that stays is not written again", async () => {
  await using run = await LogRun.begin(() => new KvTestDisk(), {
    purged: scatteredGtids(1_000),
  });
  run.startFile();
  run.transaction();
  await run.check();
  const kv = await Deno.openKv((run.disk as KvTestDisk).path);
  const before = await pieces(kv);
  for (let count = 0; count < 3; count++) {
    run.transaction();
    await run.store.writer.flush();
  }
  const after = await pieces(kv);
  kv.close();
  for (const owner of ["purged", "previous/1"]) {
    assertEquals(after.get(owner), before.get(owner));
  }
  assert(after.get("executed") !== before.get("executed"));
  assertEquals([...after.keys()].toSorted(), [
    "executed",
    "previous/1",
    "purged",
  ]);
});

Deno.test("pieces of large sets that no record names are removed", async () => {
  await using run = await LogRun.begin(() => new KvTestDisk(), {
    purged: scatteredGtids(1_000),
  });
  run.startFile();
  run.transaction();
  run.startFile();
  await run.check();
  await run.store.close();
  const { path } = run.disk as KvTestDisk;
  await meddle(path, async (kv) => {
    for (const owner of ["executed", "previous/2", "previous/7"]) {
      for (let piece = 0n; piece < 3n; piece++) {
        await kv.set(["bytes", owner, 99n, piece], new Uint8Array(50_000));
      }
    }
  });
  await run.reopen();
  await run.check();
  await run.store.close();
  await meddle(path, async (kv) => {
    const generations = await pieces(kv);
    assertEquals(generations.size, 4);
    assert([...generations.values()].every((one) => !one.includes("99")));
  });
  // New pieces do not take the place of some that are named.
  for (let count = 0; count < 4; count++) {
    await run.reopen();
    run.transaction();
    await run.check();
  }
});

/** Generations and numbers of the pieces that each owner has. */
async function pieces(kv: Deno.Kv): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for await (const { key } of kv.list({ prefix: ["bytes"] })) {
    const [, owner, generation, piece] = key.map(String);
    const known = found.get(owner!) ?? "";
    found.set(owner!, `${known} ${generation}/${piece}`);
  }
  return found;
}

Deno.test("a copy of the folder is what a crash leaves", async () => {
  await using run = await LogRun.begin(() => new KvTestDisk());
  run.startFile();
  run.transaction({ rows: [100_000] });
  run.transaction();
  run.partOfTransaction({ rows: Array(70).fill(30_000) });
  await run.store.writer.flush();
  const { folder } = run.disk as KvTestDisk;
  const copy = await Deno.makeTempDir({ prefix: "kingbus-store-" });
  try {
    for await (const { name } of Deno.readDir(folder)) {
      await Deno.copyFile(`${folder}/${name}`, `${copy}/${name}`);
    }
    await using store = await openKvStore({ path: `${copy}/kingbus.db` });
    await run.naive.assertShown(store, run.naive.newest);
    assertEquals(describeHead(store.head), describeHead(run.store.head));
  } finally {
    await Deno.remove(copy, { recursive: true });
  }
});

Deno.test("a killed writer leaves all it said was durable", async () => {
  await using disk = new KvTestDisk();
  const { path } = disk;
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--unstable-kv",
      "--no-check",
      "-A",
      new URL("../support/kv_writer_process.ts", import.meta.url).pathname,
      path,
    ],
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  let lines = "";
  let locked: StoreError | undefined;
  for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
    lines += text;
    if (lines.split("\n").length < 60 || locked !== undefined) continue;
    locked = await refused(path);
    child.kill("SIGKILL");
  }
  await child.status;
  assertEquals(locked?.kind, "locked");
  assert(locked!.message.includes(`process ${child.pid} has it open`));
  const acknowledged = Number(lines.split("\n").at(-2));

  await using store = await openKvStore({ path });
  const { position } = store.head!;
  assert(position >= acknowledged);
  // What it holds is what the process made, up to the end of a transaction.
  const made = new MadeLog();
  await using other = new KvTestDisk();
  const twin = await other.open();
  const feeder = new LogFeeder(twin.writer);
  feeder.startFile("binlog.000001");
  feeder.push(made.beginFile());
  for (let count = 0; made.position < position; count++) {
    feeder.push(
      made.transaction(killedTransaction(count)),
    );
  }
  await twin.writer.flush();
  assertEquals(describeHead(store.head), describeHead(twin.head));
  assertSameBytes(
    await readFile(store, store.files[0]!),
    await readFile(twin, twin.files[0]!),
  );
});
