import { assert, assertEquals, assertRejects } from "@std/assert";
import { GtidSet } from "../../../lib/gtid/gtid_set.ts";
import { ExportError } from "../../../lib/export/export_error.ts";
import {
  exportLog,
  type ExportOptions,
} from "../../../lib/export/export_log.ts";
import { parseStopAt } from "../../../lib/export/stop_at.ts";
import { listBinlogPaths } from "../../../lib/import/binlog_path.ts";
import { importFiles } from "../../../lib/import/import_files.ts";
import type { BinlogStore } from "../../../lib/store/binlog_store.ts";
import { openMemoryStore } from "../../../lib/store/memory_store.ts";
import {
  type BinlogFixture,
  type FixtureServer,
  loadBinlogFixtures,
} from "../../support/binlog_fixture.ts";
import { joinBytes } from "../../support/dump_packets.ts";
import { LogFeeder } from "../../support/log_feeder.ts";
import { logFromFixtures } from "../../support/log_from_fixtures.ts";
import { MADE_UUID, MadeLog } from "../../support/made_log.ts";
import { assertSameBytes } from "../../support/source_file.ts";

/** Where the flag that a file is open is in it. */
const IN_USE_OFFSET = 4 + 17;

const MAGIC = new Uint8Array([0xfe, 0x62, 0x69, 0x6e]);

/** A log that grows, with what its files have to be. */
class GrowingLog implements AsyncDisposable {
  readonly store: BinlogStore;
  readonly made = new MadeLog();
  readonly #feeder: LogFeeder;
  readonly #files: Uint8Array[][] = [];

  private constructor(store: BinlogStore) {
    this.store = store;
    this.#feeder = new LogFeeder(store.writer);
  }

  static async open(): Promise<GrowingLog> {
    return new GrowingLog(await openMemoryStore());
  }

  get names(): string[] {
    return this.#files.map((_, index) => `binlog.00000${index + 1}`);
  }

  startFile(): void {
    this.#files.push([MAGIC]);
    this.#feeder.startFile(this.names.at(-1)!, "server");
    this.append(this.made.beginFile());
  }

  append(events: readonly Uint8Array[]): void {
    this.#files.at(-1)!.push(...events);
    this.#feeder.push(events);
  }

  async transactions(count: number, bytes = 50): Promise<void> {
    for (let made = 0; made < count; made++) {
      this.append(this.made.transaction({ rows: [bytes] }));
    }
    await this.store.writer.flush();
  }

  file(index: number): Uint8Array {
    return joinBytes(this.#files[index]!);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.store.close();
  }
}

/** Three files of ten transactions each. */
async function threeFiles(): Promise<GrowingLog> {
  const log = await GrowingLog.open();
  for (let file = 0; file < 3; file++) {
    log.startFile();
    await log.transactions(10);
  }
  return log;
}

/** A folder that is not there yet, in one that goes. */
class Target implements Disposable {
  readonly root: string = Deno.makeTempDirSync({ prefix: "kingbus-export-" });
  readonly path = `${this.root}/a/b`;

  read(name: string): Uint8Array {
    return Deno.readFileSync(`${this.path}/${name}`);
  }

  names(): string[] {
    return [...Deno.readDirSync(this.path)].map(({ name }) => name).toSorted();
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.root, { recursive: true });
  }
}

async function refused(
  log: BinlogStore,
  options: ExportOptions,
): Promise<ExportError> {
  return await assertRejects(() => exportLog(log, options), ExportError);
}

/** Captured files in order, without those that were open when captured. */
function closedFixtures(server: FixtureServer): BinlogFixture[] {
  return loadBinlogFixtures(server).filter(({ name, bytes }) =>
    /\.\d+$/.test(name) && (bytes[IN_USE_OFFSET]! & 1) === 0
  );
}

for (const server of ["mysql56", "mysql97"] as const) {
  Deno.test(`exportLog() writes the files of ${server} byte for byte`, async () => {
    const fixtures = closedFixtures(server);
    await using log = await logFromFixtures(fixtures, "server");
    using target = new Target();
    const report = await exportLog(log, { to: target.path });
    assertEquals(report.files.length, fixtures.length);
    for (const { name, bytes } of fixtures) {
      assertSameBytes(name, target.read(name), bytes);
    }
    assertEquals(
      target.names(),
      [...fixtures.map(({ name }) => name), "kingbus-export.json"].toSorted(),
    );
  });
}

