import { assertEquals } from "@std/assert";
import { Pacer } from "../../../../scripts/demo/pacer.ts";

Deno.test("Pacer.reserve() gives places at even intervals", () => {
  const pacer = new Pacer(10);
  assertEquals(pacer.reserve(1000), 0);
  assertEquals(pacer.reserve(1000), 100);
  assertEquals(pacer.reserve(1050), 150);
  assertEquals(pacer.reserve(1300), 0);
});

Deno.test("Pacer.reserve() makes up for a short delay", () => {
  const pacer = new Pacer(10);
  pacer.reserve(0);
  assertEquals(pacer.reserve(250), 0);
  assertEquals(pacer.reserve(250), 0);
  assertEquals(pacer.reserve(250), 50);
});

Deno.test("Pacer.reserve() does not make up for a long stall", () => {
  const pacer = new Pacer(10);
  pacer.reserve(0);
  const waits = [1, 2, 3, 4].map(() => pacer.reserve(60_000));
  assertEquals(waits, [0, 0, 0, 100]);
});
