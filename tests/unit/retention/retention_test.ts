import { assert, assertEquals, assertRejects } from "@std/assert";
import type { RetentionSettings } from "../../../lib/config/options.ts";
import { openLog } from "../../../lib/log/log.ts";
import { ReplicaNeeds } from "../../../lib/retention/replica_needs.ts";
import {
  type ConnectedReplica,
  Retention,
  type RetentionParts,
} from "../../../lib/retention/retention.ts";
import { RetentionError } from "../../../lib/retention/retention_error.ts";
import type { BinlogStore } from "../../../lib/store/binlog_store.ts";
import { openKvStore } from "../../../lib/store/kv/open_kv_store.ts";
import { openMemoryStore } from "../../../lib/store/memory_store.ts";
import { waitUntil } from "../../../scripts/test_servers/wait_until.ts";
import { LogFeeder } from "../../support/log_feeder.ts";
import { MADE_UUID, MadeLog } from "../../support/made_log.ts";

const A = "aaaaaaaa-71ca-11e1-9e33-c80aa9429562";
const REPORTS = { uuid: A, name: "reports" };

const NO_LIMITS: RetentionSettings = {
  bytesMax: undefined,
  ageMaxMs: undefined,
  filesMax: undefined,
  freeDiskBytesMin: undefined,
  checkIntervalMs: 60_000,
  replicas: [],
};

/** Retention over a log in memory, with all that it looks at. */
class TestRetention implements AsyncDisposable {
  readonly store: BinlogStore;
  readonly retention: Retention;
  readonly needs: ReplicaNeeds;
  readonly lines: string[] = [];
  connected: ConnectedReplica[] = [];
  freeDisk: number | Error = 1e9;
  nowMs = 1_700_000_100_000;
  readonly #made = new MadeLog();
  readonly #feeder: LogFeeder;
  #files = 0;

  private constructor(
    store: BinlogStore,
    needs: ReplicaNeeds,
    settings: RetentionSettings,
    parts: Partial<RetentionParts>,
  ) {
    this.store = store;
    this.needs = needs;
    this.#feeder = new LogFeeder(store.writer);
    this.retention = new Retention({
      store,
      settings,
      needs,
      connected: () => this.connected,
      freeDisk: () =>
        typeof this.freeDisk === "number"
          ? Promise.resolve(this.freeDisk)
          : Promise.reject(this.freeDisk),
      now: () => this.nowMs,
      log: openLog({
        level: "debug",
        format: "text",
        write: (line) => this.lines.push(line),
      }),
      ...parts,
    });
  }

  static async open(
    settings: Partial<RetentionSettings> = {},
    parts: Partial<RetentionParts> = {},
  ): Promise<TestRetention> {
    const store = await openMemoryStore();
    const whole = { ...NO_LIMITS, ...settings };
    const needs = await ReplicaNeeds.open(
      store,
      whole.replicas,
      () => 1_700_000_000_000,
    );
    const test = new TestRetention(store, needs, whole, parts);
    return test;
  }

  /** Names of the files that are left. */
  get names(): string[] {
    return this.store.files.map(({ name }) => name.slice(-1));
  }

  /** Writes so many files with one transaction each; they last 1 s each. */
  async write(files: number): Promise<this> {
    for (let count = 0; count < files; count++) {
      const name = `binlog.00000${++this.#files}`;
      this.#feeder.startFile(name, MADE_UUID);
      this.#feeder.push(this.#made.beginFile());
      this.#feeder.push(this.#made.transaction());
    }
    await this.store.writer.flush();
    return this;
  }

  /** A connection that reads there. */
  connect(file: number, position = 4, uuid = ""): void {
    this.connected = [{
      connectionId: "7",
      remote: "10.0.0.2:51234",
      uuid,
      file: file === 0 ? "" : `binlog.00000${file}`,
      position,
    }];
  }

  said(text: string): number {
    return this.lines.filter((line) => line.includes(text)).length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.retention.close();
    await this.store.close();
  }
}

