import { assert, assertEquals } from "@std/assert";
import { readFramed } from "../../support/read_log.ts";
import { assertFault } from "./durability.ts";
import { LogRun, type NewDisk, storeTest } from "./log_run.ts";

/** What a store does when it is closed, and afterwards. */
export function lifetimeSuite(name: string, newDisk: NewDisk): void {
  const test = (what: string, run: () => Promise<void>): void =>
    storeTest(name, what, run);

  test("close() makes the last boundary durable", async () => {
    await using run = await LogRun.begin(newDisk);
    run.startFile();
    for (let count = 0; count < 40; count++) {
      run.transaction({ rows: [60_000] });
    }
    run.partOfTransaction();
    await run.store.close();
    await run.crash();
    await run.check();
  });

  test("close() twice closes once", async () => {
    await using run = await LogRun.begin(newDisk);
    run.startFile();
    const { store } = run;
    await Promise.all([store.close(), store.close()]);
    await store.close();
    await store[Symbol.asyncDispose]();
    assertEquals(store.failure?.cause, undefined);
    await run.crash();
    await run.check();
  });

  test("close() waits for a rollback under way", async () => {
    await using run = await LogRun.begin(newDisk);
    run.startFile();
    run.partOfTransaction({ rows: Array(60).fill(50_000) });
    const rolledBack = run.rollback().catch((error) => error.kind);
    await run.store.close();
    assert([undefined, "closed"].includes(await rolledBack));
    await run.crash();
    await run.check();
  });

  test("a closed store says so", async () => {
    await using run = await LogRun.begin(newDisk);
    run.startFile();
    run.transaction();
    await run.check();
    const { store } = run;
    const { writer } = store;
    assertEquals(store.closed, false);
    await store.close();
    assertEquals([store.closed, store.failure?.kind], [true, "closed"]);
    await assertFault(() => writer.flush(), "closed");
    await assertFault(() => writer.ready()!, "closed");
    await assertFault(() => writer.rollback(), "closed");
    await assertFault(() => store.getMeta("x"), "closed");
    await assertFault(() => store.setMeta("x", 1), "closed");
    const start = { fileNumber: 1, position: 4 };
    await assertFault(() => store.openReader(start), "closed");
    // Appending is not awaited, so it does nothing.
    run.transaction();
    writer.endOfInput();
  });

  test("a reader of a closed store fails when it needs the disk", async () => {
    await using run = await LogRun.begin(newDisk, {
      store: { tailBytes: 0, cacheBytes: 1 },
    });
    run.startFile();
    run.transaction({ rows: Array(200).fill(50_000) });
    await run.check();
    const reader = await run.store.openReader({ fileNumber: 1, position: 4 });
    await reader.next();
    await run.store.close();
    await assertFault(() => readFramed(reader), "closed");
  });

  test("a read that fails with nobody waiting does no harm", async () => {
    await using run = await LogRun.begin(newDisk, {
      store: { tailBytes: 0, cacheBytes: 1 },
    });
    run.startFile();
    run.transaction({ rows: Array(80).fill(50_000) });
    await run.check();
    const start = { fileNumber: 1, position: 4 };
    const reader = await run.store.openReader(start);
    const other = await run.store.openReader(start);
    const later = [reader.next(), other.peek()];
    assert(later.every((one) => one instanceof Promise));
    await run.store.close();
    // An unhandled rejection would end the test here.
    await new Promise((resolve) => setTimeout(resolve, 5));
  });
}
