import { assertEquals } from "@std/assert";
import { percentile, sampleOf } from "../../../../scripts/bench/sample.ts";

Deno.test("sampleOf() gives median, extremes and the values as they came", () => {
  const values = [5, 1, 9, 3, 4];
  assertEquals(sampleOf(values), { median: 4, min: 1, max: 9, values });
  assertEquals(sampleOf([2, 4]).median, 3);
  assertEquals(sampleOf([7]).median, 7);
});

Deno.test("percentile() lies between two values in proportion", () => {
  const values = Array.from({ length: 101 }, (_, index) => 100 - index);
  assertEquals(percentile(values, 50), 50);
  assertEquals(percentile(values, 99), 99);
  assertEquals(percentile([0, 10], 99), 9.9);
  assertEquals(percentile([3], 99), 3);
});
