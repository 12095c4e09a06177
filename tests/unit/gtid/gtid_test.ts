import { assertEquals, assertThrows } from "@std/assert";
import {
  formatGtid,
  GNO_MAX,
  isCanonicalTag,
  parseGno,
  parseGtid,
} from "../../../lib/gtid/gtid.ts";

const UUID = "d63952fd-e6f6-11f1-a979-02fc00000001";

Deno.test("parseGtid() reads GTIDs with and without a tag", () => {
  assertEquals(parseGtid(`${UUID}:23`), { uuid: UUID, tag: "", gno: 23n });
  assertEquals(
    parseGtid(` ${UUID.toUpperCase()}:Blue_1:9223372036854775806\n`),
    {
      uuid: UUID,
      tag: "blue_1",
      gno: 2n ** 63n - 2n,
    },
  );
});

Deno.test("parseGtid() rejects everything else", () => {
  const bad = [
    "",
    UUID,
    `${UUID}:`,
    `${UUID}:0`,
    `${UUID}:-1`,
    `${UUID}:1-2`,
    `${UUID}:1.0`,
    `${UUID}:0x10`,
    `${UUID}:9223372036854775807`, // One past the last number.
    `${UUID}:${"9".repeat(5000)}`,
    `${UUID}:tag`,
    `${UUID}:1tag:1`,
    `${UUID}::1`,
    `${UUID}:a:b:1`,
    `${UUID}:${"a".repeat(33)}:1`,
    `${UUID.slice(1)}:1`,
    "ANONYMOUS",
  ];
  for (const text of bad) assertThrows(() => parseGtid(text), SyntaxError);
});

Deno.test("formatGtid() writes what parseGtid() reads", () => {
  for (const text of [`${UUID}:1`, `${UUID}:_t9:${GNO_MAX}`]) {
    assertEquals(formatGtid(parseGtid(text)), text);
  }
});

Deno.test("isCanonicalTag() knows MySQL's rules for tags", () => {
  for (const tag of ["a", "_", "z9", "a".repeat(32), "_0"]) {
    assertEquals(isCanonicalTag(tag), true, tag);
  }
  for (const tag of ["", "9", "A", "a-b", "a b", "ä", "a".repeat(33), "a\n"]) {
    assertEquals(isCanonicalTag(tag), false, tag);
  }
});

Deno.test("parseGno() reads decimal numbers from 1 to the largest", () => {
  assertEquals(parseGno("1"), 1n);
  assertEquals(parseGno("007"), 7n);
  assertEquals(parseGno(GNO_MAX.toString()), GNO_MAX);
  for (const text of ["", "0", " 1", "1n", "1e3", (GNO_MAX + 1n).toString()]) {
    assertEquals(parseGno(text), undefined, text);
  }
});
