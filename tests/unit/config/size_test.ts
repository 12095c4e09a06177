import { assertEquals, assertThrows } from "@std/assert";
import { formatSize, parseSize } from "../../../lib/config/size.ts";

Deno.test("parseSize() takes binary and decimal units", () => {
  assertEquals(parseSize("20GiB"), 20 * 2 ** 30);
  assertEquals(parseSize("64 MiB"), 64 * 2 ** 20);
  assertEquals(parseSize("1.5KiB"), 1536);
  assertEquals(parseSize("1MB"), 1_000_000);
  assertEquals(parseSize("4096"), 4096);
  assertEquals(parseSize("0B"), 0);
});

Deno.test("parseSize() throws SyntaxError on anything else", () => {
  const cases = [
    "",
    "GiB",
    "20G",
    "20gib",
    "-1MiB",
    "1e9",
    "9999999TiB",
    "1 2",
  ];
  for (const text of cases) {
    assertThrows(() => parseSize(text), SyntaxError, undefined, text);
  }
});

Deno.test("formatSize() gives what parseSize() reads", () => {
  for (const bytes of [0, 1000, 1024, 64 * 2 ** 20, 3 * 2 ** 40, 2 ** 30 + 1]) {
    assertEquals(parseSize(formatSize(bytes)), bytes);
  }
  assertEquals(formatSize(64 * 2 ** 20), "64MiB");
});
