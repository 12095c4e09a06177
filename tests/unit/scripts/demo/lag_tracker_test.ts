import { assertEquals } from "@std/assert";
import { LagTracker } from "../../../../scripts/demo/lag_tracker.ts";

Deno.test("LagTracker measures from the source's answer to the replica's", () => {
  const tracker = new LagTracker();
  assertEquals(tracker.summary(), undefined);
  assertEquals(tracker.currentMs(0), undefined);
  tracker.sent(1, 100);
  assertEquals(tracker.waiting, true);
  tracker.seen(0, 101);
  assertEquals(tracker.waiting, true);
  tracker.seen(1, 103);
  assertEquals(tracker.waiting, false);
  assertEquals(tracker.currentMs(500), 3);
});

Deno.test("LagTracker takes a beat as the arrival of those before it", () => {
  const tracker = new LagTracker();
  tracker.sent(1, 0);
  tracker.sent(2, 100);
  tracker.sent(3, 200);
  tracker.seen(2, 250);
  assertEquals(tracker.waiting, true);
  assertEquals(tracker.summary(), {
    count: 2,
    medianMs: 150,
    p99Ms: 250,
    maxMs: 250,
  });
});

Deno.test("LagTracker has no lag where the replica is faster than the answer", () => {
  const tracker = new LagTracker();
  tracker.seen(1, 99);
  tracker.sent(1, 100);
  assertEquals(tracker.waiting, false);
  assertEquals(tracker.currentMs(101), 0);
});

Deno.test("LagTracker.currentMs() grows while a beat does not arrive", () => {
  const tracker = new LagTracker();
  tracker.sent(1, 0);
  tracker.seen(1, 5);
  tracker.sent(2, 100);
  assertEquals(tracker.currentMs(101), 5);
  assertEquals(tracker.currentMs(4_100), 4_000);
});

Deno.test("LagTracker.summary() takes the nearest rank, recent() the last 100", () => {
  const tracker = new LagTracker();
  for (let beat = 1; beat <= 200; beat++) {
    tracker.sent(beat, 0);
    tracker.seen(beat, 201 - beat);
  }
  assertEquals(tracker.summary(), {
    count: 200,
    medianMs: 100,
    p99Ms: 198,
    maxMs: 200,
  });
  assertEquals(tracker.recent(), {
    count: 100,
    medianMs: 50,
    p99Ms: 99,
    maxMs: 100,
  });
});
