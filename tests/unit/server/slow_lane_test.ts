import { assert, assertEquals } from "@std/assert";
import { SlowLane } from "../../../lib/server/slow_lane.ts";

Deno.test("SlowLane lets one in after another, with a pause between", async () => {
  const stop = new AbortController();
  const lane = new SlowLane(40, stop.signal);
  const begin = performance.now();
  const at: number[] = [];
  await Promise.all([1, 2, 3].map(async () => {
    await lane.enter();
    at.push(performance.now() - begin);
  }));
  // later than that on a busy machine, and never sooner
  assert(at[1]! > 38 && at[2]! > 76, at.join());
  stop.abort();
});

Deno.test("SlowLane lets everybody in once its signal fires", async () => {
  const stop = new AbortController();
  const lane = new SlowLane(600_000, stop.signal);
  const entered = [1, 2, 3].map(() => lane.enter());
  await entered[0];
  stop.abort();
  assertEquals((await Promise.all(entered)).length, 3);
});