Deno.test("exportLog() writes events of every size, and says what is open", async () => {
  await using log = await GrowingLog.open();
  log.startFile();
  for (const bytes of [30, 63_990, 64_000, 64_100, 200_000, 0x100_0000 - 1]) {
    await log.transactions(2, bytes);
  }
  await log.transactions(2, 40_000_000);
  log.startFile();
  await log.transactions(3);
  using target = new Target();
  let last = 0;
  const report = await exportLog(log.store, {
    to: target.path,
    progress(done, total) {
      assert(done >= last && done <= total);
      last = done;
    },
  });
  for (const index of [0, 1]) {
    assertSameBytes("file", target.read(log.names[index]!), log.file(index));
  }
  assertEquals(report.files, [
    { name: "binlog.000001", size: log.file(0).length, state: "written" },
    {
      name: "binlog.000002",
      size: log.file(1).length,
      state: "written",
      cut: "open",
    },
  ]);
  assertEquals(last, log.file(0).length + log.file(1).length);
  assertEquals(report.stopped, false);
});

Deno.test("exportLog() goes on where it was, and takes what has come since", async () => {
  await using log = await threeFiles();
  using target = new Target();
  await exportLog(log.store, { to: target.path });
  const again = await exportLog(log.store, { to: target.path });
  assertEquals(again.files.map(({ state }) => state), ["kept", "kept", "kept"]);
  assertEquals(again.written, 0);
  await log.transactions(5, 100_000);
  log.startFile();
  await log.transactions(1);
  const grown = await exportLog(log.store, { to: target.path });
  assertEquals(
    grown.files.map(({ state }) => state),
    ["kept", "kept", "replaced", "written"],
  );
  for (const [index, name] of log.names.entries()) {
    assertSameBytes(name, target.read(name), log.file(index));
  }
  // A file that is missing is made again.
  Deno.removeSync(`${target.path}/binlog.000002`);
  const mended = await exportLog(log.store, { to: target.path });
  assertEquals(mended.files[1]!.size, log.file(1).length);
  assertSameBytes("again", target.read("binlog.000002"), log.file(1));
});

Deno.test("exportLog() takes up what a crash left at any step", async () => {
  await using log = await threeFiles();
  using target = new Target();
  await exportLog(log.store, { to: target.path });
  const partial = (name: string) => `${target.path}/${name}.kingbus-partial`;
  // Between the manifest and the name of the file.
  Deno.renameSync(`${target.path}/binlog.000002`, partial("binlog.000002"));
  // In the middle of a file, with and without an entry.
  Deno.renameSync(`${target.path}/binlog.000003`, partial("binlog.000003"));
  Deno.truncateSync(partial("binlog.000003"), 200);
  Deno.writeTextFileSync(partial("binlog.000009"), "half");
  Deno.writeTextFileSync(partial("kingbus-export.json"), "{");
  const report = await exportLog(log.store, { to: target.path });
  assertEquals(report.files.map(({ state }) => state), [
    "kept",
    "kept",
    "replaced",
  ]);
  assertEquals(target.names(), [...log.names, "kingbus-export.json"]);
  for (const [index, name] of log.names.entries()) {
    assertSameBytes(name, target.read(name), log.file(index));
  }
});

Deno.test("exportLog() leaves whole files only when it is interrupted", async () => {
  await using log = await threeFiles();
  using target = new Target();
  const abort = new AbortController();
  await assertRejects(() =>
    exportLog(log.store, {
      to: target.path,
      signal: abort.signal,
      progress(done) {
        if (done > log.file(0).length) abort.abort(new TypeError("enough"));
      },
    }), TypeError);
  assertEquals(target.names()[0], "binlog.000001");
  assert(!target.names().some((name) => name.includes("partial")));
  assertSameBytes("first", target.read("binlog.000001"), log.file(0));
  const report = await exportLog(log.store, { to: target.path });
  assertEquals(report.files[0]!.state, "kept");
  assertSameBytes("last", target.read("binlog.000003"), log.file(2));
});

