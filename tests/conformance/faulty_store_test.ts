import { assert, assertEquals } from "@std/assert";
import { GtidSet } from "../../lib/gtid/gtid_set.ts";
import { type BinlogStore, StoreError } from "../../lib/store/binlog_store.ts";
import { BlockLog } from "../../lib/store/block_log.ts";
import type { BlockEngine } from "../../lib/store/block_engine.ts";
import { KvEngine } from "../../lib/store/kv/kv_engine.ts";
import { waitUntil } from "../../scripts/test_servers/wait_until.ts";
import { FaultPlan, FaultyEngine, FaultyKv } from "../support/faulty_engine.ts";
import { numberedUuid } from "../support/made_log.ts";
import type { NaiveBoundary } from "../support/naive_log.ts";
import {
  KvTestDisk,
  MemoryTestDisk,
  type TestDisk,
} from "../support/test_disk.ts";
import { LogRun } from "./suite/log_run.ts";

/** A disk that fails by plan. */
class FaultyDisk implements TestDisk {
  readonly #disk: TestDisk;
  readonly #plan: FaultPlan;
  readonly #open: (disk: TestDisk, plan: FaultPlan) => Promise<BlockEngine>;
  readonly #engines: BlockEngine[] = [];

  constructor(
    disk: TestDisk,
    plan: FaultPlan,
    open: (disk: TestDisk, plan: FaultPlan) => Promise<BlockEngine>,
  ) {
    this.#disk = disk;
    this.#plan = plan;
    this.#open = open;
  }

  async engine(): Promise<BlockEngine> {
    const engine = await this.#open(this.#disk, this.#plan);
    this.#engines.push(engine);
    return engine;
  }

  async open(): Promise<BinlogStore> {
    return await BlockLog.open(await this.engine(), { tailBytes: 100_000 });
  }

