import { assert, assertEquals, assertRejects } from "@std/assert";
import { GtidSet } from "../../../lib/gtid/gtid_set.ts";
import {
  type BinlogStore,
  type BlockSummary,
  StoreError,
} from "../../../lib/store/binlog_store.ts";
import { joinBytes } from "../../support/dump_packets.ts";
import { assertSameBytes } from "../../support/naive_log.ts";
import { readFramed, readFrom, unframe } from "../../support/read_log.ts";
import { SeededRandom } from "../../support/seeded_random.ts";
import { LogRun, type NewDisk, storeTest } from "./log_run.ts";

/** So little memory that nearly everything comes from disk. */
const LITTLE_MEMORY = { tailBytes: 0, cacheBytes: 1 };

/** Readers begin where they are asked to, and see what is there. */
export function readingSuite(name: string, newDisk: NewDisk): void {
  const test = (what: string, run: () => Promise<void>): void =>
    storeTest(name, what, run);

  for (const store of [{}, LITTLE_MEMORY]) {
    const memory = store === LITTLE_MEMORY ? "little" : "enough";
    test(`a reader begins at any event and nowhere else, ${memory} memory`, async () => {
      await using run = await LogRun.begin(newDisk, { store });
      await appendMixedFiles(run);
      await assertPositions(run);
      await run.crash();
      await assertPositions(run);
    });
  }

  test("a reader begins behind a large event, at the end too", async () => {
    await using run = await LogRun.begin(newDisk);
    run.startFile();
    for (const size of [100_000, 63_995, 127_990, 0xff_ffff - 1]) {
      run.append(run.made.payloadTransaction(size));
      await run.check();
      assertEquals((await readFrom(run.store, 1, run.made.position)).length, 0);
    }
    await run.crash();
    assertEquals((await readFrom(run.store, 1, run.made.position)).length, 0);
    run.transaction();
    await assertPositions(run);
    run.append(run.made.payloadTransaction(100_000));
    run.startFile();
    await assertPositions(run);
  });

  test("a reader opened at the head goes on from there", async () => {
    await using run = await LogRun.begin(newDisk);
    run.startFile();
    await run.check();
    const from = run.made.position;
    const reader = await run.store.openReader({
      fileNumber: 1,
      position: from,
    });
    assertEquals(await reader.next(), undefined);
    const got: Uint8Array[] = [];
    for (const size of [100, 70_000, 300, 64_000, 5]) {
      run.transaction({ rows: [19 + size] });
      await run.store.writer.flush();
      got.push(await readFramed(reader));
    }
    assertSameBytes(
      unframe(joinBytes(got)),
      run.naive.bytes(0, run.naive.newest!).subarray(from - 4),
    );
  });

  test("positions and files that are not there are refused", async () => {
    await using run = await LogRun.begin(newDisk);
    await assertRefused(run.store, 1, 4, "unknown-file");
    run.startFile();
    run.transaction();
    await run.check();
    const end = run.made.position;
    run.partOfTransaction();
    await run.store.writer.flush();
    await assertRefused(run.store, 0, 4, "unknown-file");
    await assertRefused(run.store, 2, 4, "unknown-file");
    await assertRefused(run.store, 1, 3, "position-before-start");
    await assertRefused(run.store, 1, -1, "position-before-start");
    await assertRefused(run.store, 1, 5, "position-inside-event");
    await assertRefused(run.store, 1, 4.5, "position-inside-event");
    await assertRefused(run.store, 1, NaN, "position-inside-event");
    await assertRefused(run.store, 1, end + 1, "position-after-end");
    await assertRefused(run.store, 1, Infinity, "position-after-end");
  });

  test("files are found by name and by what a replica has", async () => {
    await using run = await LogRun.begin(newDisk, {
      purged: GtidSet.parse("00000001-71ca-11e1-9e33-c80aa9429562:1-9"),
    });
    assertEquals(run.store.fileByName("binlog.000001"), undefined);
    assertEquals(run.store.findFile(new GtidSet()), undefined);
    const executed: GtidSet[] = [];
    for (let file = 0; file < 5; file++) {
      executed.push(run.made.executed.clone());
      run.startFile();
      for (let count = 0; count < 3; count++) run.transaction();
    }
    await run.check();
    const { store } = run;
    assertEquals(store.findFile(new GtidSet()), undefined);
    for (const [index, set] of executed.entries()) {
      assertEquals(store.findFile(set)?.number, index + 1);
      assertEquals(
        store.fileByName(`binlog.00000${index + 1}`)?.number,
        index + 1,
      );
    }
    assertEquals(store.findFile(run.made.executed)?.number, 5);
    assertEquals(store.fileByName("binlog.000006"), undefined);
    assertEquals(store.files[0]!.serverUuid, "server");
  });

  test("peek() tells of whole blocks, skip() steps over them", async () => {
    await using run = await LogRun.begin(newDisk);
    await appendMixedFiles(run);
    const checks = async (store: BinlogStore): Promise<void> => {
      for (const file of store.files) {
        await assertSummaries(run, store, file.number);
      }
    };
    await run.check();
    await checks(run.store);
    await run.crash();
    await checks(run.store);
  });

  test("nextFile() waits until the file was read to its end", async () => {
    await using run = await LogRun.begin(newDisk);
    run.startFile();
    await run.check();
    const reader = await run.store.openReader({ fileNumber: 1, position: 4 });
    const got = [await readFramed(reader)];
    assertEquals(reader.nextFile(), false);
    // All of this becomes visible at once, behind the reader's back.
    run.transaction({ rows: [100_000] });
    run.startFile();
    run.transaction();
    await run.check();
    assertEquals(reader.nextFile(), false);
    assertEquals(reader.file.number, 1);
    got.push(await readFramed(reader));
    assertSameBytes(
      unframe(joinBytes(got)),
      run.naive.bytes(0, run.naive.newest!),
    );
    assertEquals(reader.nextFile(), true);
    assertEquals([reader.file.number, reader.file.name], [2, "binlog.000002"]);
    assertSameBytes(
      unframe(await readFramed(reader)),
      run.naive.bytes(1, run.naive.newest!),
    );
    assertEquals(reader.nextFile(), false);
  });

  test("readers of other places do not disturb each other", async () => {
    await using run = await LogRun.begin(newDisk, {
      store: { tailBytes: 0, cacheBytes: 2_000_000 },
    });
    run.startFile();
    for (let count = 0; count < 120; count++) {
      run.transaction({ rows: [60_000, 30_000] });
    }
    await run.check();
    await run.crash();
    const boundary = run.naive.newest!;
    const bytes = run.naive.bytes(0, boundary);
    const positions = run.naive.positions(0, boundary);
    const random = new SeededRandom(7);
    await Promise.all(Array.from({ length: 20 }, async () => {
      const from = random.pick(positions);
      assertSameBytes(
        await readFrom(run.store, 1, from),
        bytes.subarray(from - 4),
      );
    }));
  });
}

