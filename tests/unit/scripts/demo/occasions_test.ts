import { assertEquals } from "@std/assert";
import { Occasions } from "../../../../scripts/demo/occasions.ts";

Deno.test("Occasions.next() has each occasion in the first five seconds", () => {
  const occasions = new Occasions();
  assertEquals(occasions.next(0), undefined);
  const found: (string | undefined)[] = [];
  for (let second = 1; second < 5; second++) {
    found.push(occasions.next(second * 1000));
  }
  assertEquals(found, [
    "schema change",
    "large transaction",
    "new log file",
    "schema change",
  ]);
});

Deno.test("Occasions.next() gives what is due at the same time in turn", () => {
  const occasions = new Occasions();
  const found = [1, 2, 3, 4].map(() => occasions.next(3_500));
  assertEquals(found, [
    "schema change",
    "large transaction",
    "new log file",
    undefined,
  ]);
});

Deno.test("Occasions.next() does not make up for what was missed", () => {
  const occasions = new Occasions();
  for (let at = 0; at < 3; at++) occasions.next(100_000);
  assertEquals(occasions.next(100_000), undefined);
  assertEquals(occasions.next(102_999), undefined);
  assertEquals(occasions.next(103_000), "schema change");
});