  /** Closes what was opened; the disk stays. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const engine of this.#engines) await engine.close();
  }
}

/** What is known to be durable. */
interface Witness {
  acknowledged: NaiveBoundary | undefined;
  /** Files whose purge has returned. */
  purgedFiles: number;
}

/** Runs into everything that writes more than once. */
async function everything(run: LogRun, witness: Witness): Promise<void> {
  const flush = async (): Promise<void> => {
    await run.store.writer.flush();
    witness.acknowledged = run.naive.newest;
  };
  run.startFile();
  run.transaction();
  await flush();
  for (let count = 0; count < 3; count++) {
    run.transaction({ rows: [30_000] });
    await flush();
  }
  // Larger than a commit, and cut back.
  run.partOfTransaction({ rows: Array(15).fill(60_000) });
  await run.rollback();
  witness.acknowledged = run.naive.newest;
  run.transaction({ rows: Array(15).fill(60_000) });
  run.transaction();
  await flush();
  // Files: ended, begun, begun in vain.
  run.startFile();
  run.append(run.made.payloadTransaction(100_000));
  run.startFile();
  run.transaction({ uuid: numberedUuid(2000), gno: 77n });
  await flush();
  run.store.writer.startFile({ name: "in vain", serverUuid: "" });
  run.store.writer.previousGtids(run.made.executed);
  await run.rollback();
  witness.acknowledged = run.naive.newest;
  run.partOfTransaction({ rows: Array(15).fill(60_000) });
  await run.store.writer.flush();
  await run.crash();
  for (let count = 0; count < 110; count++) run.startFile();
  run.transaction();
  await flush();
  run.partOfTransaction();
  await run.reopen();
  run.transaction();
  await flush();
}

/** Commits whose GTID sets do not fit in them. */
async function largeSets(run: LogRun, witness: Witness): Promise<void> {
  run.startFile();
  run.transaction();
  await run.store.writer.flush();
  witness.acknowledged = run.naive.newest;
  await run.crash();
  run.transaction();
  await run.store.writer.flush();
  witness.acknowledged = run.naive.newest;
}

/** Purges: idle, while the log is written, while it is cut back. */
async function purges(run: LogRun, witness: Witness): Promise<void> {
  const flush = async (): Promise<void> => {
    await run.store.writer.flush();
    witness.acknowledged = run.naive.newest;
  };
  const purge = async (upTo: number): Promise<void> => {
    await run.purge(upTo);
    witness.purgedFiles = run.naive.purgedFiles;
  };
  for (let file = 0; file < 6; file++) {
    run.startFile();
    run.transaction();
    run.transaction({ rows: Array(file === 1 ? 70 : 3).fill(60_000) });
  }
  await flush();
  await purge(2);
  run.transaction({ rows: Array(30).fill(60_000) });
  const purging = purge(4);
  run.transaction();
  // Both may fail; the first fault is the test's.
  await Promise.all([purging, flush()]);
  run.partOfTransaction({ rows: Array(15).fill(60_000) });
  await Promise.all([purge(5), run.rollback()]);
  witness.acknowledged = run.naive.newest;
  await run.crash();
  await purge(6);
  await run.reopen();
  run.startFile();
  await flush();
  await purge(7);
}

/** What a test does with the disk that fails. */
interface Scenario {
  readonly purged: GtidSet;
  readonly steps: (run: LogRun, witness: Witness) => Promise<void>;
}

function setOf(intervals: number): GtidSet {
  const set = new GtidSet();
  for (let count = 0; count < intervals; count++) {
    const gno = BigInt(2 * Math.floor(count / 20) + 1);
    set.addInterval(numberedUuid(1000 + count % 20), "", gno, gno);
  }
  return set;
}

/** Fails the n-th write, for every n, and opens what is left; answers n. */
async function failEvery(
  scenario: Scenario,
  newDisk: () => TestDisk,
  open: (disk: TestDisk, plan: FaultPlan) => Promise<BlockEngine>,
): Promise<number> {
  for (let failAt = 1;; failAt++) {
    for (const isWritten of [false, true]) {
      await using disk = newDisk();
      const plan = new FaultPlan(failAt, isWritten);
      await using faulty = new FaultyDisk(disk, plan, open);
      const witness: Witness = { acknowledged: undefined, purgedFiles: 0 };
      const run = await runUntilFault(scenario, faulty, witness);
      if (plan.writes < failAt) return failAt - 1;
      await assertBoundary(disk, run, witness, `write ${failAt}`);
    }
  }
}

/**
 * Answers the run, if it began. A fault of what goes on behind the scenes does
 * not end it.
 */
async function runUntilFault(
  scenario: Scenario,
  disk: TestDisk,
  witness: Witness,
): Promise<LogRun | undefined> {
  let run: LogRun | undefined;
  try {
    run = await LogRun.begin(() => disk, { purged: scenario.purged });
    await scenario.steps(run, witness);
    await run.store.close();
  } catch (error) {
    assert(error instanceof StoreError, String(error));
    assertEquals(error.kind, "io");
  }
  return run;
}

/**
 * Opens what the fault left: it ends at a boundary, none before the witness's,
 * and begins with a whole file, none that the witness saw purged.
 */
async function assertBoundary(
  disk: TestDisk,
  run: LogRun | undefined,
  witness: Witness,
  where: string,
): Promise<void> {
  const boundaries = run?.naive.boundaries ?? [];
  await using store = await disk.open();
  const head = store.head;
  const found = boundaries.findIndex((one) =>
    one.fileName === head?.fileName && one.position === head.position
  );
  const acknowledged = witness.acknowledged === undefined
    ? -1
    : boundaries.indexOf(witness.acknowledged);
  assert(found >= acknowledged, `${where}: an acknowledged boundary is lost`);
  assertEquals(found < 0, head === undefined, where);
  const purgedFiles = (store.files[0]?.number ?? 1) - 1;
  assert(purgedFiles >= witness.purgedFiles, `${where}: a file came back`);
  await run?.naive.assertShown(store, boundaries[found], purgedFiles);
  await waitUntil(
    `${where}: no block of a purged file is left`,
    async () => (await store.diskUse()).removingBytes === 0,
  );
  const engine = await disk.engine();
  const end = store.files[0]?.firstBlock ?? 0;
  if (end > 0) {
    assertEquals((await engine.readSummaries(0, end)).length, 0, where);
  }
  await engine.close();
  // And the log can go on.
  store.writer.startFile({ name: "goes on", serverUuid: "" });
  await store.writer.flush();
}

/** All that the engine uses of a database is in a `FaultyKv`. */
async function faultyKvEngine(
  disk: TestDisk,
  plan: FaultPlan,
): Promise<BlockEngine> {
  const kv = await Deno.openKv((disk as KvTestDisk).path);
  return new KvEngine(new FaultyKv(kv, plan) as unknown as Deno.Kv, "test");
}

Deno.test("a commit that fails leaves the log at a boundary", async () => {
  const failed = await failEvery(
    { purged: setOf(400), steps: everything },
    () => new MemoryTestDisk(),
    async (disk, plan) => new FaultyEngine(await disk.engine(), plan),
  );
  assert(failed > 25, `only ${failed} commits were made to fail`);
});

Deno.test("a database write that fails leaves the log at a boundary", async () => {
  const failed = await failEvery(
    { purged: setOf(400), steps: everything },
    () => new KvTestDisk(),
    faultyKvEngine,
  );
  // How many there are depends on the time they take.
  assert(failed > 30, `only ${failed} writes were made to fail`);
});

Deno.test("a commit that fails while files are purged leaves whole files", async () => {
  const failed = await failEvery(
    { purged: setOf(400), steps: purges },
    () => new MemoryTestDisk(),
    async (disk, plan) => new FaultyEngine(await disk.engine(), plan),
  );
  assert(failed > 20, `only ${failed} commits were made to fail`);
});

Deno.test("a database write that fails while files are purged leaves whole files", async () => {
  const failed = await failEvery(
    { purged: setOf(5_000), steps: purges },
    () => new KvTestDisk(),
    faultyKvEngine,
  );
  assert(failed > 20, `only ${failed} writes were made to fail`);
});

Deno.test("a write of large GTID sets that fails leaves the log at a boundary", async () => {
  const failed = await failEvery(
    { purged: setOf(52_000), steps: largeSets },
    () => new KvTestDisk(),
    faultyKvEngine,
  );
  assert(failed > 10, `only ${failed} writes were made to fail`);
});
