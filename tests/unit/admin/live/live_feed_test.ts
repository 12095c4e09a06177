import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { LiveFeed, READERS_MAX } from "../../../../lib/admin/live/live_feed.ts";
import type { LiveSample } from "../../../../lib/admin/live/live_sample.ts";
import type { LiveStatus } from "../../../../lib/admin/live/live_status.ts";
import { RecentWarnings } from "../../../../lib/admin/live/recent_warnings.ts";
import { StuckReaderError } from "../../../../lib/admin/live/stuck_reader_error.ts";
import { silentLog } from "../../../../lib/log/log.ts";
import { FakeClock } from "./fake_clock.ts";

interface StreamEvent {
  readonly id: number;
  readonly event: string;
  readonly data: unknown;
}

/** Reads a stream as browsers do, up to what there is now. */
class StreamReader {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #decoder = new TextDecoder();
  comments = 0;

  constructor(stream: ReadableStream<Uint8Array> | "full" | "closed") {
    assert(typeof stream !== "string", String(stream));
    this.#reader = stream.getReader();
  }

  /** The events of the next chunk; undefined at the end. */
  async next(): Promise<StreamEvent[] | undefined> {
    const { done, value } = await this.#reader.read();
    if (done) return undefined;
    const text = this.#decoder.decode(value);
    assert(text.endsWith("\n\n"), "whole events");
    const events: StreamEvent[] = [];
    for (const block of text.slice(0, -2).split("\n\n")) {
      if (block === ":") this.comments++;
      if (block === ":" || block.startsWith("retry: ")) continue;
      const [id = "", event = "", data = "", ...more] = block.split("\n");
      assertEquals(more, []);
      assert(id.startsWith("id: ") && event.startsWith("event: "), block);
      assert(data.startsWith("data: "), block);
      events.push({
        id: Number(id.slice(4)),
        event: event.slice(7),
        data: JSON.parse(data.slice(6)),
      });
    }
    return events;
  }

  cancel(): Promise<void> {
    return this.#reader.cancel();
  }
}

function openFeed({ readMsMax }: { readMsMax?: number } = {}) {
  const clock = new FakeClock();
  const warnings = new RecentWarnings(clock.now);
  const node = {
    made: 0,
    head: 0,
    taken: 0,
    fault: undefined as Error | undefined,
    /** How long a status takes. */
    takesMs: 0,
  };
  const sample = (at: number) => ({ at: `sample ${at}` }) as LiveSample;
  const feed = new LiveFeed({
    sampler: {
      get taken() {
        return node.taken;
      },
      get newest() {
        return sample(node.taken);
      },
      history: () => ({
        interval_ms: 2000,
        samples: Array.from({ length: node.taken }, (_, at) => sample(at + 1)),
      }),
    },
    warnings,
    status: () => {
      node.made++;
      clock.block(node.takesMs);
      if (node.fault !== undefined) throw node.fault;
      return { name: `line\nbreak ${node.head}` } as LiveStatus;
    },
    monotonicMs: clock.monotonicMs,
    every: clock.every,
    readMsMax,
    log: silentLog(),
  });
  const closing = new AbortController();
  const open = () => new StreamReader(feed.open(closing.signal));
  return { feed, clock, warnings, node, closing, open };
}

const named = (events: StreamEvent[] | undefined) =>
  events?.map(({ event }) => event);

Deno.test("LiveFeed tells all at first, then what is new each second", async () => {
  const { clock, node, warnings, open } = openFeed();
  node.taken = 2;
  const reader = open();
  assertEquals(await reader.next(), [
    {
      id: 1,
      event: "history",
      data: {
        interval_ms: 2000,
        samples: [{ at: "sample 1" }, { at: "sample 2" }],
      },
    },
    { id: 2, event: "status", data: { name: "line\nbreak 0" } },
  ]);

  node.head = 1;
  clock.advance(1000);
  assertEquals(await reader.next(), [
    { id: 3, event: "status", data: { name: "line\nbreak 1" } },
  ]);

  node.taken = 3;
  warnings.add("warn", "one", {});
  warnings.add("error", "two", {});
  clock.advance(1000);
  const events = await reader.next();
  assertEquals(named(events), ["warning", "warning", "sample"]);
  assertEquals(events?.at(-1)?.data, { at: "sample 3" });
  assertEquals(events?.map(({ id }) => id), [4, 5, 6]);

  // nothing is new
  clock.advance(1000);
  assertEquals(await reader.next(), []);
  assertEquals(reader.comments, 1);
});

