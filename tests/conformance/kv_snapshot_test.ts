import { assert, assertEquals, assertRejects } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { type StoredFile, StoreError } from "../../lib/store/binlog_store.ts";
import type { LogSnapshot } from "../../lib/store/log_snapshot.ts";
import { openKvSnapshot } from "../../lib/store/kv/open_kv_snapshot.ts";
import { formatValue } from "../../lib/store/kv/kv_loader.ts";
import { openKvStore } from "../../lib/store/kv/open_kv_store.ts";
import { waitUntil } from "../../scripts/test_servers/wait_until.ts";
import { joinBytes } from "../support/dump_packets.ts";
import { killedTransaction, scatteredGtids } from "../support/killed_log.ts";
import { MadeLog } from "../support/made_log.ts";
import { assertSameBytes, describeHead } from "../support/naive_log.ts";
import { readFramed, readFrom } from "../support/read_log.ts";
import { readFile } from "../support/read_stored_file.ts";
import { KvTestDisk } from "../support/test_disk.ts";
import { LogRun } from "./suite/log_run.ts";

/** A log of three files with a large transaction, the last one open. */
async function threeFiles(): Promise<LogRun> {
  const run = await LogRun.begin(() => new KvTestDisk(), {
    purged: scatteredGtids(1_000),
  });
  for (let file = 0; file < 3; file++) {
    run.startFile();
    run.transaction({ rows: Array(10).fill(40_000) });
    for (let count = 0; count < 20; count++) run.transaction();
  }
  await run.check();
  return run;
}

function pathOf(run: LogRun): string {
  return (run.disk as KvTestDisk).path;
}

/** Opens what has to fail, and answers how. */
async function refused(path: string): Promise<StoreError> {
  return await assertRejects(() => openKvSnapshot({ path }), StoreError);
}

async function meddle(
  path: string,
  change: (kv: Deno.Kv) => Promise<unknown>,
): Promise<void> {
  const kv = await Deno.openKv(path);
  await change(kv);
  kv.close();
}

Deno.test("openKvSnapshot() shows a stopped store, and changes no byte of it", async () => {
  await using run = await threeFiles();
  await run.store.setMeta("name", { value: 1 });
  const { head } = run.store;
  await run.store.close();
  const path = pathOf(run);
  const before = await Deno.readFile(path);
  {
    await using log = await openKvSnapshot({ path });
    await run.naive.assertShown(log, run.naive.newest);
    assertEquals(describeHead(log.head), describeHead(head));
    assertEquals(await log.getMeta("name"), { value: 1 });
    assertEquals(await log.getMeta("none"), undefined);
    assertEquals(log.fileByName("binlog.000002")?.number, 2);
    assertEquals(log.findFile(log.head!.executed)?.number, 3);
  }
  assertSameBytes(await Deno.readFile(path), before);
  await run.reopen();
  await run.check();
});

Deno.test("openKvSnapshot() shows the log as it was, and the writer goes on", async () => {
  await using run = await threeFiles();
  const then = run.naive.newest;
  await using log = await openKvSnapshot({ path: pathOf(run) });
  run.transaction({ rows: Array(30).fill(50_000) });
  run.startFile();
  run.transaction();
  run.partOfTransaction({ rows: Array(30).fill(50_000) });
  await run.store.writer.flush();
  await run.naive.assertShown(log, then);
  assertEquals(log.files.length, 3);
  await using later = await openKvSnapshot({ path: pathOf(run) });
  await run.naive.assertShown(later, run.naive.newest);
  assertEquals(run.store.failure, undefined);
});

Deno.test("openKvSnapshot() shows a log without a transaction", async () => {
  await using disk = new KvTestDisk();
  const { path } = disk;
  await using _store = await openKvStore({ path });
  await using log = await openKvSnapshot({ path });
  assertEquals(log.head, undefined);
  assertEquals(log.files, []);
  const start = { fileNumber: 1, position: 4 };
  const error = await assertRejects(() => log.openReader(start), StoreError);
  assertEquals(error.kind, "unknown-file");
});

