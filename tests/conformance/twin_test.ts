import { assertEquals } from "@std/assert";
import { GtidSet } from "../../lib/gtid/gtid_set.ts";
import type { BinlogStore } from "../../lib/store/binlog_store.ts";
import { MADE_UUID, numberedUuid } from "../support/made_log.ts";
import { describeHead } from "../support/naive_log.ts";
import { readFrom } from "../support/read_log.ts";
import { SeededRandom } from "../support/seeded_random.ts";
import { KvTestDisk, MemoryTestDisk } from "../support/test_disk.ts";
import { LogRun } from "./suite/log_run.ts";

/** One random step, done to both stores in the same way. */
type Step = (run: LogRun) => void | Promise<void>;

/** Random steps, the frequent ones more than once. */
function randomStep(random: SeededRandom, files: number): Step {
  if (files === 0) return (run) => run.startFile();
  const size = random.pick([19, 60, 900, 20_000, 63_990, 64_100, 150_000]);
  const rows = Array(random.integer(1, 4)).fill(size);
  const huge = Array(random.integer(15, 30)).fill(55_000);
  const uuid = numberedUuid(random.integer(1, 30));
  const gno = BigInt(random.integer(1_000, 1_000_000));
  const upTo = random.integer(1, files);
  return random.pick<Step>([
    (run) => run.transaction({ rows }),
    (run) => run.transaction({ rows }),
    (run) => run.transaction({ rows: [40] }),
    (run) => {
      if (!run.made.executed.has(uuid, "", gno)) run.transaction({ uuid, gno });
    },
    (run) => run.transaction({ anonymous: true }),
    (run) => run.append(run.made.payloadTransaction(size)),
    (run) => run.transaction({ rows: huge }),
    (run) => {
      run.append([run.made.rotate()]);
      run.startFile();
    },
    (run) => {
      run.startFile();
      run.startFile();
    },
    (run) => run.rollback(),
    async (run) => {
      run.partOfTransaction({ rows });
      await run.rollback();
    },
    async (run) => {
      run.partOfTransaction({ rows: huge });
      await run.rollback();
    },
    async (run) => {
      run.partOfTransaction({ rows: huge });
      await run.store.writer.flush();
      await run.crash();
    },
    async (run) => {
      await run.store.writer.flush();
      await run.crash();
    },
    (run) => run.reopen(),
    (run) => run.store.setMeta("step", size),
    async (run) => {
      await run.store.writer.flush();
      await run.purge(upTo);
    },
    async (run) => {
      await run.store.writer.flush();
      const purging = run.purge(upTo);
      run.transaction({ rows });
      run.partOfTransaction({ rows: huge });
      await run.rollback();
      await purging;
    },
    async (run) => {
      await run.store.writer.flush();
      await run.purge(upTo);
      await run.crash();
    },
  ]);
}

/** All that a store shows without its bytes. */
async function describe(store: BinlogStore): Promise<unknown> {
  const { writer } = store;
  return {
    head: describeHead(store.head),
    files: store.files.map((file) => ({
      number: file.number,
      name: file.name,
      firstBlock: file.firstBlock,
      size: file.size,
      closed: file.closed,
      serverUuid: file.serverUuid,
      sourceName: file.sourceName,
      spliced: file.spliced,
      previousGtids: file.previousGtids.toString(),
      checksumAlgorithm: file.checksumAlgorithm,
      firstTimestamp: file.firstTimestamp,
      lastTimestamp: file.lastTimestamp,
    })),
    writer: [
      writer.fileName,
      writer.position,
      writer.isFirstFile,
      writer.executed.toString(),
    ],
    failure: store.failure?.kind,
    meta: await store.getMeta("step"),
    found: store.findFile(GtidSet.parse(`${MADE_UUID}:1-20`))?.number,
  };
}

for (let seed = 1; seed <= 6; seed++) {
  Deno.test(`memory and KV store are twins, seed ${seed}`, async () => {
    const options = { store: { tailBytes: 300_000, cacheBytes: 500_000 } };
    const random = new SeededRandom(seed);
    await using memory = await LogRun.begin(() => new MemoryTestDisk(), {
      ...options,
      random: new SeededRandom(seed),
    });
    await using kv = await LogRun.begin(() => new KvTestDisk(), {
      ...options,
      random: new SeededRandom(seed),
    });
    for (let count = 0; count < 60; count++) {
      const step = randomStep(random, memory.naive.newest?.files ?? 0);
      const flushes = random.chance(0.5);
      for (const run of [memory, kv]) {
        await step(run);
        if (flushes) await run.store.writer.flush();
      }
      if (!flushes) continue;
      assertEquals(await describe(kv.store), await describe(memory.store));
      await assertSameFrom(memory, kv, random);
      if (count % 10 !== 0) continue;
      await memory.check();
      await kv.check();
    }
    for (const run of [memory, kv]) {
      await run.check();
      await run.crash();
      await run.check();
    }
  });
}

/** Reads both from the same random event on. */
async function assertSameFrom(
  memory: LogRun,
  kv: LogRun,
  random: SeededRandom,
): Promise<void> {
  const boundary = memory.naive.newest;
  if (boundary === undefined) return;
  const oldest = memory.naive.purgedFiles;
  const index = random.integer(oldest, boundary.files - 1);
  const position = random.pick(memory.naive.positions(index, boundary));
  const expected = memory.naive.bytes(index, boundary).subarray(position - 4);
  for (const { store } of [memory, kv]) {
    const bytes = await readFrom(store, index + 1, position);
    assertEquals(bytes.length, expected.length);
    assertEquals(indexOfDifference(bytes, expected), -1);
  }
}

function indexOfDifference(one: Uint8Array, other: Uint8Array): number {
  return one.findIndex((byte, at) => byte !== other[at]);
}