Deno.test("Retention.check() removes nothing without a limit", async () => {
  await using test = await (await TestRetention.open()).write(5);
  await test.retention.check();
  assertEquals(test.names.length, 5);
  assertEquals(test.retention.report().checkedAt, undefined);
});

Deno.test("Retention.check() keeps to its limits, and says what went", async () => {
  await using test = await (await TestRetention.open({ filesMax: 2 })).write(5);
  const sizes = test.store.files.map(({ size }) => size);
  await test.retention.check();
  assertEquals(test.names, ["4", "5"]);
  assertEquals(test.store.head!.purged.toString(), `${MADE_UUID}:1-3`);
  const report = test.retention.report();
  const bytes = sizes[0]! + sizes[1]! + sizes[2]!;
  assertEquals(report.lastPurge, {
    at: new Date(test.nowMs),
    limits: ["files"],
    files: 3,
    bytes,
    first: "binlog.000001",
    last: "binlog.000003",
  });
  assertEquals([report.purgedFiles, report.purgedBytes], [3, bytes]);
  assertEquals(report.heldBack, undefined);
  assertEquals(test.said("purged the oldest files of the log"), 1);
  await test.write(1);
  await test.retention.check();
  assertEquals(test.names, ["5", "6"]);
  assertEquals(test.retention.report().purgedFiles, 4);
});

Deno.test("Retention.check() goes by the age of the last event", async () => {
  await using test = await (await TestRetention.open({ ageMaxMs: 10_000 }))
    .write(4);
  const ends = test.store.files.map(({ lastTimestamp }) => lastTimestamp);
  test.nowMs = ends[1]! * 1000 + 10_000;
  await test.retention.check();
  assertEquals(test.names, ["2", "3", "4"]);
  test.nowMs += 1;
  await test.retention.check();
  assertEquals(test.names, ["3", "4"]);
  test.nowMs += 1e9;
  await test.retention.check();
  assertEquals(test.names, ["4"]);
});

Deno.test("Retention.check() makes room on the disk, counting what is free in the database", async () => {
  const free = { inside: 0, removing: 0 };
  await using inner = await (await TestRetention.open()).write(4);
  const { store } = inner;
  const size = store.files[0]!.size;
  const seen = {
    get head() {
      return store.head;
    },
    get files() {
      return store.files;
    },
    failure: undefined,
    purge: store.purge.bind(store),
    getMeta: store.getMeta.bind(store),
    setMeta: store.setMeta.bind(store),
    diskUse: () =>
      Promise.resolve({
        databaseBytes: 0,
        freeInsideBytes: free.inside,
        removingBytes: free.removing,
        settled: free.removing === 0,
      }),
  };
  await using test = await TestRetention.open(
    { freeDiskBytesMin: 10_000 },
    { store: seen },
  );
  test.freeDisk = 9000;
  free.inside = 600;
  free.removing = 400;
  await test.retention.check();
  assertEquals(inner.names.length, 4);
  assertEquals(test.retention.report().freeBytes, 10_000);
  free.removing = 400 - size;
  await test.retention.check();
  assertEquals(inner.names, ["2", "3", "4"]);
  test.freeDisk = 0;
  await test.retention.check();
  assertEquals(inner.names, ["4"]);
  assertEquals(test.retention.report().heldBack?.limits, ["free-disk"]);
  assertEquals(test.said("nothing more can be purged"), 1);
  test.freeDisk = 1e9;
  await test.retention.check();
  assertEquals(test.retention.report().heldBack, undefined);
  assertEquals(test.said("the limits of retention are kept again"), 1);
});

