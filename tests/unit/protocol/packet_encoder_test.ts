import { assertEquals } from "@std/assert";
import { ByteWriter } from "../../../lib/protocol/byte_writer.ts";
import {
  encodePackets,
  framedBytes,
  writePackets,
} from "../../../lib/protocol/packet_encoder.ts";
import { byteTable } from "../../support/byte_table.ts";

const PART = 0xffffff;

Deno.test("encodePackets() frames a small payload", () => {
  assertEquals(encodePackets(byteTable("0e"), 0), {
    bytes: byteTable("010000 00 0e"),
    nextSequenceId: 1,
  });
});

Deno.test("encodePackets() frames an empty payload", () => {
  assertEquals(encodePackets(new Uint8Array(0), 7), {
    bytes: byteTable("000000 07"),
    nextSequenceId: 8,
  });
});

Deno.test("encodePackets() counts modulo 256", () => {
  assertEquals(encodePackets(byteTable("0e"), 255).nextSequenceId, 0);
  assertEquals(encodePackets(byteTable("0e"), 256).bytes[3], 0);
});

Deno.test("encodePackets() splits at 0xffffff and ends exact multiples empty", () => {
  const cases: [length: number, parts: number[]][] = [
    [PART - 1, [PART - 1]],
    [PART, [PART, 0]],
    [PART + 1, [PART, 1]],
    [2 * PART, [PART, PART, 0]],
  ];
  for (const [length, parts] of cases) {
    const { bytes, nextSequenceId } = encodePackets(
      new Uint8Array(length),
      254,
    );
    assertEquals(bytes.length, framedBytes(length));
    assertEquals(nextSequenceId, (254 + parts.length) & 0xff);
    let at = 0;
    parts.forEach((part, i) => {
      const header = [
        part & 0xff,
        (part >> 8) & 0xff,
        part >> 16,
        (254 + i) & 0xff,
      ];
      assertEquals([...bytes.subarray(at, at + 4)], header);
      at += 4 + part;
    });
    assertEquals(at, bytes.length);
  }
});

Deno.test("writePackets() appends", () => {
  const writer = new ByteWriter();
  const next = writePackets(writer, byteTable("61"), 0);
  writePackets(writer, byteTable("62"), next);
  assertEquals(writer.finish(), byteTable("010000 00 61  010000 01 62"));
});