Deno.test("openKvSnapshot() says what is not a log, and leaves it as it is", async () => {
  await using disk = new KvTestDisk();
  const { path, folder } = disk;
  const names = () => [...Deno.readDirSync(folder)].map(({ name }) => name);
  assertEquals((await refused(path)).kind, "io");
  assertEquals((await refused(`${folder}/a/b`)).kind, "io");
  assertEquals(names(), []);
  assertEquals((await refused(folder)).kind, "format");

  await Deno.writeTextFile(path, "no database\n".repeat(1000));
  assertEquals((await refused(path)).kind, "format");
  await Deno.writeTextFile(path, "");
  assertEquals((await refused(path)).kind, "format");
  assertEquals((await Deno.stat(path)).size, 0);
  await Deno.remove(path);

  const database = new DatabaseSync(path);
  database.exec("CREATE TABLE users (name); INSERT INTO users VALUES ('a')");
  database.close();
  const before = await Deno.readFile(path);
  const error = await refused(path);
  assertEquals(error.kind, "format");
  assert(error.message.includes(path), error.message);
  assertSameBytes(await Deno.readFile(path), before);
  await Deno.remove(path);

  await meddle(path, (kv) => kv.set(["users", 1], "somebody"));
  assert((await refused(path)).message.includes('"users"'));
  await meddle(path, (kv) => kv.delete(["users", 1]));
  assertEquals((await refused(path)).kind, "format");
  await (await openKvStore({ path })).close();
  const newer = formatValue(99);
  await meddle(path, (kv) => kv.set(["format"], newer));
  const version = await refused(path);
  assertEquals(version.kind, "format");
  assert(version.message.includes("99"), version.message);
});

Deno.test("openKvSnapshot() refuses a log that contradicts itself", async () => {
  const damages: ((kv: Deno.Kv) => Promise<unknown>)[] = [
    (kv) => kv.delete(["file", 2n]),
    (kv) => kv.delete(["file", 3n]),
    (kv) => kv.delete(["tail", 0n]),
    (kv) => kv.set(["tail", 0n], new Uint8Array(10)),
  ];
  for (const [index, damage] of damages.entries()) {
    await using run = await threeFiles();
    await run.store.close();
    await run.reopen();
    await run.store.close();
    await meddle(pathOf(run), damage);
    const { kind } = await refused(pathOf(run));
    assertEquals([index, kind], [index, "corrupt"]);
  }
});

Deno.test("a snapshot says that a file was purged meanwhile", async () => {
  await using run = await threeFiles();
  const path = pathOf(run);
  await using log = await openKvSnapshot({ path });
  await run.store.purge(2);
  await waitUntil("the blocks were gone", async () => {
    const kv = await Deno.openKv(path);
    const { value } = await kv.get(["block", 0n]);
    kv.close();
    return value === null;
  });
  const reader = await log.openReader({ fileNumber: 1, position: 4 });
  const error = await assertRejects(() => readFramed(reader), StoreError);
  assertEquals(error.kind, "purged");
  assert(error.message.includes("binlog.000001"), error.message);
  for (const file of log.files.slice(1)) {
    assertEquals((await readFile(log, file)).length, file.size - 4);
  }
  await using later = await openKvSnapshot({ path });
  assertEquals(describeHead(later.head), describeHead(run.store.head));
  assertEquals(later.files.map(({ number }) => number), [2, 3]);
});

Deno.test("a snapshot does not take damage for a purge", async () => {
  await using run = await threeFiles();
  await run.store.close();
  const path = pathOf(run);
  await using log = await openKvSnapshot({ path });
  const { number, firstBlock } = log.files[1]!;
  await meddle(path, (kv) => kv.delete(["block", BigInt(firstBlock)]));
  const reader = await log.openReader({ fileNumber: number, position: 4 });
  const error = await assertRejects(() => readFramed(reader), StoreError);
  assertEquals(error.kind, "corrupt");
});

Deno.test("a snapshot's files and its purged set fit together while files are purged", async () => {
  await using run = await threeFiles();
  const path = pathOf(run);
  let purging = true;
  const purges = (async () => {
    for (let file = 4; purging; file++) {
      run.startFile();
      for (let count = 0; count < 5; count++) run.transaction();
      await run.store.writer.flush();
      await run.store.purge(file - 2);
    }
  })();
  try {
    let oldest = 0;
    for (let count = 0; count < 40; count++) {
      await using log = await openKvSnapshot({ path });
      const [first] = log.files;
      // What the oldest file says is before it is what was purged.
      const missing = first!.previousGtids.subtract(log.head!.purged);
      assertEquals(missing.toString(), "");
      assertEquals(
        log.head!.purged.subtract(first!.previousGtids).toString(),
        "",
      );
      assert(first!.number >= oldest);
      oldest = first!.number;
    }
    assert(oldest > 3);
  } finally {
    purging = false;
    await purges;
  }
});