Deno.test("Retention.check() keeps a small disk free without purging in vain", async () => {
  const MB = 1_000_000;
  const folder = await Deno.makeTempDir({ prefix: "kingbus-retention-" });
  try {
    await using store = await openKvStore({ path: `${folder}/kingbus.db` });
    const made = new MadeLog();
    const feeder = new LogFeeder(store.writer);
    // A disk of 100 MB that nobody else writes to; SQLite's write-ahead log
    // takes 17 MB of it.
    const freeDisk = async () =>
      100 * MB - (await store.diskUse()).databaseBytes;
    await using test = await TestRetention.open(
      { freeDiskBytesMin: 40 * MB },
      { store, freeDisk },
    );
    let least = Infinity;
    let fewest = Infinity;
    for (let file = 1; file <= 130; file++) {
      feeder.startFile(`binlog.${String(file).padStart(6, "0")}`, MADE_UUID);
      feeder.push(made.beginFile());
      feeder.push(made.transaction({ rows: [500_000, 500_000] }));
      await store.writer.flush();
      await test.retention.check();
      const { removingBytes, freeInsideBytes } = await store.diskUse();
      least = Math.min(
        least,
        await freeDisk() + removingBytes + freeInsideBytes,
      );
      if (file > 50) fewest = Math.min(fewest, store.files.length);
    }
    assert(least >= 38.5 * MB, `${least} bytes were free at least`);
    assert(fewest >= 36, `${fewest} files were kept at least`);
    assert(store.files.length <= 45, `${store.files.length} files are left`);
    assert(test.retention.report().purgedFiles > 80);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("Retention.check() keeps what a connected replica reads and what comes after", async () => {
  await using test = await (await TestRetention.open({ filesMax: 1 })).write(5);
  test.connect(3, 120);
  await test.retention.check();
  assertEquals(test.names, ["3", "4", "5"]);
  const { heldBack } = test.retention.report();
  assertEquals(heldBack?.limits, ["files"]);
  assertEquals(heldBack?.files, 2);
  assertEquals(heldBack?.by, [{
    kind: "connected",
    uuid: "",
    name: "10.0.0.2:51234",
    connectionId: "7",
    fileNumber: 3,
    fileName: "binlog.000003",
    position: 120,
    since: new Date(test.nowMs),
  }]);
  const since = heldBack?.since;
  test.nowMs += 60_000;
  await test.retention.check();
  assertEquals(test.said("a replica needs the files"), 1, "said once");
  assertEquals(test.retention.report().heldBack?.since, since);
  assertEquals(test.retention.report().heldBack?.by[0]?.since, since);
  test.connect(5);
  await test.retention.check();
  assertEquals(test.names, ["5"]);
  assertEquals(test.retention.report().heldBack, undefined);
});

Deno.test("Retention.check() does not wait for a connection that reads nothing", async () => {
  await using test = await (await TestRetention.open({ filesMax: 1 })).write(3);
  test.connect(0);
  await test.retention.check();
  assertEquals(test.names, ["3"]);
});

Deno.test("Retention.check() keeps everything for a declared replica that was never seen", async () => {
  const settings = { filesMax: 1, replicas: [REPORTS] };
  await using test = await (await TestRetention.open(settings)).write(3);
  await test.retention.check();
  assertEquals(test.names, ["1", "2", "3"]);
  assertEquals(test.said("replica reports"), 1, test.lines.join(""));
  assertEquals(test.retention.report().replicas, [{
    ...REPORTS,
    connected: false,
    lost: false,
    from: undefined,
    notedAtMs: undefined,
  }]);
});

Deno.test("Retention.check() keeps for a declared replica what it was not sent, over restarts", async () => {
  const settings = { filesMax: 1, replicas: [REPORTS] };
  await using test = await (await TestRetention.open(settings)).write(4);
  const start = { fileNumber: 1, fileName: "binlog.000001", position: 4 };
  test.retention.began(A, start);
  test.connect(2, 100, A.toUpperCase());
  await test.retention.check();
  assertEquals(test.names, ["1", "2", "3", "4"], "what was sent may be lost");
  test.connect(3, 100, A);
  await test.retention.check();
  assertEquals(test.names, ["2", "3", "4"]);
  assertEquals(test.retention.report().replicas[0]?.connected, true);
  test.connected = [];
  await test.write(1);
  await test.retention.check();
  assertEquals(test.names, ["2", "3", "4", "5"]);
  await test.retention.close();
  await using again = new Retention({
    store: test.store,
    settings: { ...NO_LIMITS, ...settings },
    needs: await ReplicaNeeds.open(test.store, [REPORTS], () => test.nowMs),
    connected: () => test.connected,
    freeDisk: () => Promise.resolve(1e9),
    now: () => test.nowMs,
    log: openLog({ level: "error", format: "text", write: () => {} }),
  });
  await again.check();
  assertEquals(test.names, ["2", "3", "4", "5"]);
  assertEquals(again.report().heldBack?.by.map(({ name }) => name), [
    "reports",
  ]);
  again.began(A, { fileNumber: 5, fileName: "binlog.000005", position: 4 });
  await again.check();
  assertEquals(test.names, ["5"]);
});

Deno.test("Retention.purge() removes up to a file", async () => {
  await using test = await (await TestRetention.open()).write(5);
  const bytes = test.store.files[0]!.size + test.store.files[1]!.size;
  const outcome = await test.retention.purge({ to: "./binlog.000003" });
  assertEquals(outcome.removed.map(({ name }) => name), [
    "binlog.000001",
    "binlog.000002",
  ]);
  assertEquals({ ...outcome, removed: [] }, {
    removed: [],
    bytes,
    asked: 2,
    firstKept: "binlog.000003",
    keptActive: false,
    heldBy: [],
  });
  assertEquals(test.names, ["3", "4", "5"]);
  assertEquals(test.retention.report().lastPurge?.limits, []);
  assertEquals(
    (await test.retention.purge({ to: "binlog.000003" })).removed,
    [],
  );
});

Deno.test("Retention.purge() removes what ended before a time, never the file being written", async () => {
  await using test = await (await TestRetention.open()).write(4);
  const ends = test.store.files.map(({ lastTimestamp }) => lastTimestamp);
  const first = await test.retention.purge({ beforeMs: ends[1]! * 1000 });
  assertEquals([test.names, first.keptActive], [["2", "3", "4"], false]);
  const all = await test.retention.purge({ beforeMs: Infinity });
  assertEquals(test.names, ["4"]);
  assertEquals([all.asked, all.keptActive, all.firstKept], [
    3,
    true,
    "binlog.000004",
  ]);
  const nothing = await test.retention.purge({ beforeMs: 0 });
  assertEquals([nothing.asked, nothing.keptActive], [0, false]);
});

Deno.test("Retention.purge() refuses a file that there is not", async () => {
  await using test = await TestRetention.open();
  const purge = (to: string) => () => test.retention.purge({ to });
  await assertRejects(purge("x"), RetentionError, "the log is empty");
  const outcome = await test.retention.purge({ beforeMs: Infinity });
  assertEquals([outcome.removed, outcome.firstKept], [[], undefined]);
  assertEquals(outcome.keptActive, false);
  await test.write(3);
  await assertRejects(
    purge("binlog.000004"),
    RetentionError,
    'Cannot purge up to "binlog.000004": the log has binlog.000001 to binlog.000003',
  );
});

Deno.test("Retention.purge() stops at what a replica needs, unless it is forced", async () => {
  const settings = { filesMax: 1, replicas: [REPORTS] };
  await using test = await (await TestRetention.open(settings)).write(5);
  test.retention.began(A, {
    fileNumber: 3,
    fileName: "binlog.000003",
    position: 4,
  });
  test.connect(4, 4);
  const held = await test.retention.purge({ to: "binlog.000005" });
  assertEquals(held.removed.map(({ name }) => name.slice(-1)), ["1", "2"]);
  assertEquals([held.asked, held.firstKept], [4, "binlog.000003"]);
  assertEquals(held.heldBy.map(({ kind, name }) => `${kind} ${name}`), [
    "declared reports",
    "connected 10.0.0.2:51234",
  ]);
  const dry = await test.retention.purge(
    { to: "binlog.000005" },
    { force: true, dryRun: true },
  );
  assertEquals(dry.removed.map(({ name }) => name.slice(-1)), ["3", "4"]);
  assertEquals([dry.heldBy, dry.firstKept], [[], "binlog.000005"]);
  assertEquals(test.names, ["3", "4", "5"]);
  const forced = await test.retention.purge(
    { to: "binlog.000005" },
    { force: true },
  );
  assertEquals(forced.removed, dry.removed);
  assertEquals(test.names, ["5"]);
  assertEquals(test.said("purged by force what a replica still needed"), 2);
  // What it needs is gone: nothing is kept for it any more.
  assertEquals(test.retention.report().replicas[0]?.lost, true);
  test.connected = [];
  await test.write(2);
  await test.retention.check();
  assertEquals(test.names, ["7"]);
  test.retention.began(A, {
    fileNumber: 7,
    fileName: "binlog.000007",
    position: 4,
  });
  assertEquals(test.retention.report().replicas[0]?.lost, false);
});

Deno.test("Retention looks anew before each file whether somebody needs it", async () => {
  const events: string[] = [];
  await using log = await (await TestRetention.open()).write(5);
  const { store } = log;
  await using test = await TestRetention.open({}, {
    store: Object.create(store, {
      head: { get: () => store.head },
      files: { get: () => store.files },
      failure: { get: () => store.failure },
      purge: {
        value: (upTo: number, options: { signal: AbortSignal }) => {
          events.push(String(upTo));
          // A replica comes while the second file goes.
          if (upTo === 3) test.connect(4);
          return store.purge(upTo, options);
        },
      },
    }),
  });
  const outcome = await test.retention.purge({ to: "binlog.000005" });
  assertEquals(outcome.removed.map(({ name }) => name.slice(-1)), [
    "1",
    "2",
    "3",
  ]);
  assertEquals(events, ["2", "3", "4"]);
  assertEquals(log.names, ["4", "5"]);
});

Deno.test("Retention runs by itself, at once, on time and when a file has ended", async () => {
  await using test = await (await TestRetention.open({ filesMax: 2 }, {
    now: Date.now,
  })).write(4);
  test.retention.start();
  test.retention.start();
  await waitUntil("the first check", () => test.names.length === 2);
  await test.write(1);
  await waitUntil("the file's end", () => test.names.join() === "4,5");

  await using often = await (await TestRetention.open(
    { filesMax: 2, checkIntervalMs: 100 },
    { now: Date.now },
  )).write(3);
  often.connect(1);
  often.retention.start();
  await waitUntil("a hold", () => often.retention.report().heldBack);
  often.connected = [];
  await waitUntil("the next check", () => often.names.length === 2);
});

Deno.test("Retention goes on after a check that failed, and says it once", async () => {
  await using test = await (await TestRetention.open(
    { freeDiskBytesMin: 1e9 + 1, checkIntervalMs: 100 },
    { now: Date.now },
  )).write(3);
  test.freeDisk = new Error("no such disk");
  test.retention.start();
  await waitUntil("the failure", () => test.retention.report().failure);
  await waitUntil("another try", () => {
    const { failure, failures } = test.retention.report();
    return failure === "no such disk" && failures >= 2;
  });
  test.freeDisk = 1e9;
  await waitUntil("success", () => test.names.length < 3);
  await waitUntil("no failure", () => {
    return test.retention.report().failure === undefined;
  });
  assertEquals(test.said("can't check what is to be purged"), 1);
});

Deno.test("Retention.close() ends a purge between two files", async () => {
  await using log = await (await TestRetention.open()).write(5);
  const { store } = log;
  const begun = Promise.withResolvers<void>();
  const goOn = Promise.withResolvers<void>();
  const test = await TestRetention.open({ filesMax: 1 }, {
    now: Date.now,
    store: Object.create(store, {
      head: { get: () => store.head },
      files: { get: () => store.files },
      failure: { get: () => store.failure },
      getMeta: { value: store.getMeta.bind(store) },
      setMeta: { value: store.setMeta.bind(store) },
      purge: {
        value: async (upTo: number) => {
          begun.resolve();
          await goOn.promise;
          return await store.purge(upTo);
        },
      },
    }),
  });
  test.retention.start();
  await begun.promise;
  const closed = test.retention.close();
  goOn.resolve();
  await closed;
  await assertRejects(
    () => test.retention.purge({ to: "binlog.000005" }),
    RetentionError,
    "kingbus is stopping",
  );
  assertEquals(log.names, ["2", "3", "4", "5"]);
  assert(test.retention.report().failure === undefined);
  await test.store.close();
});
