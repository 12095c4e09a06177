import { assert, assertEquals } from "@std/assert";
import { LogFeeder } from "../../support/log_feeder.ts";
import { describeHead } from "../../support/naive_log.ts";
import { readFramed } from "../../support/read_log.ts";
import { SeededRandom } from "../../support/seeded_random.ts";
import { LogRun, type NewDisk, storeTest } from "./log_run.ts";

/** Nothing is seen before its time; then those who wait are told. */
export function visibilitySuite(name: string, newDisk: NewDisk): void {
  const test = (what: string, run: () => Promise<void>): void =>
    storeTest(name, what, run);

  test("an empty log shows nothing", async () => {
    await using run = await LogRun.begin(newDisk);
    assertEquals(run.store.head, undefined);
    assertEquals(run.store.files, []);
    assertEquals(run.store.failure, undefined);
    await run.store.writer.flush();
    await run.store.writer.rollback();
    await run.crash();
    await run.check();
  });

  test("nothing is visible before its boundary", async () => {
    await using run = await LogRun.begin(newDisk);
    run.startFile();
    run.transaction();
    await run.check();
    const before = describeHead(run.store.head);
    const reader = await run.store.openReader({ fileNumber: 1, position: 4 });
    await readFramed(reader);
    // More than several commits, but no end of the transaction.
    const events = run.made.transaction({ rows: Array(60).fill(50_000) });
    run.append(events.slice(0, -1), false);
    await run.store.writer.flush();
    assertEquals(describeHead(run.store.head), before);
    assertEquals(await reader.next(), undefined);
    assertEquals(await reader.peek(), undefined);
    run.append(events.slice(-1));
    assertEquals(describeHead(run.store.head), before);
    await run.check();
    assert((await readFramed(reader)).length > 3_000_000);
  });

  test("nothing is visible before the commit has returned", async () => {
    await using run = await LogRun.begin(newDisk);
    run.startFile();
    await run.check();
    for (let count = 0; count < 5; count++) {
      const { version, position } = run.store.head!;
      run.transaction();
      assertEquals(run.store.head!.position, position);
      assert(await run.store.waitForHead(version));
      assertEquals(run.store.head!.position, run.made.position);
      assertEquals(run.store.head!.version, version + 1);
    }
  });

  test("a file is visible only with its previous GTIDs", async () => {
    await using run = await LogRun.begin(newDisk);
    run.startFile();
    run.transaction();
    await run.check();
    const feeder = new LogFeeder(run.store.writer);
    feeder.startFile("binlog.000002");
    const [format, previous] = run.made.beginFile();
    feeder.push([format!]);
    await run.store.writer.flush();
    assertEquals(run.store.head!.fileName, "binlog.000001");
    assertEquals(run.store.files.length, 1);
    assertEquals(run.store.files[0]!.closed, true);
    assertEquals(run.store.findFile(run.made.executed)!.number, 1);
    feeder.push([previous!]);
    await run.store.writer.flush();
    assertEquals(run.store.head!.fileName, "binlog.000002");
    assertEquals(run.store.findFile(run.made.executed)!.number, 2);
  });

  test("the head tells the newest timestamp, not the highest", async () => {
    await using run = await LogRun.begin(newDisk);
    run.made.timestamp = 4_000_000_000;
    run.startFile();
    run.transaction();
    run.made.timestamp = 1_700_000_000;
    run.transaction();
    await run.check();
    assertEquals(run.store.head!.lastTimestamp, 1_700_000_000);
    assertEquals(run.store.files[0]!.firstTimestamp, 4_000_000_000);
    run.made.timestamp = 0;
    run.transaction();
    await run.store.writer.flush();
    assertEquals(run.store.head!.lastTimestamp, 1_700_000_000);
  });

  test("waitForHead() answers at once what has happened before", async () => {
    await using run = await LogRun.begin(newDisk);
    run.startFile();
    await run.check();
    assertEquals(await run.store.waitForHead(0), true);
    const { version } = run.store.head!;
    assertEquals(version >= 1, true);
    assertEquals(await run.store.waitForHead(version - 1), true);
    await run.crash();
    assertEquals(await run.store.waitForHead(0), true);
  });

  test("waitForHead() gives up when the time is up", async () => {
    await using run = await LogRun.begin(newDisk);
    assertEquals(await run.store.waitForHead(0, { timeoutMs: 1 }), false);
    assertEquals(await run.store.waitForHead(0, { timeoutMs: 0 }), false);
  });

  test("waitForHead() gives up when the signal fires", async () => {
    await using run = await LogRun.begin(newDisk);
    const gone = AbortSignal.abort();
    assertEquals(await run.store.waitForHead(0, { signal: gone }), false);
    const controller = new AbortController();
    const waiting = run.store.waitForHead(0, {
      signal: controller.signal,
      timeoutMs: 60_000,
    });
    controller.abort();
    assertEquals(await waiting, false);
  });

  test("waitForHead() does not end early for a very long time", async () => {
    await using run = await LogRun.begin(newDisk);
    const waiting = run.store.waitForHead(0, { timeoutMs: 2 ** 40 });
    await new Promise((resolve) => setTimeout(resolve, 20));
    run.startFile();
    assertEquals(await waiting, true);
  });

  test("waitForHead() ends when the store is closed", async () => {
    await using run = await LogRun.begin(newDisk);
    const waiting = run.store.waitForHead(0);
    await run.store.close();
    assertEquals(await waiting, false);
    assertEquals(await run.store.waitForHead(0), false);
  });

  test("only a head that moved wakes those who wait", async () => {
    await using run = await LogRun.begin(newDisk);
    run.startFile();
    await run.check();
    const { version } = run.store.head!;
    let woken = false;
    const waiting = run.store.waitForHead(version).then((moved) => {
      woken = true;
      return moved;
    });
    const events = run.made.transaction({ rows: Array(60).fill(50_000) });
    run.append(events.slice(0, -1), false);
    await run.store.writer.flush();
    assertEquals([woken, run.store.head!.version], [false, version]);
    run.append(events.slice(-1));
    assertEquals(await waiting, true);
  });

  test("twenty readers follow a log while it grows and is cut back", async () => {
    await using run = await LogRun.begin(newDisk, {
      store: { tailBytes: 400_000, cacheBytes: 1_000_000 },
      random: new SeededRandom(20),
    });
    const done = new AbortController();
    const random = new SeededRandom(21);
    const readers = Array.from(
      { length: 20 },
      (_, number) => followAll(run, done.signal, number),
    );
    for (let file = 0; file < 3; file++) {
      run.startFile();
      for (let count = 0; count < 25; count++) {
        if (random.chance(0.2)) {
          run.partOfTransaction({ rows: Array(30).fill(40_000) });
          await run.rollback();
        }
        run.transaction({ rows: [random.pick([40, 5_000, 150_000])] });
        if (random.chance(0.5)) await run.store.writer.ready();
        if (random.chance(0.3)) await run.store.writer.flush();
      }
      run.append([run.made.rotate()]);
    }
    await run.check();
    done.abort();
    const expected = run.naive.boundaries.at(-1)!;
    for (const files of await Promise.all(readers)) {
      assertEquals(files.length, expected.files);
      for (const [index, bytes] of files.entries()) {
        assertEquals(bytes, run.naive.bytes(index, expected).length);
      }
    }
  });
}

