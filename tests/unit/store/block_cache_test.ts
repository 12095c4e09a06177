import { assert, assertEquals, assertRejects } from "@std/assert";
import { GtidSet } from "../../../lib/gtid/gtid_set.ts";
import { StoreError } from "../../../lib/store/binlog_store.ts";
import { BlockCache, GROUP_BLOCKS } from "../../../lib/store/block_cache.ts";
import type { BlockWrite } from "../../../lib/store/block_engine.ts";
import { MemoryEngine } from "../../../lib/store/memory_engine.ts";
import {
  blockPlace,
  sealBytes,
  summaryPlace,
} from "../../../lib/store/sealed_bytes.ts";
import { encodeSummary } from "../../../lib/store/summary_codec.ts";

function blockBytes(number: number, mark = 0): Uint8Array {
  return Uint8Array.of(number & 0xff, number >>> 8, mark);
}

function blockWrite(number: number, mark = 0): BlockWrite {
  const summary = encodeSummary({
    fileNumber: 1,
    startPosition: 10 * number,
    endPosition: 10 * number + 10,
    firstEventOffset: 0,
    firstEventPosition: 10 * number,
    firstTimestamp: mark,
    lastTimestamp: mark,
    hasControl: false,
    endsInside: false,
    began: new GtidSet(),
    checksum: 0,
  });
  return {
    number,
    bytes: sealBytes(blockPlace(number), blockBytes(number, mark)),
    summary: sealBytes(summaryPlace(number), summary),
  };
}

/** An engine that holds so many blocks and counts what is read of it. */
async function engineWith(count: number): Promise<
  MemoryEngine & { reads: string[] }
> {
  const engine = new MemoryEngine();
  await engine.load();
  await engine.commit({
    blocks: Array.from({ length: count }, (_, number) => blockWrite(number)),
    files: [],
  });
  const reads: string[] = [];
  const { readBlocks, readSummaries } = engine;
  return Object.assign(engine, {
    reads,
    readBlocks: (first: number, many: number) => {
      reads.push(`block ${first}`);
      return readBlocks.call(engine, first, many);
    },
    readSummaries: (first: number, many: number) => {
      reads.push(`summary ${first}`);
      return readSummaries.call(engine, first, many);
    },
  });
}

Deno.test("BlockCache reads blocks in groups and once", async () => {
  const engine = await engineWith(40);
  const cache = new BlockCache(engine, 1_000_000);
  assertEquals(cache.group(20), undefined);
  const group = await cache.loadGroup(20);
  assertEquals(group.at(20), blockBytes(20));
  assertEquals(cache.group(GROUP_BLOCKS), group);
  assertEquals(cache.group(2 * GROUP_BLOCKS - 1), group);
  assertEquals(engine.reads, ["block 16"]);
});

Deno.test("BlockCache answers summaries without a promise once read", async () => {
  const engine = await engineWith(300);
  const cache = new BlockCache(engine, 1_000_000);
  const first = cache.summary(7);
  assert(first instanceof Promise);
  const also = cache.summary(255);
  assertEquals((await first).startPosition, 70);
  assertEquals((await also).startPosition, 2550);
  const again = cache.summary(8);
  assert(!(again instanceof Promise));
  assertEquals(again.startPosition, 80);
  assertEquals((await cache.summary(256)).startPosition, 2560);
  assertEquals(engine.reads, ["summary 0", "summary 256"]);
});

Deno.test("BlockCache says that a summary is missing", async () => {
  const cache = new BlockCache(await engineWith(3), 1_000_000);
  const error = await assertRejects(async () => {
    await cache.summary(3);
  }, StoreError);
  assertEquals(error.kind, "corrupt");
  assert(error.message.includes("summary of block 3 is missing"));
});

Deno.test("BlockCache leaves out what is damaged, and says so when asked", async () => {
  const engine = await engineWith(20);
  const swapped = { ...blockWrite(3), number: 4 };
  await engine.commit({ blocks: [swapped], files: [] });
  const flipped = blockWrite(6);
  flipped.bytes[1]! ^= 0x10;
  flipped.summary[6]! ^= 0x10;
  await engine.commit({ blocks: [flipped], files: [] });
  const cache = new BlockCache(engine, 1_000_000, { store: "/data/x.db" });
  const group = await cache.loadGroup(0);
  const found = [3, 4, 5, 6, 7].map((number) => group.at(number)?.[0]);
  assertEquals(found, [3, undefined, 5, undefined, 7]);
  assertEquals((await cache.summary(5)).startPosition, 50);
  for (const number of [4, 6]) {
    const error = await assertRejects(async () => {
      await cache.summary(number);
    }, StoreError);
    assertEquals(error.kind, "corrupt");
    assert(error.message.includes(`summary of block ${number} of the store`));
    const fault = await cache.blockFault(number);
    assert(fault.message.includes("/data/x.db is damaged"), fault.message);
  }
  assert((await cache.blockFault(20)).message.includes("is missing"));
});

Deno.test("BlockCache.dropFrom() makes room for other blocks", async () => {
  const engine = await engineWith(20);
  const cache = new BlockCache(engine, 1_000_000);
  await cache.loadGroup(0);
  const stale = await cache.loadGroup(18);
  assertEquals((await cache.summary(18)).firstTimestamp, 0);
  await engine.commit({
    blocks: [blockWrite(18, 1)],
    files: [],
    removeBlocksFrom: 18,
  });
  cache.dropFrom(18);
  assert(stale.generation !== cache.generation);
  assertEquals(cache.group(17), undefined);
  assertEquals(cache.group(15)?.at(15), blockBytes(15));
  assertEquals((await cache.loadGroup(18)).at(18), blockBytes(18, 1));
  assertEquals((await cache.summary(18)).firstTimestamp, 1);
  assertEquals((await cache.loadGroup(18)).at(19), undefined);
});

Deno.test("BlockCache.prefetch() has blocks ready", async () => {
  const engine = await engineWith(40);
  const cache = new BlockCache(engine, 1_000_000);
  cache.prefetch(16);
  await new Promise((resolve) => setTimeout(resolve));
  assertEquals(cache.group(16)?.at(31), blockBytes(31));
});