Deno.test("exportLog() overwrites nothing without being told", async () => {
  await using log = await threeFiles();
  using target = new Target();
  Deno.mkdirSync(target.path, { recursive: true });
  Deno.writeTextFileSync(`${target.path}/notes.txt`, "mine");
  const stranger = await refused(log.store, { to: target.path });
  assertEquals(stranger.fault, "target");
  assert(stranger.message.includes("notes.txt"), stranger.message);
  assertEquals(target.names(), ["notes.txt"]);
  await exportLog(log.store, { to: target.path, overwrite: true });
  assertEquals(Deno.readTextFileSync(`${target.path}/notes.txt`), "mine");

  // A file of the same name that is none of ours, although the folder is.
  using other = new Target();
  await exportLog(log.store, { to: other.path, from: "binlog.000002" });
  Deno.writeTextFileSync(`${other.path}/binlog.000001`, "mine");
  const named = await refused(log.store, { to: other.path });
  assert(named.message.includes("binlog.000001"), named.message);
  assertEquals(
    Deno.readTextFileSync(`${other.path}/binlog.000001`),
    "mine",
  );
  // One that was changed since.
  Deno.removeSync(`${other.path}/binlog.000001`);
  Deno.truncateSync(`${other.path}/binlog.000002`, 100);
  const changed = await refused(log.store, { to: other.path });
  assert(changed.message.includes("100 bytes"), changed.message);
  await exportLog(log.store, { to: other.path, overwrite: true });
  for (const [index, name] of log.names.entries()) {
    assertSameBytes(name, other.read(name), log.file(index));
  }
});

Deno.test("exportLog() knows another log by its files", async () => {
  await using log = await threeFiles();
  await using other = await GrowingLog.open();
  other.made.timestamp += 1000;
  other.startFile();
  await other.transactions(3);
  using target = new Target();
  await exportLog(log.store, { to: target.path });
  const fault = await refused(other.store, { to: target.path });
  assertEquals(fault.fault, "target");
  assert(fault.message.includes("another log"), fault.message);
  assertSameBytes("same", target.read("binlog.000001"), log.file(0));
  await exportLog(other.store, { to: target.path, overwrite: true });
  // Nothing of the other one is left that could be taken for this one's.
  assertEquals(target.names(), ["binlog.000001", "kingbus-export.json"]);
  assertSameBytes("other", target.read("binlog.000001"), other.file(0));
  // The transactions wanted are part of it, too.
  const gtids = GtidSet.parse(`${MADE_UUID}:2`);
  const some = await refused(other.store, { to: target.path, gtids });
  assert(some.message.includes("all transactions"), some.message);
});

Deno.test("exportLog() notices that an open file is not what it was", async () => {
  await using log = await threeFiles();
  using target = new Target();
  await exportLog(log.store, { to: target.path });
  const path = `${target.path}/kingbus-export.json`;
  const manifest = JSON.parse(Deno.readTextFileSync(path));
  manifest.files[2].checksum ^= 1;
  Deno.writeTextFileSync(path, JSON.stringify(manifest));
  await log.transactions(1);
  const fault = await refused(log.store, { to: target.path });
  assertEquals(fault.fault, "log");
  assert(fault.message.includes("binlog.000003"), fault.message);
  assert(!target.names().some((name) => name.includes("partial")));
});

Deno.test("exportLog() stops after a GTID, at every transaction", async () => {
  await using log = await threeFiles();
  const text = (gno: number) => parseStopAt(`${MADE_UUID}:${gno}`);
  for (let gno = 1; gno <= 30; gno++) {
    using target = new Target();
    const report = await exportLog(log.store, {
      to: target.path,
      stopAt: text(gno),
    });
    const files = Math.ceil(gno / 10);
    assertEquals(report.files.length, files);
    assertEquals(report.stopped, true);
    const name = log.names[files - 1]!;
    const bytes = target.read(name);
    assertEquals(report.end, { file: name, position: bytes.length });
    const whole = log.file(files - 1);
    assertSameBytes(name, bytes, whole.subarray(0, bytes.length));
    const size = (whole.length - fileStart(log, files - 1)) / 10;
    assertEquals(
      bytes.length,
      fileStart(log, files - 1) + size * ((gno - 1) % 10 + 1),
    );
  }
  const none = await refused(log.store, { to: "/nowhere", stopAt: text(31) });
  assertEquals(none.fault, "nothing");
  const early = await refused(log.store, {
    to: "/nowhere",
    stopAt: text(5),
    from: "binlog.000002",
  });
  assert(early.message.includes("binlog.000001"), early.message);
});

