import { assertEquals, assertThrows } from "@std/assert";
import { ByteReader } from "../../../lib/protocol/byte_reader.ts";
import { ErrorCode } from "../../../lib/protocol/error_code.ts";
import { ProtocolError } from "../../../lib/protocol/protocol_error.ts";
import { byteTable } from "../../support/byte_table.ts";

Deno.test("ByteReader reads little-endian integers", () => {
  const reader = new ByteReader(byteTable(`
    ff                // 8 bits
    feff              // 16 bits
    fdfeff            // 24 bits
    fcfdfeff          // 32 bits
    f8f9fafbfcfdfeff  // 64 bits
  `));
  assertEquals(reader.u8(), 0xff);
  assertEquals(reader.u16(), 0xfffe);
  assertEquals(reader.u24(), 0xfffefd);
  assertEquals(reader.u32(), 0xfffefdfc);
  assertEquals(reader.u64(), 0xfffefdfcfbfaf9f8n);
  assertEquals(reader.remaining, 0);
});

Deno.test("ByteReader reads from within a larger buffer", () => {
  const reader = new ByteReader(byteTable("aa 0100 bb").subarray(1, 3));
  assertEquals(reader.u16(), 1);
  assertThrows(() => reader.u8(), ProtocolError);
});

Deno.test("ByteReader.lenencBigint() reads every form", () => {
  const cases: [string, bigint][] = [
    ["00", 0n],
    ["fa", 250n],
    ["fc fb00", 251n],
    ["fc 0100", 1n], // longer than needed, as servers may write it
    ["fd 000001", 0x10000n],
    ["fe 0000000100000000", 0x1000000n],
    ["fe ffffffffffffffff", 0xffffffffffffffffn],
  ];
  for (const [bytes, value] of cases) {
    assertEquals(new ByteReader(byteTable(bytes)).lenencBigint(), value);
  }
});

Deno.test("ByteReader.lenencBigint() refuses what begins no integer", () => {
  for (
    const bytes of [
      "fb",
      "ff",
      "",
      "fc",
      "fc 00",
      "fd 0000",
      "fe 00000000000000",
    ]
  ) {
    const reader = new ByteReader(byteTable(bytes));
    assertThrows(() => reader.lenencBigint(), ProtocolError);
    assertEquals(reader.offset, 0, "the cursor stays");
  }
});

Deno.test("ByteReader.lenencInt() refuses a count beyond 2^53", () => {
  const most = new ByteReader(byteTable("fe ffffffffffff1f00"));
  assertEquals(most.lenencInt(), Number.MAX_SAFE_INTEGER);
  const more = new ByteReader(byteTable("fe 0000000000002000"));
  assertThrows(() => more.lenencInt(), ProtocolError);
});

Deno.test("ByteReader.lenencBytes() checks the length before it is used", () => {
  const cases = [
    "01",
    "05 61626364",
    "fe ffffffffffffffff 61",
    "fe 0000000001000000",
  ];
  for (const bytes of cases) {
    const reader = new ByteReader(byteTable(bytes));
    const error = assertThrows(() => reader.lenencBytes(), ProtocolError);
    assertEquals(error.code, ErrorCode.ER_MALFORMED_PACKET);
    assertEquals(reader.offset, 0);
  }
});

Deno.test("ByteReader.bytes() answers a view", () => {
  const bytes = byteTable("00 61 62 63");
  const view = new ByteReader(bytes, 1).bytes(2);
  assertEquals(view, byteTable("61 62"));
  assertEquals(view.buffer, bytes.buffer);
});

Deno.test("ByteReader reads strings of every kind", () => {
  const reader = new ByteReader(byteTable(`
    03 "abc"       // with its length
    "de" 00        // up to a NUL
    c3a4 "x"       // three bytes, one of the characters has two
    fb             // NULL
    00             // empty
    "rest" ff      // not UTF-8 at its end
  `));
  assertEquals(reader.lenencString(), "abc");
  assertEquals(reader.hasNul(), true);
  assertEquals(reader.nulString(), "de");
  assertEquals(reader.string(3), "äx");
  assertEquals(reader.lenencStringOrNull(), null);
  assertEquals(reader.lenencStringOrNull(), "");
  assertEquals(reader.hasNul(), false);
  assertEquals(reader.restString(), "rest\ufffd");
  assertEquals(reader.restString(), "");
});

Deno.test("ByteReader.nulString() refuses a string without a NUL", () => {
  const reader = new ByteReader(byteTable(`"abc"`));
  assertThrows(() => reader.nulString(), ProtocolError);
  assertEquals(reader.offset, 0);
});

Deno.test("ByteReader.skip() does not pass the end", () => {
  const reader = new ByteReader(byteTable("01 02"));
  reader.skip(2);
  assertThrows(() => reader.skip(1), ProtocolError);
});

Deno.test("ByteReader keeps a byte order mark, which is a character here", () => {
  const reader = new ByteReader(byteTable(`efbbbf "x"`));
  assertEquals(reader.restString(), "\ufeffx");
});
