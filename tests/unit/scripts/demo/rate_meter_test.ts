import { assertEquals } from "@std/assert";
import { RateMeter } from "../../../../scripts/demo/rate_meter.ts";

Deno.test("RateMeter.read() is 0 until there are two readings", () => {
  const meter = new RateMeter();
  assertEquals(meter.read(500, 1000), 0);
  assertEquals(meter.read(600, 1000), 0);
  assertEquals(meter.read(600, 1500), 200);
});

Deno.test("RateMeter.read() looks back two seconds", () => {
  const meter = new RateMeter();
  for (let second = 0; second <= 10; second++) {
    meter.read(second * 100, second * 1000);
  }
  assertEquals(meter.read(1000, 11_000), 50);
  assertEquals(meter.read(1000, 12_000), 0);
});