/** Bytes of a file before its first transaction. */
function fileStart(log: GrowingLog, index: number): number {
  const bytes = log.file(index);
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const format = view.getUint32(4 + 9, true);
  return 4 + format + view.getUint32(4 + format + 9, true);
}

Deno.test("exportLog() stops before a time, as mysqlbinlog does", async () => {
  await using log = await threeFiles();
  // Transactions are a second apart; files begin with the next one's second.
  const at = (seconds: number) =>
    parseStopAt(new Date((1_700_000_000 + seconds) * 1000).toISOString());
  for (let second = 1; second < 30; second++) {
    using target = new Target();
    const report = await exportLog(log.store, {
      to: target.path,
      stopAt: at(second),
    });
    const files = Math.ceil(second / 10);
    assertEquals(report.files.length, files);
    const bytes = target.read(log.names[files - 1]!);
    using twin = new Target();
    await exportLog(log.store, {
      to: twin.path,
      stopAt: parseStopAt(`${MADE_UUID}:${second}`),
    });
    assertSameBytes("cut", bytes, twin.read(log.names[files - 1]!));
  }
  using target = new Target();
  const all = await exportLog(log.store, { to: target.path, stopAt: at(30) });
  assertEquals([all.stopped, all.files.length], [false, 3]);
  const none = await refused(log.store, { to: "/nowhere", stopAt: at(0) });
  assertEquals(none.fault, "nothing");
  // Less than what is there is not written over it.
  const less = await refused(log.store, { to: target.path, stopAt: at(25) });
  assertEquals(less.fault, "target");
});

Deno.test("exportLog() goes on from a stop to a later one", async () => {
  await using log = await threeFiles();
  using target = new Target();
  for (const gno of [3, 3, 7, 14, 25]) {
    const stopAt = parseStopAt(`${MADE_UUID}:${gno}`);
    await exportLog(log.store, { to: target.path, stopAt });
  }
  await exportLog(log.store, { to: target.path });
  for (const [index, name] of log.names.entries()) {
    assertSameBytes(name, target.read(name), log.file(index));
  }
});

Deno.test("exportLog() says what it does not find", async () => {
  await using log = await threeFiles();
  await using empty = await openMemoryStore();
  const to = "/nowhere";
  const faults = [
    await refused(empty, { to }),
    await refused(log.store, { to, from: "binlog.000007" }),
    await refused(log.store, { to, gtids: GtidSet.parse(`${MADE_UUID}:99`) }),
  ];
  for (const { fault } of faults) assertEquals(fault, "nothing");
  assert(faults[1]!.message.includes("binlog.000001 to binlog.000003"));
});

/** Reads exported files into an empty log, with the checks of live data. */
async function importBack(target: Target): Promise<BinlogStore> {
  const store = await openMemoryStore();
  const names = target.names().filter((name) => !name.endsWith(".json"));
  const files = await listBinlogPaths(
    names.map((name) => `${target.path}/${name}`),
  );
  await importFiles(store, files, { serverUuid: "", acceptTornEnd: false });
  return store;
}

for (const server of ["mysql56", "mysql97"] as const) {
  Deno.test(`exportLog() writes some transactions of ${server} as a log of its own`, async () => {
    await using log = await logFromFixtures(closedFixtures(server), "server");
    const { executed, purged } = log.head!;
    const all = executed.subtract(purged);
    const sets = [...everyOther(all), all];
    for (const gtids of sets) {
      using target = new Target();
      const report = await exportLog(log, { to: target.path, gtids });
      await using back = await importBack(target);
      // Every event's size, checksum, position and order was checked there.
      assertEquals(back.head!.executed.toString(), gtids.toString());
      assertEquals(back.head!.purged.isEmpty, true);
      assertEquals(BigInt(report.transactions!), gtids.count());
      assertEquals(report.missing, "");
      assertEquals(
        back.files.map(({ name }) => name),
        report.files.map(({ name }) => name),
      );
      const again = await exportLog(log, { to: target.path, gtids });
      assertEquals(again.written, 0);
    }
  });
}

