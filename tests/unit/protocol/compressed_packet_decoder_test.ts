import { assert, assertEquals, assertThrows } from "@std/assert";
import { compressBytes } from "../../../lib/protocol/compress_bytes.ts";
import {
  type CompressedPacket,
  encodeCompressedPacket,
} from "../../../lib/protocol/compressed_packet.ts";
import { CompressedPacketDecoder } from "../../../lib/protocol/compressed_packet_decoder.ts";
import { decompressPacket } from "../../../lib/protocol/decompress_packet.ts";
import { ProtocolError } from "../../../lib/protocol/protocol_error.ts";
import { byteTable, hex } from "../../support/byte_table.ts";
import { SeededRandom } from "../../support/seeded_random.ts";

// MySQL internals: Compressed Packet, its example of a statement and of its answer.
const STATEMENT = byteTable(`
  220000 00 320000   // 34 bytes, id 0, of 50
  789cd3636060602e4ecd494d2e51503230343236313533b7
  b0c4cd5202000cd10a6c
`);
const STATEMENT_CONTENT = byteTable(`
  2e0000 00 03 "select " 22 "012345678901234567890123456789012345" 22
`);
const ANSWER = byteTable(`
  4a0000 01 770000   // 74 bytes, id 1, of 119
  789c636460606454656060624e494d636060e02f4a2d484d
  2cd1504a54d2513035d064e0e16030028aff656490676060
  656060fe0754cc60ccc0c06294483200ea6705eb07008df9
  1c64
`);
const STORED = byteTable(`0d0000 00 000000 090000 00 03 "SELECT 1"`);

/** Every packet of a stream, with the chunks cut as given. */
function decode(
  chunks: Iterable<Uint8Array>,
  decoder: CompressedPacketDecoder,
): CompressedPacket[] {
  const packets: CompressedPacket[] = [];
  for (const chunk of chunks) {
    decoder.feed(chunk);
    for (let packet = decoder.next(); packet; packet = decoder.next()) {
      packets.push(packet);
    }
  }
  return packets;
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(parts.flatMap((part) => [...part]));
}

Deno.test("CompressedPacketDecoder.next() reads MySQL's own examples", () => {
  const decoder = new CompressedPacketDecoder();
  const [statement] = decode([STATEMENT], decoder);
  assertEquals(statement!.sequenceId, 0);
  assertEquals(statement!.announcedBytes, 50);
  assertEquals(
    hex(decompressPacket(statement!, "zlib")),
    hex(STATEMENT_CONTENT),
  );
  const [answer] = decode([ANSWER], decoder);
  assertEquals(answer!.sequenceId, 1);
  const content = decompressPacket(answer!, "zlib");
  assertEquals(content.length, 0x77);
  assertEquals(hex(content.subarray(0, 9)), "010000010125000002");
  const [stored] = decode([STORED], decoder);
  assertEquals(stored!.announcedBytes, 0);
  assertEquals(
    decompressPacket(stored!, "zstd"),
    STORED.subarray(7),
  );
});

Deno.test("CompressedPacketDecoder.next() takes one byte at a time, and any split in two", () => {
  const stream = joined([STATEMENT, ANSWER, STORED]);
  const whole = decode([stream], new CompressedPacketDecoder());
  assertEquals(whole.length, 3);
  const bytes = [...stream].map((byte) => Uint8Array.of(byte));
  assertEquals(decode(bytes, new CompressedPacketDecoder()), whole);
  for (let at = 0; at <= stream.length; at++) {
    const split = [stream.subarray(0, at), stream.subarray(at)];
    assertEquals(decode(split, new CompressedPacketDecoder()), whole, `${at}`);
  }
});

Deno.test("CompressedPacketDecoder.next() answers nothing for a packet cut short", () => {
  for (let length = 0; length < ANSWER.length; length++) {
    const decoder = new CompressedPacketDecoder();
    decoder.restartIds = [1];
    assertEquals(decode([ANSWER.subarray(0, length)], decoder), []);
    assertEquals(decoder.buffered, length);
    assertEquals(decode([ANSWER.subarray(length)], decoder).length, 1);
    assertEquals(decoder.buffered, 0);
  }
});

Deno.test("CompressedPacketDecoder.next() counts modulo 256 and begins anew where it may", () => {
  const decoder = new CompressedPacketDecoder();
  const packet = (id: number) => encodeCompressedPacket(STORED, id, 0);
  for (let n = 0; n < 600; n++) {
    assertEquals(decode([packet(n)], decoder).length, 1);
    assertEquals(decoder.lastId, n & 0xff);
  }
  assertEquals(decode([packet(0), packet(1), packet(0)], decoder).length, 3);
  decoder.restartIds = [3];
  assertEquals(decode([packet(3)], decoder).length, 1);
  for (const id of [0, 1, 2, 5, 255]) {
    const other = new CompressedPacketDecoder();
    other.restartIds = [3];
    decode([packet(3)], other);
    const error = assertThrows(
      () => decode([packet(id)], other),
      ProtocolError,
      `compressed sequence id ${id}, expected 4`,
    );
    assertEquals(error.code, 1156);
  }
});

Deno.test("CompressedPacketDecoder.next() holds no more than has arrived", () => {
  const before = Deno.memoryUsage().external;
  const decoders = Array.from({ length: 200 }, () => {
    const one = new CompressedPacketDecoder();
    assertEquals(decode([byteTable("ffffff 00 ffffff 00")], one), []);
    return one;
  });
  const held = Deno.memoryUsage().external - before;
  assert(held < 200 * 100_000, `${held} bytes`);
  assertEquals(decoders.map((one) => one.buffered), Array(200).fill(8));
});

Deno.test("CompressedPacketDecoder.feed() refuses a chunk before the last is used up", () => {
  const decoder = new CompressedPacketDecoder();
  decoder.feed(STORED);
  assertThrows(() => decoder.feed(STORED), TypeError, "used up");
});

Deno.test("CompressedPacketDecoder reads back what was encoded, whatever the chunks", () => {
  const random = new SeededRandom(26);
  for (const algorithm of ["zlib", "zstd"] as const) {
    const contents = Array.from(
      { length: 60 },
      () => {
        const length = random.chance(0.25)
          ? random.integer(0, 200_000)
          : random.integer(0, 200);
        const one = new Uint8Array(length + 1);
        const noise = random.pick([0, 127, 255]);
        for (let i = 0; i < one.length; i++) one[i] = random.integer(0, noise);
        return one;
      },
    );
    const stream = joined(contents.map((content, id) => {
      const compressed = compressBytes(content, { algorithm, level: 3 });
      return compressed === undefined
        ? encodeCompressedPacket(content, id, 0)
        : encodeCompressedPacket(compressed, id, content.length);
    }));
    const chunks: Uint8Array[] = [];
    for (let at = 0; at < stream.length;) {
      const end = at + 1 + random.integer(0, 20_000);
      chunks.push(stream.subarray(at, end));
      at = end;
    }
    const packets = decode(chunks, new CompressedPacketDecoder());
    assertEquals(
      packets.map((packet) => decompressPacket(packet, algorithm)),
      contents,
    );
  }
});
