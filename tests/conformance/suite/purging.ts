import { assert, assertEquals } from "@std/assert";
import { GtidSet } from "../../../lib/gtid/gtid_set.ts";
import type {
  BinlogStore,
  LogReader,
} from "../../../lib/store/binlog_store.ts";
import { waitUntil } from "../../../scripts/test_servers/wait_until.ts";
import { MADE_UUID, numberedUuid } from "../../support/made_log.ts";
import { describeHead } from "../../support/naive_log.ts";
import { readFramed } from "../../support/read_log.ts";
import type { TestDisk } from "../../support/test_disk.ts";
import { assertFault } from "./durability.ts";
import {
  LogRun,
  type LogRunOptions,
  type NewDisk,
  storeTest,
} from "./log_run.ts";

/** Files are purged whole and from the old end. */
export function purgingSuite(name: string, newDisk: NewDisk): void {
  const test = (what: string, run: () => Promise<void>): void =>
    storeTest(name, what, run);

  test("purge() removes the oldest files, and their GTIDs are purged", async () => {
    await using run = await filled(newDisk, 5, {
      purged: GtidSet.parse(`${numberedUuid(7)}:1-9`),
    });
    const sizes = run.store.files.map((file) => file.size);
    const result = await run.store.purge(3);
    assertEquals(result.files.map((file) => file.number), [1, 2]);
    assertEquals(result.bytes, sizes[0]! + sizes[1]!);
    run.naive.purge(3);
    await run.check();
    assertEquals(
      run.store.head!.purged.toString(),
      `${numberedUuid(7)}:1-9,${MADE_UUID}:1-4`,
    );
    assertEquals(run.store.fileByName("binlog.000002"), undefined);
    assertEquals(run.store.files[0]!.name, "binlog.000003");
    await run.crash();
    await run.check();
    run.transaction();
    run.startFile();
    run.transaction();
    await run.check();
    assertEquals(run.store.writer.isFirstFile, false);
    assertEquals(await run.purge(5), ["binlog.000003", "binlog.000004"]);
    await run.check();
  });

  test("purge() leaves the head's file, and an empty log as it is", async () => {
    await using run = await LogRun.begin(newDisk);
    assertEquals(await run.purge(100), []);
    run.startFile();
    await run.store.writer.flush();
    assertEquals(await run.purge(100), []);
    run.transaction();
    run.startFile();
    run.transaction();
    await run.store.writer.flush();
    assertEquals(await run.purge(1), []);
    assertEquals(await run.purge(100), ["binlog.000001"]);
    assertEquals(await run.purge(100), []);
    await run.check();
    await run.reopen();
    await run.check();
    assertEquals(run.store.writer.isFirstFile, false);
  });

  test("purge() of a file behind which only a bare file has begun", async () => {
    await using run = await filled(newDisk, 1);
    const { writer } = run.store;
    writer.startFile({ name: "binlog.000002", serverUuid: "" });
    await writer.flush();
    assertEquals(await run.purge(2), []);
    await run.rollback();
    await run.check();
  });

  test("purge() counts GTIDs that no previous GTIDs announce", async () => {
    await using run = await LogRun.begin(newDisk);
    for (let file = 0; file < 4; file++) {
      run.startFile();
      // As of a source that had no GTIDs when the file began.
      run.store.writer.previousGtids(new GtidSet());
      run.transaction({ rows: [60_000, 60_000] });
      run.transaction({ uuid: numberedUuid(file), rows: [700_000] });
      await run.store.writer.flush();
    }
    await run.purge(3);
    assertSame(run.store.head!.purged, run.naive.purged(2));
    await run.crash();
    assertSame(run.store.head!.purged, run.naive.purged(2));
  });

  test("purge() takes no GTIDs for purged that were never here", async () => {
    await using run = await filled(newDisk, 2);
    run.startFile();
    run.store.writer.previousGtids(
      GtidSet.parse(`${MADE_UUID}:1-4,${numberedUuid(1)}:1-5`),
    );
    run.transaction();
    await run.store.writer.flush();
    await run.purge(3);
    assertSame(run.store.head!.purged, run.naive.purged(2));
    const { head } = run.store;
    assert(head!.executed.containsSet(head!.purged));
  });

  for (const intervals of [300, 70_000]) {
    test(`purge() with sets of ${intervals} intervals`, async () => {
      const purged = new GtidSet();
      for (let count = 0; count < intervals; count++) {
        const gno = BigInt(3 * Math.floor(count / 50) + 1);
        purged.addInterval(numberedUuid(1000 + count % 50), "", gno, gno);
      }
      await using run = await filled(newDisk, 4, { purged });
      await run.purge(2);
      run.transaction();
      await run.check();
      await run.crash();
      await run.purge(4);
      await run.check();
      await run.crash();
      await run.check();
    });
  }

  test("purge() is not noticed by those who wait for the head", async () => {
    await using run = await filled(newDisk, 3);
    const { version } = run.store.head!;
    const waiting = run.store.waitForHead(version);
    await run.purge(3);
    assertEquals(run.store.head!.version, version);
    run.transaction();
    await run.store.writer.flush();
    assertEquals(await waiting, true);
  });

  test("purge() stops between two files when its signal fires", async () => {
    await using run = await filled(newDisk, 4);
    const stopped = await run.store.purge(4, { signal: AbortSignal.abort() });
    assertEquals(stopped.files, []);
    const controller = new AbortController();
    const { files } = run.store;
    const purging = run.store.purge(4, { signal: controller.signal });
    await waitUntil("a file is purged", () => run.store.files !== files, {
      intervalMs: 0,
    });
    controller.abort();
    const { files: gone } = await purging;
    run.naive.purge(1 + gone.length);
    await run.check();
    await run.purge(4);
    await run.check();
  });

  test("purges at the same time come one after another", async () => {
    await using run = await filled(newDisk, 6);
    const results = await Promise.all([
      run.store.purge(3),
      run.store.purge(5),
      run.store.purge(4),
    ]);
    assertEquals(
      results.map(({ files }) => files.map((file) => file.number)),
      [[1, 2], [3, 4], []],
    );
    run.naive.purge(5);
    await run.check();
  });

  test("purge() while the log is written loses nothing", async () => {
    await using run = await filled(newDisk, 3);
    for (let round = 0; round < 12; round++) {
      const purging = run.store.purge(run.naive.newest!.files - 1);
      for (let count = 0; count < 4; count++) {
        run.transaction({ rows: [30_000 + 9_000 * round] });
        await run.store.writer.ready();
      }
      if (round % 3 === 0) run.startFile();
      if (round % 4 === 1) {
        run.partOfTransaction({ rows: Array(30).fill(50_000) });
        await run.rollback();
      }
      const { files } = await purging;
      run.naive.purge((files.at(-1)?.number ?? 0) + 1);
      if (round % 5 === 0) await run.check();
    }
    await run.check();
    await run.crash();
    await run.check();
    assert(run.store.files[0]!.number > 3);
  });

  test("purge() while a rollback is under way keeps both", async () => {
    await using run = await filled(newDisk, 6);
    for (let file = 2; file <= 6; file++) {
      run.partOfTransaction({ rows: Array(20 * (file - 1)).fill(50_000) });
      if (file % 2 === 0) await run.store.writer.flush();
      const purging = run.purge(file);
      await run.rollback();
      await purging;
      await run.check();
      await run.crash();
      await run.check();
    }
  });

  test("a reader in a purged file is told so", async () => {
    await using run = await filled(newDisk, 4, {
      store: { tailBytes: 0, cacheBytes: 1 },
    });
    const begin = await readerAt(run.store, 1);
    const middle = await readerAt(run.store, 2);
    const atEnd = await readerAt(run.store, 2);
    await middle.next();
    await readFramed(atEnd);
    const loading = Promise.resolve((await readerAt(run.store, 1)).next())
      .catch((error) => assertEquals(error.kind, "purged"));
    await run.purge(3);
    for (const reader of [begin, middle, atEnd]) {
      await assertFault(async () => await reader.next(), "purged");
      await assertFault(async () => await reader.peek(), "purged");
    }
    assertEquals(middle.file.name, "binlog.000002");
    await loading;
    // Who has all of a purged file goes on.
    assertEquals(atEnd.nextFile(), true);
    assertEquals(atEnd.file.number, 3);
    await readFramed(atEnd);
    await run.purge(4);
    assertEquals(atEnd.nextFile(), true);
    await assertFault(() => readerAt(run.store, 3), "purged");
    await assertFault(() => readerAt(run.store, 5), "unknown-file");
    await assertFault(
      async () => await Promise.resolve(begin.nextFile()),
      "purged",
    );
  });

  test("the blocks of purged files leave the disk", async () => {
    await using run = await filled(newDisk, 4);
    const { firstBlock } = run.store.files[2]!;
    await run.purge(3);
    await waitUntilGone(run.disk, firstBlock);
    await run.check();
    const { removingBytes } = await run.store.diskUse();
    assertEquals(removingBytes, 0);
  });

  test("blocks that a crash left of purged files go after opening", async () => {
    await using run = await filled(newDisk, 4);
    const { firstBlock } = run.store.files[2]!;
    await run.purge(3);
    // Fenced: whatever it did not remove yet stays.
    await run.crash();
    await waitUntilGone(run.disk, firstBlock);
    await run.check();
  });

  test("close() does not wait until all blocks have gone", async () => {
    await using run = await filled(newDisk, 4);
    await run.purge(4);
    await run.store.close();
    await assertFault(() => run.store.purge(4), "closed");
    await assertFault(() => run.store.diskUse(), "closed");
    await run.crash();
    await run.check();
  });

  test("purge() of a writer that was fenced fails, and changes nothing", async () => {
    await using run = await filled(newDisk, 3);
    const old = run.store;
    await run.crash();
    const before = describeHead(old.head);
    await assertFault(() => old.purge(3), "fenced");
    assertEquals(describeHead(old.head), before);
    assertEquals(old.failure?.kind, "fenced");
    await run.check();
  });
}

/** A log of files with two transactions each, one larger than a commit. */
async function filled(
  newDisk: NewDisk,
  files: number,
  options: LogRunOptions = {},
): Promise<LogRun> {
  const run = await LogRun.begin(newDisk, options);
  for (let file = 0; file < files; file++) {
    run.startFile();
    run.transaction();
    run.transaction({ rows: Array(20).fill(50_000) });
  }
  await run.store.writer.flush();
  return run;
}

function readerAt(store: BinlogStore, fileNumber: number): Promise<LogReader> {
  return store.openReader({ fileNumber, position: 4 });
}

async function waitUntilGone(disk: TestDisk, end: number): Promise<void> {
  const engine = await disk.engine();
  await waitUntil("the blocks are gone", async () => {
    const blocks = await engine.readBlocks(0, end);
    const summaries = await engine.readSummaries(0, end);
    return blocks.length === 0 && summaries.length === 0;
  });
  const [first] = await engine.readBlocks(end, 1);
  assert(first !== undefined, "too much was removed");
  await engine.close();
}

function assertSame(actual: GtidSet, expected: GtidSet): void {
  assertEquals(actual.toString(), expected.toString());
}