/** A set's transactions in turn in two sets. */
function everyOther(set: GtidSet): [GtidSet, GtidSet] {
  const sets: [GtidSet, GtidSet] = [new GtidSet(), new GtidSet()];
  let count = 0;
  for (const { uuid, tag, first, last } of set.intervals()) {
    for (let gno = first; gno <= last; gno++) {
      sets[count++ % 2]!.add(uuid, tag, gno);
    }
  }
  return sets;
}

Deno.test("exportLog() filters large events, and stops as well", async () => {
  await using log = await GrowingLog.open();
  log.startFile();
  await log.transactions(4, 200_000);
  await log.transactions(2, 40_000_000);
  await log.transactions(4);
  using target = new Target();
  const report = await exportLog(log.store, {
    to: target.path,
    gtids: GtidSet.parse(`${MADE_UUID}:2-5:8-99`),
    stopAt: parseStopAt(`${MADE_UUID}:9`),
  });
  assertEquals(report.missing, `${MADE_UUID}:11-99`);
  assertEquals(report.transactions, 6);
  await using back = await importBack(target);
  assertEquals(back.head!.executed.toString(), `${MADE_UUID}:2-5:8-9`);
  assertEquals(
    back.head!.position,
    target.read("binlog.000001").length,
  );
});

Deno.test("exportLog() leaves files out before and after the transactions", async () => {
  await using log = await threeFiles();
  for (const [gtids, first, last] of [["3:25", 1, 3], ["15", 2, 2]] as const) {
    using target = new Target();
    await exportLog(log.store, {
      to: target.path,
      gtids: GtidSet.parse(`${MADE_UUID}:${gtids}`),
    });
    assertEquals(target.names().slice(0, -1), log.names.slice(first - 1, last));
    await using _back = await importBack(target);
  }
});

Deno.test("exportLog() writes nothing under a name that leads elsewhere", async () => {
  for (
    const name of [
      "../binlog.000001",
      "/tmp/binlog.000001",
      "..",
      "a\\b",
      "kingbus-export.json",
      "b.kingbus-partial",
    ]
  ) {
    await using store = await openMemoryStore();
    const feeder = new LogFeeder(store.writer);
    feeder.startFile(name);
    feeder.push(new MadeLog().beginFile());
    await store.writer.flush();
    using target = new Target();
    const error = await refused(store, { to: target.path });
    assertEquals(error.fault, "log");
    assertEquals([...Deno.readDirSync(target.root)], []);
  }
});

Deno.test("parseStopAt() reads times and GTIDs", () => {
  const seconds = (text: string) => {
    const stop = parseStopAt(text);
    return stop.kind === "time" ? stop.seconds : undefined;
  };
  assertEquals(seconds("2023-11-14T22:13:20Z"), 1_700_000_000);
  assertEquals(seconds("2023-11-14t22:13:20.001z"), 1_700_000_001);
  assertEquals(seconds("2023-11-15T00:13:20+02:00"), 1_700_000_000);
  const local = new Date(2023, 10, 14, 22, 13, 20).getTime() / 1000;
  assertEquals(seconds("2023-11-14 22:13:20"), local);
  assertEquals(seconds("2023-11-14"), new Date(2023, 10, 14).getTime() / 1000);
  const gtid = parseStopAt(`${MADE_UUID.toUpperCase()}:7`);
  assertEquals(gtid.kind === "gtid" && gtid.set.toString(), `${MADE_UUID}:7`);
  for (
    const bad of [
      "",
      "yesterday",
      "2023-02-30 00:00:00",
      "2023-11-14 25:00:00",
      `${MADE_UUID}:1-2`,
      "1700000000",
    ]
  ) {
    try {
      parseStopAt(bad);
    } catch (error) {
      assert(error instanceof SyntaxError, bad);
      continue;
    }
    throw new TypeError(`${bad} was taken`);
  }
});
