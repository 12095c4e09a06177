import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  GroupCache,
  type LoadedGroup,
} from "../../../lib/store/group_cache.ts";

/** Numbered values on a disk that answers when it is told to. */
class SlowDisk {
  /** Numbers up to here exist, as texts. */
  count = 1000;
  /** Added to every text. */
  mark = "";
  /** First numbers of the groups that were read. */
  readonly reads: number[] = [];
  readonly #waiting: (() => void)[] = [];
  #held = false;

  readonly load = async (
    first: number,
    count: number,
  ): Promise<LoadedGroup<string>> => {
    this.reads.push(first);
    const values = Array.from({ length: count }, (_, at) => {
      const number = first + at;
      return number < this.count ? `${number}${this.mark}` : undefined;
    });
    if (this.#held) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    return { values, bytes: 10 * count };
  };

  /** Reads wait until `release`. */
  hold(): void {
    this.#held = true;
  }

  /** Lets reads answer. */
  release(): void {
    this.#held = false;
    for (const answer of this.#waiting.splice(0)) answer();
  }
}

function newCache(
  disk: SlowDisk,
  groups = 4,
  free?: (value: string) => void,
): GroupCache<string> {
  return new GroupCache({
    groupSize: 10,
    bytesMax: 100 * groups,
    load: disk.load,
    ...(free === undefined ? {} : { free }),
  });
}

async function settle(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve));
}

Deno.test("GroupCache reads a group once for all who ask", async () => {
  const disk = new SlowDisk();
  const cache = newCache(disk);
  assertEquals(cache.get(23), undefined);
  const groups = await Promise.all([cache.load(23), cache.load(29)]);
  assertEquals(groups[0], groups[1]);
  assertEquals(groups[0].at(23), "23");
  assertEquals([groups[0].first, groups[0].at(19), groups[0].at(30)], [
    20,
    undefined,
    undefined,
  ]);
  assertEquals(cache.get(20), groups[0]);
  assertEquals(disk.reads, [20]);
});

Deno.test("GroupCache lets the least recently used groups go", async () => {
  const disk = new SlowDisk();
  const cache = newCache(disk, 3);
  for (const number of [0, 10, 20]) await cache.load(number);
  cache.get(5);
  await cache.load(30);
  assertEquals([5, 15, 25, 35].map((number) => cache.get(number)?.first), [
    0,
    undefined,
    20,
    30,
  ]);
  const tiny = newCache(disk, 0);
  for (const number of [0, 10, 20]) await tiny.load(number);
  assertEquals([5, 15, 25].map((number) => tiny.get(number)?.first), [
    undefined,
    10,
    20,
  ]);
});

Deno.test("GroupCache reads again what was not there yet", async () => {
  const disk = new SlowDisk();
  disk.count = 14;
  const cache = newCache(disk);
  assertEquals((await cache.load(13)).at(14), undefined);
  assertEquals(cache.get(14), undefined);
  disk.count = 16;
  assertEquals((await cache.load(14)).at(15), "15");
  assertEquals(cache.get(14)?.at(14), "14");
  assertEquals((await cache.load(17)).at(17), undefined);
});

Deno.test("GroupCache does not trust a read that began too early", async () => {
  const disk = new SlowDisk();
  disk.count = 11;
  const cache = newCache(disk);
  disk.hold();
  const early = cache.load(10);
  disk.count = 12;
  const late = cache.load(11);
  disk.release();
  assertEquals((await early).at(11), undefined);
  assertEquals((await late).at(11), "11");
  assertEquals(disk.reads, [10, 10]);
});

Deno.test("GroupCache.dropFrom() forgets groups from a number on", async () => {
  const disk = new SlowDisk();
  const cache = newCache(disk, 9);
  for (const number of [0, 10, 20, 30]) await cache.load(number);
  const { generation } = cache;
  cache.dropFrom(25);
  assertEquals(cache.generation, generation + 1);
  assertEquals([5, 15, 24, 35].map((number) => cache.get(number)?.first), [
    0,
    10,
    undefined,
    undefined,
  ]);
});

