import { assertEquals, assertThrows } from "@std/assert";
import {
  formatUuid,
  isCanonicalUuid,
  parseUuid,
} from "../../../lib/gtid/uuid.ts";
import { byteTable } from "../../support/byte_table.ts";

const TEXT = "d63952fd-e6f6-11f1-a979-02fc00000001";
const BYTES = byteTable("d63952fd e6f6 11f1 a979 02fc00000001");

Deno.test("parseUuid() reads the 16 bytes in the order of the digits", () => {
  assertEquals(parseUuid(TEXT), BYTES);
  assertEquals(parseUuid(TEXT.toUpperCase()), BYTES);
});

Deno.test("parseUuid() rejects everything that is not 36 characters of UUID", () => {
  const bad = [
    "",
    TEXT.slice(1),
    `${TEXT}0`,
    ` ${TEXT}`,
    TEXT.replaceAll("-", ""),
    `{${TEXT}}`,
    TEXT.replace("d", "g"),
    TEXT.replace("-", "_"),
    `${TEXT}\n`,
  ];
  for (const text of bad) assertThrows(() => parseUuid(text), SyntaxError);
});

Deno.test("formatUuid() writes lower-case text from any offset", () => {
  assertEquals(formatUuid(BYTES), TEXT);
  const padded = new Uint8Array(19);
  padded.set(BYTES, 3);
  assertEquals(formatUuid(padded, 3), TEXT);
});

Deno.test("formatUuid() throws when fewer than 16 bytes are there", () => {
  for (let length = 0; length < 16; length++) {
    assertThrows(() => formatUuid(BYTES.subarray(0, length)), RangeError);
  }
  assertThrows(() => formatUuid(BYTES, 1), RangeError);
  assertThrows(() => formatUuid(BYTES, -1), RangeError);
  assertThrows(() => formatUuid(BYTES, Number.NaN), RangeError);
});

Deno.test("isCanonicalUuid() is false for upper case and for spaces around", () => {
  assertEquals(isCanonicalUuid(TEXT), true);
  assertEquals(isCanonicalUuid(TEXT.toUpperCase()), false);
  assertEquals(isCanonicalUuid(`${TEXT} `), false);
});
