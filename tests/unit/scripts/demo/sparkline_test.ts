import { assertEquals } from "@std/assert";
import { drawSparkline } from "../../../../scripts/demo/sparkline.ts";

Deno.test("drawSparkline() draws from 0 to the greatest", () => {
  assertEquals(drawSparkline([0, 50, 100], 10), "▁▅█");
  assertEquals(drawSparkline([3, 3], 10), "██");
});

Deno.test("drawSparkline() draws the last that fit", () => {
  assertEquals(drawSparkline([9, 0, 1], 2), "▁█");
  assertEquals(drawSparkline([9, 0, 1], 0), "");
  assertEquals(drawSparkline([9, 0, 1], -4), "");
});

Deno.test("drawSparkline() takes no numbers, and zeros", () => {
  assertEquals(drawSparkline([], 10), "");
  assertEquals(drawSparkline([0, 0], 10), "▁▁");
});
