import { assertEquals } from "@std/assert";
import { Backoff, backoffMs, SETTLED_MS } from "../../../lib/syncer/backoff.ts";

/** A back-off with a clock of its own, and no jitter if not said otherwise. */
function newBackoff(random: () => number = () => 1) {
  const clock = { now: 1_700_000_000_000 };
  return { clock, backoff: new Backoff({ now: () => clock.now, random }) };
}

Deno.test("backoffMs() doubles with every failure up to a limit", () => {
  const soon = [1, 2, 3, 7, 50].map((failures) => backoffMs(failures, 1));
  assertEquals(soon, [250, 500, 1000, 15_000, 15_000]);
  const slowly = [1, 2, 3, 4, 5, 2000].map((failures) =>
    backoffMs(failures, 1, "slowly")
  );
  assertEquals(slowly, [30_000, 60_000, 120_000, 240_000, 300_000, 300_000]);
});

Deno.test("backoffMs() spreads the wait over its upper half", () => {
  assertEquals(backoffMs(3, 0), 500);
  assertEquals(backoffMs(3, 0.5), 750);
  assertEquals(backoffMs(1, 0, "slowly"), 15_000);
});

Deno.test("Backoff waits longer with every attempt that fails", () => {
  const { backoff } = newBackoff();
  const waits = [1, 2, 3, 4].map(() => backoff.failed("soon"));
  assertEquals(waits, [250, 500, 1000, 2000]);
  assertEquals(backoff.attempts, 4);
});

Deno.test("Backoff spreads waits by the randomness it was given", () => {
  const numbers = [0, 0.5, 0.25];
  const { backoff } = newBackoff(() => numbers.shift()!);
  const waits = [1, 2, 3].map(() => backoff.failed("soon"));
  assertEquals(waits, [125, 375, 625]);
});

Deno.test("Backoff begins anew after a connection that lasted", () => {
  const { backoff, clock } = newBackoff();
  for (let failure = 0; failure < 5; failure++) backoff.failed("soon");
  backoff.connected();
  clock.now += SETTLED_MS - 1;
  assertEquals(backoff.attempts, 5);
  clock.now += 1;
  assertEquals(backoff.attempts, 0);
  assertEquals(backoff.failed("soon"), 250);
  assertEquals(backoff.attempts, 1);
});

Deno.test("Backoff goes on after a connection that ended soon", () => {
  const { backoff, clock } = newBackoff();
  backoff.failed("soon");
  backoff.connected();
  clock.now += SETTLED_MS - 1;
  assertEquals(backoff.failed("soon"), 500);
});

Deno.test("Backoff does not take a slow failure to connect for a connection", () => {
  const { backoff, clock } = newBackoff();
  backoff.failed("soon");
  clock.now += 10 * SETTLED_MS;
  assertEquals(backoff.failed("soon"), 500);
  backoff.connected();
  assertEquals(backoff.failed("soon"), 1000);
  clock.now += 10 * SETTLED_MS;
  assertEquals(backoff.failed("soon"), 2000);
});

Deno.test("Backoff counts the attempt after which there is none", () => {
  const { backoff, clock } = newBackoff();
  backoff.failed("soon");
  backoff.gaveUp();
  assertEquals(backoff.attempts, 2);
  backoff.connected();
  clock.now += SETTLED_MS;
  backoff.gaveUp();
  assertEquals(backoff.attempts, 1);
});

Deno.test("Backoff begins each way of retrying with its first wait", () => {
  const { backoff } = newBackoff();
  const waits = (["soon", "soon", "slowly", "slowly", "soon"] as const).map(
    (retry) => backoff.failed(retry),
  );
  assertEquals(waits, [250, 500, 30_000, 60_000, 250]);
  assertEquals(backoff.attempts, 5);
});