/** Three files with events that fill blocks in many ways. */
async function appendMixedFiles(run: LogRun): Promise<void> {
  for (const sizes of [[40], [300, 31_000, 33_000], [64_000, 19, 130_000]]) {
    run.startFile();
    for (let count = 0; count < 40; count++) {
      run.transaction({
        rows: [sizes[count % sizes.length]!, 40],
        anonymous: count % 7 === 3,
      });
    }
    run.append(run.made.payloadTransaction(63_990 + sizes.length));
    run.append([run.made.rotate()]);
  }
  await run.store.writer.flush();
}

/** Opens a reader at, before and behind every event. */
async function assertPositions(run: LogRun): Promise<void> {
  await run.store.writer.flush();
  const { store, naive } = run;
  const boundary = naive.newest!;
  for (let index = 0; index < boundary.files; index++) {
    const bytes = naive.bytes(index, boundary);
    const positions = naive.positions(index, boundary);
    const known = new Set(positions);
    for (const position of positions) {
      const reader = await store.openReader({
        fileNumber: index + 1,
        position,
      });
      const slice = await reader.next();
      // One run is enough to see that it begins in the right place.
      const run = unframe(slice?.bytes ?? new Uint8Array(0));
      assertSameBytes(
        run,
        bytes.subarray(position - 4, position - 4 + run.length),
      );
      assertEquals(run.length === 0, position === positions.at(-1));
      for (const other of [position - 1, position + 1]) {
        if (other < 4 || other > positions.at(-1)! || known.has(other)) {
          continue;
        }
        await assertRefused(store, index + 1, other, "position-inside-event");
      }
    }
  }
}

async function assertRefused(
  store: BinlogStore,
  fileNumber: number,
  position: number,
  kind: string,
): Promise<void> {
  const error = await assertRejects(
    () => store.openReader({ fileNumber, position }),
    StoreError,
  );
  assertEquals(error.kind, kind);
}

/** Walks a file by its summaries, and holds them against its bytes. */
async function assertSummaries(
  run: LogRun,
  store: BinlogStore,
  fileNumber: number,
): Promise<void> {
  const start = { fileNumber, position: 4 };
  const reader = await store.openReader(start);
  const skipping = await store.openReader(start);
  const began = new GtidSet();
  let position = 4;
  let sealed = 0;
  for (;;) {
    const summary = await reader.peek();
    assertEquals(await skipping.peek(), summary);
    const slice = await reader.next();
    if (slice === undefined) break;
    if (summary === undefined) {
      // The newest block: it begins with an event, or nothing is left of one.
      position += unframe(slice.bytes).length;
      assertEquals(await reader.peek(), undefined);
      continue;
    }
    sealed++;
    skipping.skip();
    assertEquals(summary.fileNumber, fileNumber);
    assertEquals(summary.startPosition, position);
    assertFirstEvent(run, summary, slice.bytes);
    position = summary.endPosition;
    began.addSet(summary.began);
  }
  assertEquals(position, store.files[fileNumber - 1]!.size);
  assert(sealed > 0);
  assert(store.head!.executed.containsSet(began));
  if (await skipping.next() === undefined) {
    assertEquals(skipping.nextFile(), fileNumber < store.files.length);
  }
}

function assertFirstEvent(
  run: LogRun,
  summary: BlockSummary,
  bytes: Uint8Array,
): void {
  const positions = run.naive.positions(
    summary.fileNumber - 1,
    run.naive.newest!,
  );
  const first = positions.find((one) => one >= summary.startPosition)!;
  const ends = positions.includes(summary.endPosition);
  assertEquals(summary.endsInside, !ends);
  if (summary.firstEventOffset < 0) {
    assertEquals(summary.firstEventPosition, summary.endPosition);
    assert(first >= summary.endPosition);
    return;
  }
  assertEquals(summary.firstEventPosition, first);
  const event = bytes.subarray(summary.firstEventOffset + 5);
  const timestamp = new DataView(event.buffer, event.byteOffset).getUint32(
    0,
    true,
  );
  assert(timestamp >= summary.firstTimestamp);
  assert(timestamp <= summary.lastTimestamp);
}
