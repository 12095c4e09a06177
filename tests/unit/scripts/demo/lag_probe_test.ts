import { assertEquals } from "@std/assert";
import { beatIntervalMs } from "../../../../scripts/demo/lag_probe.ts";

Deno.test("beatIntervalMs() leaves most of the rate to the workload", () => {
  assertEquals([0.1, 1, 10, 50, 200, 5_000].map(beatIntervalMs), [
    5_000,
    5_000,
    500,
    100,
    100,
    100,
  ]);
});