Deno.test("LiveFeed tells no reader the same sample twice, nor that it missed one", async () => {
  const { clock, node, open } = openFeed();
  node.taken = 2;
  const first = open();
  await first.next();
  // taken between two seconds, before another reader comes
  node.taken = 3;
  const second = open();
  const [history] = (await second.next())!;
  assertEquals(
    (history!.data as { samples: { at: string }[] }).samples.map(({ at }) =>
      at
    ),
    ["sample 1", "sample 2"],
  );
  clock.advance(1000);
  for (const reader of [first, second]) {
    const events = await reader.next();
    assertEquals(named(events), ["sample"]);
    assertEquals(events![0]!.data, { at: "sample 3" });
  }
  // and what one reader is told at its begin, others are told as well
  node.head = 7;
  const third = open();
  clock.advance(1000);
  for (const reader of [first, second]) {
    assertEquals(named(await reader.next()), ["status"]);
  }
  await third.cancel();
});

Deno.test("LiveFeed ends its streams and goes on when a status can't be made", async () => {
  const { clock, feed, node, open } = openFeed();
  const reader = open();
  await reader.next();
  node.fault = new TypeError("it broke");
  clock.advance(1000);
  assertEquals(await reader.next(), undefined);
  assertEquals([feed.readers, clock.timers], [0, 0]);
  assertThrows(open, TypeError, "it broke");
  assertEquals([feed.readers, clock.timers], [0, 0]);
  node.fault = undefined;
  const again = open();
  assertEquals(named(await again.next()), ["history", "status"]);
  await again.cancel();
});

Deno.test("LiveFeed makes one status a second for all, and none for nobody", async () => {
  const { clock, node, open, feed } = openFeed();
  clock.advance(10_000);
  assertEquals([node.made, clock.timers], [0, 0]);
  const readers = Array.from({ length: READERS_MAX }, open);
  assertEquals(node.made, 1);
  for (let second = 1; second <= 10; second++) {
    for (const reader of readers) await reader.next();
    node.head++;
    clock.advance(1000);
    assertEquals(node.made, 1 + second);
  }
  for (const reader of readers) await reader.cancel();
  assertEquals([feed.readers, clock.timers], [0, 0]);
  clock.advance(10_000);
  assertEquals(node.made, 11);

  // whoever comes later is told what is so then
  node.head = 99;
  const later = open();
  const events = await later.next();
  assertEquals(events?.at(-1)?.data, { name: "line\nbreak 99" });
  await later.cancel();
});

Deno.test("LiveFeed takes so many readers, and the next when one has gone", async () => {
  const { feed, closing, open } = openFeed();
  const readers = Array.from({ length: READERS_MAX }, open);
  assertEquals(feed.open(closing.signal), "full");
  await readers[5]!.cancel();
  await open().next();
  assertEquals(feed.open(closing.signal), "full");
  feed[Symbol.dispose]();
});

Deno.test("LiveFeed lets a slow reader miss some, and gives it all anew then", async () => {
  const { clock, node, warnings, open } = openFeed();
  const slow = open();
  const quick = open();
  await quick.next();
  for (let second = 0; second < 20; second++) {
    node.head++;
    node.taken++;
    warnings.add("warn", `nr ${second}`, {});
    clock.advance(1000);
    assertEquals(named(await quick.next()), ["warning", "sample", "status"]);
  }
  // what waited, and nothing but that, is what it was given first
  assertEquals(named(await slow.next()), ["history", "status"]);
  node.head++;
  clock.advance(1000);
  const events = await slow.next();
  assertEquals(named(events), ["history", "status"]);
  assertEquals((events![0]!.data as { samples: [] }).samples.length, 20);
  assertEquals(events![1]!.data, { name: "line\nbreak 21" });
  node.head++;
  clock.advance(1000);
  assertEquals(named(await slow.next()), ["status"]);
});

