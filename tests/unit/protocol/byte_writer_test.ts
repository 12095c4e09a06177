import { assertEquals, assertThrows } from "@std/assert";
import { ByteReader } from "../../../lib/protocol/byte_reader.ts";
import { ByteWriter } from "../../../lib/protocol/byte_writer.ts";
import { byteTable } from "../../support/byte_table.ts";

Deno.test("ByteWriter writes little-endian integers", () => {
  const bytes = new ByteWriter().u8(0xff).u16(0xfffe).u24(0xfffefd)
    .u32(0xfffefdfc).u64(0xfffefdfcfbfaf9f8n).finish();
  assertEquals(
    bytes,
    byteTable("ff feff fdfeff fcfdfeff f8f9fafbfcfdfeff"),
  );
});

Deno.test("ByteWriter.lenencInt() writes the shortest form", () => {
  const cases: [number | bigint, string][] = [
    [0, "00"],
    [250, "fa"],
    [251, "fc fb00"],
    [0xffff, "fc ffff"],
    [0x10000, "fd 000001"],
    [0xffffff, "fd ffffff"],
    [0x1000000, "fe 0000000100000000"],
    [0xffffffffffffffffn, "fe ffffffffffffffff"],
  ];
  for (const [value, bytes] of cases) {
    const written = new ByteWriter().lenencInt(value).finish();
    assertEquals(written, byteTable(bytes));
    assertEquals(new ByteReader(written).lenencBigint(), BigInt(value));
  }
});

Deno.test("ByteWriter writes strings of every kind", () => {
  const bytes = new ByteWriter().lenencString("abc").nulString("de")
    .shortString("ä").string("rest").zeros(2).finish();
  assertEquals(
    bytes,
    byteTable(`03 "abc"  "de" 00  02 c3a4  "rest"  0000`),
  );
});

Deno.test("ByteWriter grows from any size at any value", () => {
  for (let room = 0; room < 24; room++) {
    const bytes = new ByteWriter(room).u8(1).u16(2).u24(3).u32(4).u64(5n)
      .bytes(byteTable("06 07")).zeros(1).u8(8).finish();
    assertEquals(
      bytes,
      byteTable("01 0200 030000 04000000 0500000000000000 0607 00 08"),
    );
  }
});

Deno.test("ByteWriter refuses values that do not fit", () => {
  const writer = new ByteWriter();
  const misfits: (() => unknown)[] = [
    () => writer.u8(0x100),
    () => writer.u8(-1),
    () => writer.u8(1.5),
    () => writer.u16(0x10000),
    () => writer.u24(0x1000000),
    () => writer.u32(0x100000000),
    () => writer.u64(-1n),
    () => writer.u64(0x10000000000000000n),
    () => writer.lenencInt(-1),
    () => writer.nulString("a\0b"),
    () => writer.shortString("x".repeat(256)),
  ];
  for (const misfit of misfits) assertThrows(misfit, RangeError);
  assertEquals(writer.length, 0, "nothing of them is written");
});
