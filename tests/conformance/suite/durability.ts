import { assert, assertEquals, assertRejects } from "@std/assert";
import { StoreError } from "../../../lib/store/binlog_store.ts";
import { LogFeeder } from "../../support/log_feeder.ts";
import { describeHead } from "../../support/naive_log.ts";
import { SeededRandom } from "../../support/seeded_random.ts";
import { LogRun, type NewDisk, storeTest } from "./log_run.ts";

/** Rows events of a transaction larger than several commits. */
const HUGE = { rows: Array(70).fill(50_000) };

/** What was flushed stays; what lies behind the last boundary goes. */
export function durabilitySuite(name: string, newDisk: NewDisk): void {
  const test = (what: string, run: () => Promise<void>): void =>
    storeTest(name, what, run);

  test("what was flushed is there after a crash", async () => {
    await using run = await LogRun.begin(newDisk);
    run.startFile();
    for (let count = 0; count < 100; count++) {
      run.transaction({ rows: [40 + 700 * (count % 5)] });
      await run.store.writer.flush();
      if (count % 10 !== 0) continue;
      await run.crash();
      await run.check();
    }
  });

  test("a crash while nothing was awaited keeps some boundary", async () => {
    await using run = await LogRun.begin(newDisk);
    run.startFile();
    for (let count = 0; count < 6; count++) run.transaction(HUGE);
    await run.store.writer.ready();
    const old = run.store;
    const store = await run.disk.open();
    const boundary = run.naive.boundaries.find((one) =>
      one.position === store.head!.position
    );
    await run.naive.assertShown(store, boundary!);
    old.writer.closeFile();
    await assertFault(() => old.writer.flush(), "fenced");
    await store.close();
  });

  for (const how of ["crash", "reopen", "rollback"] as const) {
    const goBack = {
      crash: "a crash removes",
      reopen: "closing and opening removes",
      rollback: "rollback() removes",
    }[how];

    test(`${goBack} a transaction larger than a commit`, async () => {
      await using run = await LogRun.begin(newDisk, {
        random: new SeededRandom(3),
      });
      run.startFile();
      run.transaction();
      for (let count = 0; count < 3; count++) {
        run.partOfTransaction(HUGE);
        await run.store.writer.flush();
        await run[how]();
        await run.check();
        // Other bytes at the same place.
        run.transaction({ rows: [70_000 + count, 40] });
        await run.check();
      }
      await run.crash();
      await run.check();
    });

    test(`${goBack} a large event that has not ended`, async () => {
      await using run = await LogRun.begin(newDisk);
      run.startFile();
      const events = run.made.transaction({ rows: [1_000_000] });
      run.append(events.slice(0, 4), false);
      await run.store.writer.flush();
      await run[how]();
      await run.check();
      run.transaction({ rows: [200_000] });
      await run.check();
    });

    test(`${goBack} files the head has not come to`, async () => {
      await using run = await LogRun.begin(newDisk);
      run.startFile();
      run.transaction();
      await run.check();
      // A file with no boundary yet, after the end of the one before.
      run.store.writer.startFile({ name: "binlog.000002", serverUuid: "" });
      await run.store.writer.flush();
      assertEquals(run.store.files.map((file) => file.closed), [true]);
      await run[how]();
      assertEquals(run.store.writer.fileName, "binlog.000001");
      await run.check();
      run.startFile();
      run.partOfTransaction(HUGE);
      await run.store.writer.flush();
      await run[how]();
      run.transaction();
      await run.check();
      assertEquals(run.store.files.map((file) => file.closed), [true, false]);
    });

    test(`${goBack} the only file before its first boundary`, async () => {
      await using run = await LogRun.begin(newDisk);
      const { writer } = run.store;
      writer.startFile({ name: "binlog.000007", serverUuid: "" });
      await writer.flush();
      await run[how]();
      assertEquals(run.store.writer.fileName, "");
      await run.check();
      run.startFile();
      run.partOfTransaction(HUGE);
      await run.store.writer.flush();
      await run[how]();
      run.transaction();
      await run.check();
    });
  }

  // More blocks than an opening removes before it lets readers in.
  const VAST = { rows: Array(480).fill(60_000) };

  for (const how of ["crash", "reopen"] as const) {
    test(`after a ${how} the log is open before a vast transaction has gone`, async () => {
      await using run = await LogRun.begin(newDisk, {
        store: { tailBytes: 100_000 },
      });
      run.startFile();
      run.transaction({ rows: [60_000, 60_000] });
      for (let count = 0; count < 3; count++) {
        run.partOfTransaction(VAST);
        await run.store.writer.flush();
        await run[how]();
        assertEquals((await run.store.diskUse()).settled, false);
        await run.naive.assertShown(run.store, run.naive.newest);
        if (count === 1) {
          // Opened and closed before it has gone.
          await run[how]();
        }
        // Other bytes at the same place, appended at once.
        run.transaction({ rows: Array(40).fill(59_000 + count) });
        run.startFile();
        await run.check();
        assertEquals((await run.store.diskUse()).removingBytes, 0);
      }
      await run.reopen();
      await run.check();
    });
  }

  test("an empty log opens before a vast transaction has gone", async () => {
    await using run = await LogRun.begin(newDisk);
    const { writer } = run.store;
    writer.startFile({ name: "binlog.000001", serverUuid: "" });
    // No boundary yet, not even behind the file's begin.
    const events = run.made.transaction(VAST);
    new LogFeeder(writer).push(events.slice(0, -1));
    await writer.flush();
    await run.crash();
    assertEquals((await run.store.diskUse()).settled, false);
    run.startFile();
    run.transaction();
    await run.check();
    await run.crash();
    await run.check();
  });

  test("rollback() at a boundary changes nothing", async () => {
    await using run = await LogRun.begin(newDisk);
    run.startFile();
    run.transaction();
    await run.check();
    const before = describeHead(run.store.head);
    const { version } = run.store.head!;
    await run.rollback();
    await run.rollback();
    assertEquals(describeHead(run.store.head), before);
    assertEquals(run.store.head!.version, version);
    run.transaction();
    await run.check();
  });

  test("rollback() first makes durable what came before", async () => {
    await using run = await LogRun.begin(newDisk);
    run.startFile();
    for (let count = 0; count < 50; count++) run.transaction();
    run.partOfTransaction();
    await run.rollback();
    await run.naive.assertShown(run.store, run.naive.newest);
    assertEquals(
      run.store.writer.executed.toString(),
      run.made.executed.toString(),
    );
  });

  test("rollback() goes back into a block that is whole on disk", async () => {
    await using run = await LogRun.begin(newDisk, {
      store: { tailBytes: 0, cacheBytes: 1 },
    });
    run.startFile();
    run.transaction({ rows: [10_000] });
    await run.store.writer.flush();
    for (let count = 0; count < 4; count++) {
      run.partOfTransaction({ rows: Array(200).fill(20_000) });
      await run.rollback();
      await run.check();
      run.transaction({ rows: [5_000] });
    }
    await run.check();
    await run.crash();
    await run.check();
  });

  test("what was closed properly is there, flushed or not", async () => {
    await using run = await LogRun.begin(newDisk);
    run.startFile();
    for (let count = 0; count < 20; count++) {
      run.transaction();
      await run.reopen();
      await run.check();
    }
    run.transaction(HUGE);
    await run.reopen();
    await run.check();
  });

  test("a second writer fences the first", async () => {
    await using run = await LogRun.begin(newDisk);
    run.startFile();
    run.transaction();
    await run.check();
    const first = run.store;
    await run.crash();
    const { writer } = first;
    writer.startFile({ name: "binlog.000009", serverUuid: "" });
    await assertFault(() => writer.flush(), "fenced");
    assertEquals(first.failure?.kind, "fenced");
    await assertFault(() => writer.ready()!, "fenced");
    await assertFault(() => writer.rollback(), "fenced");
    await assertFault(() => first.setMeta("name", 1), "fenced");
    // It can still be read.
    await run.naive.assertShown(first, run.naive.newest);
    await first.close();
    assertEquals(first.failure?.kind, "closed");
    assertEquals((first.failure?.cause as StoreError).kind, "fenced");
    run.transaction();
    await run.check();
  });

  test("a writer that failed never writes again", async () => {
    await using run = await LogRun.begin(newDisk);
    run.startFile();
    await run.check();
    const first = run.store;
    await run.crash();
    const { writer } = first;
    writer.startFile({ name: "binlog.000009", serverUuid: "" });
    await assertFault(() => writer.flush(), "fenced");
    const head = describeHead(first.head);
    for (let count = 0; count < 3; count++) {
      writer.startFile({ name: "binlog.000010", serverUuid: "" });
      writer.endOfInput();
      await assertFault(() => writer.flush(), "fenced");
    }
    assertEquals(describeHead(first.head), head);
    await run.check();
  });

  test("values beside the log survive, and go when they are undefined", async () => {
    await using run = await LogRun.begin(newDisk);
    const value = { text: "ä", number: 1, big: 2n, list: [true, null] };
    assertEquals(await run.store.getMeta("a/b"), undefined);
    await run.store.setMeta("a/b", value);
    await run.store.setMeta("null", null);
    await run.store.setMeta("gone", 1);
    await run.store.setMeta("gone", undefined);
    for (let count = 0; count < 2; count++) {
      assertEquals(await run.store.getMeta("a/b"), value);
      assertEquals(await run.store.getMeta("null"), null);
      assertEquals(await run.store.getMeta("gone"), undefined);
      await run.crash();
    }
    const copy = await run.store.getMeta("a/b") as typeof value;
    copy.list.push(true);
    assertEquals(await run.store.getMeta("a/b"), value);
    assert(run.store.head === undefined);
  });
}

/** Checks that something fails with a fault of that kind. */
export async function assertFault(
  act: () => Promise<unknown>,
  kind: StoreError["kind"],
): Promise<void> {
  assertEquals((await assertRejects(act, StoreError)).kind, kind);
}