Deno.test("GroupCache.dropFrom() also forgets what is on its way", async () => {
  const disk = new SlowDisk();
  const cache = newCache(disk);
  disk.hold();
  const stale = cache.load(20);
  cache.dropFrom(20);
  disk.mark = " again";
  const fresh = cache.load(20);
  disk.release();
  assertEquals((await stale).at(20), "20");
  assert((await stale).generation !== cache.generation);
  assertEquals((await fresh).at(20), "20 again");
  assertEquals(cache.get(20)?.at(20), "20 again");
});

Deno.test("GroupCache.dropFrom() has nothing kept that comes late", async () => {
  const disk = new SlowDisk();
  const cache = newCache(disk);
  disk.hold();
  const stale = cache.load(20);
  cache.dropFrom(25);
  disk.release();
  assertEquals((await stale).at(20), "20");
  assertEquals(cache.get(20), undefined);
});

Deno.test("GroupCache.prefetch() reads ahead, but not without limit", async () => {
  const disk = new SlowDisk();
  const cache = newCache(disk, 8);
  await cache.load(0);
  for (let number = 10; number <= 200; number += 10) cache.prefetch(number);
  await settle();
  // Half of what is kept may be for those who have not come yet.
  assertEquals(disk.reads, [0, 10, 20, 30, 40]);
  assertEquals(cache.get(10)?.first, 10);
  cache.prefetch(10);
  cache.prefetch(50);
  cache.prefetch(60);
  await settle();
  assertEquals(disk.reads.slice(5), [50]);
});

Deno.test("GroupCache.prefetch() keeps its faults to itself", async () => {
  let fails = true;
  const cache = new GroupCache<number>({
    groupSize: 10,
    bytesMax: 1000,
    load: (first) =>
      fails
        ? Promise.reject(new TypeError("no disk"))
        : Promise.resolve({ values: [first], bytes: 1 }),
  });
  cache.prefetch(0);
  await settle();
  await assertRejects(() => cache.load(0), TypeError, "no disk");
  fails = false;
  assertEquals((await cache.load(0)).at(0), 0);
});

Deno.test("GroupCache frees what it let go of once nobody holds it", async () => {
  const disk = new SlowDisk();
  const freed: string[] = [];
  const cache = newCache(disk, 2, (value) => freed.push(value));
  const first = await cache.load(0);
  const second = cache.get(1)!;
  second.hold();
  (await cache.load(10)).release();
  assertEquals(freed, []);
  (await cache.load(20)).release();
  assertEquals(freed, []);
  first.release();
  assertEquals(second.at(3), "3");
  second.release();
  assertEquals(freed, ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]);
  assertEquals(second.at(3), undefined);
  (await cache.load(30)).release();
  assertEquals(
    freed.slice(10),
    Array.from({ length: 10 }, (_, at) => `${10 + at}`),
  );
});

Deno.test("GroupCache holds a group for all who wait for it", async () => {
  const disk = new SlowDisk();
  const freed: string[] = [];
  const cache = newCache(disk, 2, (value) => freed.push(value));
  disk.hold();
  // More at once than it keeps.
  const waiting = [0, 0, 10, 20, 30].map((number) => cache.load(number));
  disk.release();
  const groups = await Promise.all(waiting);
  assertEquals(groups.map((group) => group.at(group.first)), [
    "0",
    "0",
    "10",
    "20",
    "30",
  ]);
  assertEquals(freed, []);
  groups[0]!.release();
  assertEquals(freed, []);
  groups[1]!.release();
  assertEquals(freed.length, 10);
});

Deno.test("GroupCache.dropFrom() frees what nobody holds", async () => {
  const disk = new SlowDisk();
  const freed: string[] = [];
  const cache = newCache(disk, 4, (value) => freed.push(value));
  (await cache.load(0)).release();
  const held = await cache.load(10);
  disk.hold();
  const late = cache.load(20);
  cache.dropFrom(0);
  assertEquals(freed.length, 10);
  held.release();
  assertEquals(freed.length, 20);
  disk.release();
  const group = await late;
  assertEquals(group.at(20), "20");
  group.release();
  assertEquals(freed.length, 30);
});
