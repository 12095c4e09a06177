import { assertEquals, assertThrows } from "@std/assert";
import { ByteReader } from "../../../lib/protocol/byte_reader.ts";
import { ProtocolError } from "../../../lib/protocol/protocol_error.ts";
import { skipQueryAttributes } from "../../../lib/protocol/query_attributes.ts";
import { byteTable } from "../../support/byte_table.ts";
import { assertTruncationsRefused } from "../../support/truncation.ts";

// What the mysql client of 9.7 sent for two attributes, as captured.
const CAPTURED = byteTable(`
  02 01                 // two attributes, one set of them
  00                    // none of them NULL
  01                    // types follow
  fe00 02 "n1"          // a string
  fe00 05 "name2"       // a string
  02 "v1" 03 "v22"
`);

// One value of each width, and two that are NULL.
const EVERY_TYPE = byteTable(`
  0c 01
  0208                  // the second and the twelfth are NULL
  01
  0180 01 "a"           // unsigned tiny
  0800 01 "b"           // NULL, whatever its type
  0200 00               // short
  0300 00               // long
  0800 00               // longlong
  0400 00               // float
  0500 00               // double
  0a00 00               // date
  0c00 00               // datetime
  0b00 00               // time
  0600 00               // type NULL
  fd00 00               // NULL
  01
  0200
  03000000
  0800000000000000
  00000000
  0000000000000000
  04 e8070101           // date: four bytes
  0b e807010102030405000000  // datetime with microseconds: eleven
  00                    // time: all zero, no bytes
`);

function skipped(bytes: Uint8Array): number {
  const reader = new ByteReader(bytes);
  skipQueryAttributes(reader);
  return reader.remaining;
}

Deno.test("skipQueryAttributes() passes over none", () => {
  assertEquals(skipped(byteTable(`00 01 "SELECT 1"`)), 8);
});

Deno.test("skipQueryAttributes() passes over what the mysql client sends", () => {
  assertEquals(skipped(CAPTURED), 0);
});

Deno.test("skipQueryAttributes() passes over values of every type", () => {
  assertEquals(skipped(EVERY_TYPE), 0);
});

Deno.test("skipQueryAttributes() refuses every truncation", () => {
  assertTruncationsRefused(skipped, CAPTURED);
  assertTruncationsRefused(skipped, EVERY_TYPE);
});

Deno.test("skipQueryAttributes() refuses absurd counts and missing types", () => {
  const cases = ["fd 000001 01", "fe ffffffffffff1f00 01", "01 01 00 00"];
  for (const bytes of cases) {
    assertThrows(() => skipped(byteTable(bytes)), ProtocolError);
  }
});
