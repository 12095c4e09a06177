import { assertEquals } from "@std/assert";
import { backoffMs } from "../../../lib/syncer/backoff.ts";

Deno.test("backoffMs() doubles with every failure up to a limit", () => {
  const waits = [1, 2, 3, 7, 50].map((failures) => backoffMs(failures, 1));
  assertEquals(waits, [250, 500, 1000, 15_000, 15_000]);
});

Deno.test("backoffMs() spreads the wait over its upper half", () => {
  assertEquals(backoffMs(3, 0), 500);
  assertEquals(backoffMs(3, 0.5), 750);
});