for (const mode of ["one file", "files"]) {
  Deno.test(`snapshots beside a process that writes without end fit together (${mode})`, async () => {
    await using disk = new KvTestDisk();
    const { path } = disk;
    await using writer = await startWriter(path, mode);
    await using logs = new AsyncDisposableStack();
    const taken: LogSnapshot[] = [];
    for (let count = 0; count < 25; count++) {
      taken.push(logs.use(await openKvSnapshot({ path })));
    }
    // It was not disturbed: it still writes.
    await writer.linesAfter(writer.lines + 3);
    await writer.kill();
    const last = logs.use(await openKvSnapshot({ path }));
    const expected = new ExpectedLog(mode === "files");
    let bytes = -1;
    for (const log of taken) bytes = await expected.check(log, bytes);
    assert(await expected.check(last, bytes) > bytes);
    await expected.checkFiles(last);
    // After a kill as before: nothing was recovered, the lock is not taken.
    await using store = await openKvStore({ path });
    assertEquals(describeHead(store.head), describeHead(last.head));
  });
}

/** What the writing process writes, made here once more. */
class ExpectedLog {
  readonly #manyFiles: boolean;
  readonly #made: MadeLog;
  // Bytes of each file from position 4 on, in pieces, and its boundaries.
  readonly #files: { pieces: Uint8Array[]; ends: number[] }[] = [];
  #count = 0;

  constructor(manyFiles: boolean) {
    this.#manyFiles = manyFiles;
    this.#made = new MadeLog(manyFiles ? scatteredGtids(1_000) : undefined);
    this.#startFile();
  }

  /** Checks the end of what a snapshot shows; answers how much that is. */
  async check(log: LogSnapshot, atLeast: number): Promise<number> {
    const { head, files } = log;
    if (head === undefined) {
      assertEquals(atLeast, -1);
      return -1;
    }
    while (
      this.#files.length < head.fileNumber ||
      this.#files.length === head.fileNumber &&
        this.#made.position < head.position
    ) this.#makeMore();
    assertEquals(files.length, head.fileNumber);
    assertEquals(files.at(-1)!.size, head.position);
    const { ends } = this.#files[head.fileNumber - 1]!;
    const before = ends.filter((end) => end <= head.position);
    assertEquals(before.at(-1), head.position);
    await this.#checkFile(log, files.at(-1)!, before.at(-15) ?? 4);
    const total = files.reduce((sum, { size }) => sum + size, 0);
    assert(total >= atLeast, `${total} bytes after ${atLeast}`);
    return total;
  }

  /** Checks every byte of every file. */
  async checkFiles(log: LogSnapshot): Promise<void> {
    for (const file of log.files) await this.#checkFile(log, file, 4);
  }

  async #checkFile(
    log: LogSnapshot,
    file: StoredFile,
    from: number,
  ): Promise<void> {
    const { pieces } = this.#files[file.number - 1]!;
    const parts: Uint8Array[] = [];
    let at = 4;
    for (const piece of pieces) {
      if (at >= from && at < file.size) parts.push(piece);
      at += piece.length;
    }
    const actual = await readFrom(log, file.number, from);
    assertSameBytes(actual, joinBytes(parts));
  }

  #startFile(): void {
    this.#files.push({ pieces: [], ends: [] });
    this.#add(this.#made.beginFile());
  }

  #makeMore(): void {
    this.#add(this.#made.transaction(killedTransaction(this.#count)));
    if (this.#manyFiles && this.#count % 40 === 39) this.#startFile();
    this.#count++;
  }

  #add(events: readonly Uint8Array[]): void {
    const file = this.#files.at(-1)!;
    file.pieces.push(...events);
    file.ends.push(this.#made.position);
  }
}

/** A process that writes a log. */
class Writer implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #reading: Promise<void>;
  #killed = false;
  /** How many times it said that something is durable. */
  lines = 0;

  constructor(child: Deno.ChildProcess) {
    this.#child = child;
    this.#reading = this.#read();
  }

  async linesAfter(count: number): Promise<void> {
    const deadline = Date.now() + 60_000;
    while (this.lines < count) {
      assert(Date.now() < deadline, `${this.lines} lines, not ${count}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  async kill(): Promise<void> {
    if (this.#killed) return;
    this.#killed = true;
    this.#child.kill("SIGKILL");
    await this.#child.status;
    await this.#reading;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.kill();
  }

  async #read(): Promise<void> {
    const text = this.#child.stdout.pipeThrough(new TextDecoderStream());
    for await (const chunk of text) this.lines += chunk.split("\n").length - 1;
  }
}

async function startWriter(path: string, mode: string): Promise<Writer> {
  const script = new URL("../support/kv_writer_process.ts", import.meta.url);
  const writer = new Writer(
    new Deno.Command(Deno.execPath(), {
      args: ["run", "--unstable-kv", "--no-check", "-A", script.pathname]
        .concat(
          path,
          mode,
        ),
      stdin: "null",
      stdout: "piped",
      stderr: "inherit",
    }).spawn(),
  );
  await writer.linesAfter(1);
  return writer;
}