/**
 * Follows the log to where it is when the signal fires; answers how many bytes
 * each file had, all of which were what they had to be.
 */
async function followAll(
  run: LogRun,
  signal: AbortSignal,
  number: number,
): Promise<number[]> {
  const { store } = run;
  await store.waitForHead(0);
  const reader = await store.openReader({ fileNumber: 1, position: 4 });
  const files: Comparison[] = [new Comparison(run, 0)];
  for (;;) {
    const { version } = store.head!;
    if (number % 3 === 0) await reader.peek();
    const slice = await reader.next();
    if (slice !== undefined) files.at(-1)!.take(slice.bytes);
    else if (reader.nextFile()) files.push(new Comparison(run, files.length));
    else if (signal.aborted && store.head!.version === version) break;
    else await store.waitForHead(version, { signal });
  }
  return files.map((file) => file.bytes);
}

/** Holds the framed bytes of a file against what was appended, as they come. */
class Comparison {
  readonly #run: LogRun;
  readonly #index: number;
  /** Bytes of the file so far. */
  bytes = 0;
  #left = 0;

  constructor(run: LogRun, index: number) {
    this.#run = run;
    this.#index = index;
  }

  /** Compares a run; no packet of it is a full one. */
  take(framed: Uint8Array): void {
    const expected = this.#run.naive.bytes(
      this.#index,
      this.#run.naive.newest!,
    );
    for (let at = 0; at < framed.length;) {
      if (this.#left === 0) {
        this.#left = (framed[at]! | framed[at + 1]! << 8 |
          framed[at + 2]! << 16) - 1;
        at += 5;
      }
      const end = Math.min(framed.length, at + this.#left);
      this.#left -= end - at;
      for (; at < end; at++, this.bytes++) {
        if (framed[at] !== expected[this.bytes]) {
          throw new Error(`file ${this.#index} differs at ${this.bytes}`);
        }
      }
    }
  }
}
