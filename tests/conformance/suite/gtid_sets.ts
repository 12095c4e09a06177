import { assert, assertEquals } from "@std/assert";
import { GtidSet } from "../../../lib/gtid/gtid_set.ts";
import { MADE_UUID, numberedUuid } from "../../support/made_log.ts";
import { SeededRandom } from "../../support/seeded_random.ts";
import { LogRun, type NewDisk, storeTest } from "./log_run.ts";

/** GTID sets of every size are kept with the log. */
export function gtidSuite(name: string, newDisk: NewDisk): void {
  const test = (what: string, run: () => Promise<void>): void =>
    storeTest(name, what, run);

  test("the first file's previous GTIDs are the purged ones", async () => {
    const purged = GtidSet.parse(`${MADE_UUID}:1-100,${numberedUuid(7)}:5`);
    await using run = await LogRun.begin(newDisk, { purged });
    run.startFile();
    await run.check();
    assertEquals(run.store.head!.executed.toString(), purged.toString());
    run.transaction();
    run.startFile();
    run.transaction();
    await run.check();
    await run.crash();
    run.transaction();
    await run.check();
    assertEquals(run.store.head!.lastGtid, `${MADE_UUID}:103`);
  });

  test("purged GTIDs are forgotten with a first file that goes", async () => {
    const purged = GtidSet.parse(`${MADE_UUID}:1-100`);
    await using run = await LogRun.begin(newDisk);
    const { writer } = run.store;
    writer.startFile({ name: "binlog.000001", serverUuid: "" });
    writer.previousGtids(purged);
    assertEquals(writer.executed.toString(), purged.toString());
    await writer.rollback();
    assertEquals(writer.executed.toString(), "");
    run.startFile();
    run.transaction();
    await run.check();
  });

  test("purged GTIDs stay once there are transactions", async () => {
    await using run = await LogRun.begin(newDisk);
    run.startFile();
    run.transaction();
    run.store.writer.previousGtids(GtidSet.parse(`${numberedUuid(1)}:1`));
    run.transaction();
    await run.store.writer.flush();
    assertEquals(run.store.head!.purged.toString(), "");
    assertEquals(run.store.head!.executed.toString(), `${MADE_UUID}:1-2`);
  });

  test("transactions of many servers, with gaps and without GTIDs", async () => {
    const random = new SeededRandom(5);
    await using run = await LogRun.begin(newDisk, { random });
    run.startFile();
    for (let count = 0; count < 1000; count++) {
      const uuid = numberedUuid(random.integer(1, 400));
      if (random.chance(0.1)) run.transaction({ anonymous: true });
      const gno = BigInt(random.integer(1, 1_000_000));
      if (run.made.executed.has(uuid, "", gno)) continue;
      run.transaction({ uuid, gno });
    }
    await run.check();
    await run.crash();
    await run.check();
    run.transaction({ uuid: numberedUuid(401) });
    await run.check();
  });

  // Encoded: 5 KB, 64 KB, and more than one commit of the database takes.
  for (const intervals of [300, 4_000, 70_000]) {
    test(`sets of ${intervals} intervals are kept`, async () => {
      const purged = setWithGaps(intervals);
      await using run = await LogRun.begin(newDisk, { purged });
      run.startFile();
      run.transaction({ rows: [500_000] });
      await run.store.writer.flush();
      run.startFile();
      for (let count = 0; count < 10; count++) {
        run.transaction({ uuid: numberedUuid(900 + count) });
        await run.store.writer.flush();
      }
      run.partOfTransaction();
      await run.rollback();
      run.startFile();
      await run.check();
      await run.crash();
      run.transaction();
      await run.check();
      await run.crash();
      await run.check();
      assert(run.store.head!.executed.containsSet(purged));
    });
  }

  test("sets grow and shrink over the limits of a record", async () => {
    // Files that go away with their large sets, again and again.
    await using run = await LogRun.begin(newDisk, {
      purged: setWithGaps(600),
    });
    run.startFile();
    run.transaction();
    await run.check();
    for (let count = 0; count < 5; count++) {
      const { writer } = run.store;
      writer.startFile({ name: `binlog.${count}`, serverUuid: "" });
      writer.previousGtids(setWithGaps(1_000 * count));
      await writer.flush();
      await (count % 2 === 0 ? run.rollback() : run.crash());
      await run.check();
    }
    run.startFile();
    await run.check();
  });
}

/** A set of so many intervals, of many servers. */
function setWithGaps(intervals: number): GtidSet {
  const set = new GtidSet();
  for (let count = 0; count < intervals; count++) {
    const gno = BigInt(3 * Math.floor(count / 50) + 1);
    set.addInterval(numberedUuid(1000 + count % 50), "", gno, gno + 1n);
  }
  return set;
}