Deno.test("LiveFeed cuts off who takes nothing for half a minute", async () => {
  const { clock, feed, node, open } = openFeed();
  const stuck = open();
  const quick = open();
  for (let second = 0; second < 31; second++) {
    await quick.next();
    node.head++;
    clock.advance(1000);
    assertEquals(feed.readers, 2, `after ${second} s`);
  }
  await quick.next();
  clock.advance(1000);
  assertEquals(feed.readers, 1);
  await assertRejects(() => stuck.next(), StuckReaderError);
  await quick.cancel();
});

Deno.test("LiveFeed keeps a reader that takes something every now and then", async () => {
  const { clock, feed, node, open } = openFeed();
  const slow = open();
  for (let round = 0; round < 10; round++) {
    await slow.next();
    for (let second = 0; second < 25; second++) {
      node.head++;
      clock.advance(1000);
    }
  }
  assertEquals(feed.readers, 1);
  await slow.cancel();
});

Deno.test("LiveFeed ends all streams in order when the API closes", async () => {
  const { feed, closing, clock, open } = openFeed();
  const readers = [open(), open()];
  closing.abort();
  for (const reader of readers) {
    assertEquals(named(await reader.next()), ["history", "status"]);
    assertEquals(await reader.next(), undefined);
  }
  assertEquals([feed.readers, clock.timers], [0, 0]);
  // one that comes then gets no stream that goes on
  const late = open();
  assertEquals(named(await late.next()), ["history", "status"]);
  assertEquals(await late.next(), undefined);
  assertEquals([feed.readers, clock.timers], [0, 0]);
});

Deno.test("LiveFeed has no new readers once it is disposed of", () => {
  const { feed, closing, clock, open } = openFeed();
  open();
  feed[Symbol.dispose]();
  assertEquals(feed.open(closing.signal), "closed");
  assertEquals([feed.readers, clock.timers], [0, 0]);
});

Deno.test("LiveFeed goes on after thousands of events", async () => {
  const { clock, node, open } = openFeed({ readMsMax: Infinity });
  const reader = open();
  await reader.next();
  let lastId = 2;
  for (let second = 0; second < 5000; second++) {
    node.head++;
    if (second % 2 === 0) node.taken = second;
    clock.advance(1000);
    for (const { id } of (await reader.next())!) assertEquals(id, ++lastId);
  }
  assert(lastId > 7000);
  await reader.cancel();
});

Deno.test("LiveFeed makes statuses that take long less often, yet all five seconds", async () => {
  for (
    const [takesMs, seconds, made] of [[1, 30, 31], [8, 30, 11], [
      500,
      30,
      7,
    ]] as const
  ) {
    const { clock, node, open } = openFeed();
    node.takesMs = takesMs;
    const reader = open();
    await reader.next();
    for (let second = 0; second < seconds; second++) {
      node.head++;
      clock.advance(1000);
      await reader.next();
    }
    assert(Math.abs(node.made - made) <= 1, `${takesMs} ms: ${node.made}`);
    await reader.cancel();
  }
});

Deno.test("LiveFeed ends a stream in order after ten minutes, read or not", async () => {
  const { clock, feed, node, open } = openFeed();
  const reader = open();
  assertEquals(named(await reader.next()), ["history", "status"]);
  for (let minute = 0; minute < 10; minute++) {
    for (let second = 0; second < 60; second++) {
      clock.advance(1000);
      assertEquals(await reader.next(), []);
    }
  }
  assertEquals(feed.readers, 1);
  node.head = 1;
  clock.advance(1000);
  // The news of that second come before the end.
  assertEquals(named(await reader.next()), ["status"]);
  assertEquals(await reader.next(), undefined);
  assertEquals([feed.readers, clock.timers], [0, 0]);
  assertEquals(named(await open().next()), ["history", "status"]);
});
