import { assert, assertEquals, assertThrows } from "@std/assert";
import { GtidSet } from "../../../lib/gtid/gtid_set.ts";
import {
  type BinlogStore,
  BLOCK_BYTES_MAX,
} from "../../../lib/store/binlog_store.ts";
import {
  FIXTURE_SERVERS,
  loadBinlogFixtures,
} from "../../support/binlog_fixture.ts";
import { LogFeeder } from "../../support/log_feeder.ts";
import { assertSameBytes } from "../../support/naive_log.ts";
import { readFile } from "../../support/read_stored_file.ts";
import { SeededRandom } from "../../support/seeded_random.ts";
import { LogRun, type NewDisk, storeTest } from "./log_run.ts";

/** Events go in and come out as they were, however they are cut. */
export function appendingSuite(name: string, newDisk: NewDisk): void {
  const test = (what: string, run: () => Promise<void>): void =>
    storeTest(name, what, run);

  for (const server of FIXTURE_SERVERS) {
    test(`${server}'s files come out byte for byte`, async () => {
      const fixtures = loadBinlogFixtures(server)
        .filter((fixture) => fixture.name.startsWith("binlog."));
      for (let seed = 1; seed <= 3; seed++) {
        await using disk = newDisk();
        const store = await disk.open();
        const feeder = new LogFeeder(store.writer, new SeededRandom(seed));
        for (const fixture of fixtures) {
          feeder.startFile(fixture.name);
          feeder.push(fixture.events.map((event) => event.bytes));
        }
        await store.writer.flush();
        for (const at of [store, await disk.open()]) {
          for (const [index, fixture] of fixtures.entries()) {
            const file = at.files[index]!;
            assertEquals(file.name, fixture.name);
            assertEquals(file.checksumAlgorithm, fixture.algorithm);
            assertSameBytes(
              await readFile(at, file),
              fixture.bytes.subarray(4),
            );
          }
          if (server === "mariadb1011") continue;
          const truth = fixtures.at(-1)!.truth;
          assertEquals(at.head!.executed.toString(), truth.executed_after);
        }
      }
    });
  }

  for (let seed = 1; seed <= 4; seed++) {
    test(`random transactions come out byte for byte, seed ${seed}`, async () => {
      const random = new SeededRandom(seed);
      await using run = await LogRun.begin(newDisk, { random });
      for (let files = random.integer(2, 4); files > 0; files--) {
        run.startFile();
        for (let count = random.integer(0, 60); count > 0; count--) {
          run.transaction({
            rows: Array.from(
              { length: random.integer(1, 6) },
              () => random.pick([19, 50, 700, 9_000, 70_000]),
            ),
            anonymous: random.chance(0.1),
          });
        }
        run.append([run.made.rotate()]);
      }
      await run.check();
      await run.crash();
      await run.check();
    });
  }

  // Framed, an event takes five bytes more.
  const block = BLOCK_BYTES_MAX - 5;
  for (
    const size of [block - 1, block, block + 1, 2 * block, 200_000, 3_000_001]
  ) {
    test(`an event of ${size} bytes is kept whole`, async () => {
      await using run = await LogRun.begin(newDisk, {
        random: new SeededRandom(size),
      });
      run.startFile();
      run.transaction();
      run.transaction({ rows: [100, size, 100, size] });
      run.append(run.made.payloadTransaction(size));
      run.transaction();
      await run.check();
      await run.crash();
      run.transaction({ rows: [size] });
      await run.check();
    });
  }

  // The payload has a status byte more: exact multiples end in an empty packet.
  for (
    const size of [
      0xff_ffff - 2,
      0xff_ffff - 1,
      0xff_ffff,
      2 * 0xff_ffff - 1,
      2 * 0xff_ffff + 5,
    ]
  ) {
    test(`an event of ${size} bytes, many packets, is kept whole`, async () => {
      await using run = await LogRun.begin(newDisk);
      run.startFile();
      run.append(run.made.payloadTransaction(size));
      await run.check();
      await run.crash();
      run.transaction();
      run.transaction({ rows: [40, size] });
      await run.check();
    });
  }

  test("many small files of one input are kept", async () => {
    await using run = await LogRun.begin(newDisk);
    // More blocks and records than one commit of the database takes.
    for (let file = 0; file < 1200; file++) {
      run.startFile();
      if (file % 3 === 0) run.transaction();
    }
    await run.check();
    await run.crash();
    await run.check();
    assert(run.store.files.slice(0, -1).every((file) => file.closed));
    assertEquals(run.store.files.at(-1)!.closed, false);
  });

  test("files without any event do no harm", async () => {
    await using run = await LogRun.begin(newDisk);
    const { writer } = run.store;
    for (let file = 0; file < 300; file++) {
      writer.startFile({ name: `empty.${file}`, serverUuid: "" });
    }
    await writer.flush();
    assertEquals(run.store.head, undefined);
    await writer.rollback();
    run.startFile();
    await run.check();
  });

  test("events without a file make nothing visible", async () => {
    await using run = await LogRun.begin(newDisk);
    appendPlain(run.store, run.made.rotate());
    await run.store.writer.flush();
    assertEquals(run.store.head, undefined);
    await run.store.writer.rollback();
    await run.crash();
    run.startFile();
    await run.check();
  });

  test("the writer says where it stands", async () => {
    await using run = await LogRun.begin(newDisk);
    const { writer } = run.store;
    assertEquals(standing(run.store), ["", 4, false]);
    assertThrows(() => writer.closeFile(), TypeError, "no file was started");
    run.startFile();
    assertEquals(standing(run.store), [
      "binlog.000001",
      run.made.position,
      true,
    ]);
    assertEquals(writer.executed.toString(), "");
    run.partOfTransaction();
    assertEquals(writer.position, run.made.position - 27);
    assertEquals(writer.executed.toString(), "");
    await run.rollback();
    run.transaction();
    assertEquals(writer.position, run.made.position);
    assertEquals(writer.executed.toString(), run.made.executed.toString());
    run.startFile();
    assertEquals(standing(run.store), [
      "binlog.000002",
      run.made.position,
      false,
    ]);
    await run.check();
    await run.crash();
    assertEquals(standing(run.store), [
      "binlog.000002",
      run.made.position,
      false,
    ]);
    assertEquals(
      run.store.writer.executed.toString(),
      run.made.executed.toString(),
    );
  });

  test("an event too large for a block is refused as a whole", async () => {
    await using run = await LogRun.begin(newDisk);
    run.startFile();
    const { writer } = run.store;
    const packet = new Uint8Array(BLOCK_BYTES_MAX + 1);
    assertThrows(
      () => writer.event(packet, 0, packet.length, 1, true),
      RangeError,
      "64001",
    );
    await run.check();
    run.transaction();
    await run.check();
  });

  test("ready() asks for patience and lets go of it", async () => {
    await using run = await LogRun.begin(newDisk);
    run.startFile();
    assertEquals(run.store.writer.ready(), undefined);
    run.partOfTransaction({ rows: Array(80).fill(63_000) });
    const room = run.store.writer.ready();
    assert(room instanceof Promise);
    await room;
    assertEquals(run.store.writer.ready(), undefined);
    await run.rollback();
    await run.check();
  });

  test("previous GTIDs default to what was executed before", async () => {
    await using run = await LogRun.begin(newDisk);
    run.startFile();
    run.transaction();
    const executed = run.made.executed.toString();
    const { writer } = run.store;
    writer.startFile({ name: "binlog.000002", serverUuid: "" });
    appendPlain(run.store, run.made.rotate());
    await writer.flush();
    assertEquals(run.store.files[1]!.previousGtids.toString(), executed);
    writer.previousGtids(GtidSet.parse(`${executed.slice(0, 36)}:1-7`));
    appendPlain(run.store, run.made.rotate());
    await writer.flush();
    assertEquals(
      run.store.files[1]!.previousGtids.toString(),
      `${executed.slice(0, 36)}:1-7`,
    );
    assertEquals(run.store.head!.purged.toString(), "");
    assertEquals(run.store.head!.executed.toString(), executed);
  });
}

function standing(store: BinlogStore): [string, number, boolean] {
  const { fileName, position, isFirstFile } = store.writer;
  return [fileName, position, isFirstFile];
}

/** Appends an event with a boundary behind it. */
function appendPlain(store: BinlogStore, event: Uint8Array): void {
  const packet = new Uint8Array(event.length + 5);
  packet[0] = event.length + 1;
  packet.set(event, 5);
  store.writer.event(packet, 0, packet.length, 1, true);
  store.writer.boundary();
  store.writer.endOfInput();
}
