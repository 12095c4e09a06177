import { assert, assertEquals, assertThrows } from "@std/assert";
import { Buffer } from "node:buffer";
import { crc32 } from "node:zlib";
import { ErrorCode } from "../../../lib/protocol/error_code.ts";
import type { Packet } from "../../../lib/protocol/packet.ts";
import { PacketDecoder } from "../../../lib/protocol/packet_decoder.ts";
import { encodePackets } from "../../../lib/protocol/packet_encoder.ts";
import { ProtocolError } from "../../../lib/protocol/protocol_error.ts";
import { byteTable } from "../../support/byte_table.ts";
import { SeededRandom } from "../../support/seeded_random.ts";

const PART = 0xffffff;
const LIMIT = 64 * 1024 * 1024;

// An answer of MySQL 9.7 to `SELECT @@server_id, NULL AS n, '' e`, as captured.
const ANSWER = byteTable(`
  010000 01 03                              // three columns
  210000 02 03 "def" 00 00 00 0b "@@server_id" 00 0c 3f00 15000000 08 a000 00 0000
  170000 03 03 "def" 00 00 00 01 "n" 00 0c 3f00 00000000 06 8000 00 0000
  170000 04 03 "def" 00 00 00 01 "e" 00 0c 2d00 00000000 fd 0100 1f 0000
  050000 05 fe 0000 0200                    // EOF: the columns end
  070000 06 04 "9701" fb 00                 // a row
  050000 07 fe 0000 0200                    // EOF: the rows end
`);
const ANSWER_LENGTHS = [1, 0x21, 0x17, 0x17, 5, 7, 5];

/** One packet as text, to compare without holding its bytes twice. */
function summary(packets: Packet[]): string[] {
  return packets.map(({ sequenceId, payload }) =>
    `${sequenceId}: ${payload.length} bytes, ${crc32(payload)}`
  );
}

function decoder(
  initialSequenceId = 0,
  maxPayloadBytes = LIMIT,
): PacketDecoder {
  return new PacketDecoder({ maxPayloadBytes, initialSequenceId });
}

/** Bytes that differ from their neighbours, so that a shift would show. */
function pattern(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = (i * 7 + (i >> 8)) & 0xff;
  return bytes;
}

Deno.test("PacketDecoder.push() answers all packets of a chunk as views", () => {
  const packets = decoder(1).push(ANSWER);
  assertEquals(packets.map((packet) => packet.payload.length), ANSWER_LENGTHS);
  assertEquals(packets.map((packet) => packet.sequenceId), [
    1,
    2,
    3,
    4,
    5,
    6,
    7,
  ]);
  for (const { payload } of packets) {
    assertEquals(payload.buffer, ANSWER.buffer, "not a copy");
  }
});

Deno.test("PacketDecoder.push() takes one byte at a time", () => {
  const whole = summary(decoder(1).push(ANSWER));
  const bytewise = decoder(1);
  const packets: Packet[] = [];
  for (let i = 0; i < ANSWER.length; i++) {
    packets.push(...bytewise.push(ANSWER.subarray(i, i + 1)));
  }
  assertEquals(summary(packets), whole);
  assertEquals(bytewise.buffered, 0);
});

Deno.test("PacketDecoder.push() answers the same packets for any split in two", () => {
  const whole = summary(decoder(1).push(ANSWER));
  for (let at = 0; at <= ANSWER.length; at++) {
    const split = decoder(1);
    const packets = [
      ...split.push(ANSWER.subarray(0, at)),
      ...split.push(ANSWER.subarray(at)),
    ];
    assertEquals(summary(packets), whole, `split at ${at}`);
  }
});

Deno.test("PacketDecoder.push() answers the same packets for random splits", () => {
  const random = new SeededRandom(20260728);
  const payloads = Array.from(
    { length: 400 },
    () =>
      random.bytes(
        random.chance(0.05)
          ? random.integer(0, 200_000)
          : random.integer(0, 90),
      ),
  );
  const stream: number[] = [];
  let sequenceId = 250;
  for (const payload of payloads) {
    const encoded = encodePackets(payload, sequenceId);
    for (const byte of encoded.bytes) stream.push(byte);
    sequenceId = encoded.nextSequenceId;
  }
  const bytes = Uint8Array.from(stream);
  for (let round = 0; round < 5; round++) {
    const split = decoder(250);
    const packets: Packet[] = [];
    for (let at = 0; at < bytes.length;) {
      const end = at + random.integer(0, random.chance(0.5) ? 12 : 70_000);
      packets.push(...split.push(bytes.subarray(at, end)));
      at = end;
    }
    assertEquals(
      packets.map((packet) => packet.payload.length),
      payloads.map((payload) => payload.length),
    );
    packets.forEach((packet, i) => assertEquals(packet.payload, payloads[i]));
    assertEquals(split.buffered, 0);
  }
});

Deno.test("PacketDecoder joins parts, with an empty last one after exact multiples", () => {
  for (const length of [PART - 1, PART, PART + 1, 2 * PART]) {
    const payload = pattern(length);
    const { bytes, nextSequenceId } = encodePackets(payload, 3);
    for (const chunkBytes of [bytes.length, 1 << 18]) {
      const joining = decoder(3);
      const packets: Packet[] = [];
      for (let at = 0; at < bytes.length; at += chunkBytes) {
        packets.push(...joining.push(bytes.subarray(at, at + chunkBytes)));
      }
      assertEquals(packets.length, 1);
      assertEquals(packets[0]!.sequenceId, nextSequenceId - 1);
      assert(sameBytes(packets[0]!.payload, payload), `${length} bytes`);
      assertEquals(joining.buffered, 0);
    }
  }
});

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

Deno.test("PacketDecoder takes a large packet byte by byte", () => {
  const payload = pattern(300_000);
  const { bytes } = encodePackets(payload, 0);
  const bytewise = decoder();
  let packet: Packet | undefined;
  for (let i = 0; i < bytes.length; i++) {
    packet = bytewise.push(bytes.subarray(i, i + 1))[0];
  }
  assert(packet !== undefined && sameBytes(packet.payload, payload));
});

Deno.test("PacketDecoder counts sequence ids modulo 256", () => {
  const packets = decoder(255).push(byteTable("010000 ff 61  010000 00 62"));
  assertEquals(packets.map((packet) => packet.sequenceId), [255, 0]);
});

Deno.test("PacketDecoder refuses a wrong sequence id as soon as it is read", () => {
  const cases = ["010000 01 61", "ffffff 05", "000000 ff"];
  for (const bytes of cases) {
    const error = assertThrows(
      () => decoder().push(byteTable(bytes)),
      ProtocolError,
      "out of order",
    );
    assertEquals(error.code, ErrorCode.ER_NET_PACKETS_OUT_OF_ORDER);
  }
});

Deno.test("PacketDecoder refuses a wrong sequence id in a later part", () => {
  const { bytes } = encodePackets(new Uint8Array(PART + 1), 0);
  bytes[4 + PART + 3] = 2;
  assertThrows(
    () => decoder().push(bytes),
    ProtocolError,
    "sequence id 2, expected 1",
  );
});

Deno.test("PacketDecoder.expectSequence() applies to what is fed already", () => {
  const commands = decoder();
  commands.feed(byteTable(`
    010000 00 0e  // a command
    010000 00 0e  // and the next one, sent without waiting
  `));
  assertEquals(commands.next()?.payload, byteTable("0e"));
  commands.expectSequence(0);
  assertEquals(commands.next()?.payload, byteTable("0e"));
  assertEquals(commands.next(), undefined);
});

Deno.test("PacketDecoder checks the limit before it keeps anything", () => {
  const limited = decoder(0, 10);
  assertEquals(
    limited.push(encodePackets(new Uint8Array(10), 0).bytes).length,
    1,
  );
  const error = assertThrows(
    () => limited.push(byteTable("0b0000 01")),
    ProtocolError,
    "bigger than 10 bytes",
  );
  assertEquals(error.code, ErrorCode.ER_NET_PACKET_TOO_LARGE);
});

Deno.test("PacketDecoder checks the limit for all parts together", () => {
  const limited = decoder(0, PART);
  const exact = encodePackets(new Uint8Array(PART), 0);
  assertEquals(limited.push(exact.bytes)[0]?.payload.length, PART);
  const larger = encodePackets(new Uint8Array(PART + 1), exact.nextSequenceId);
  assertThrows(() => limited.push(larger.bytes), ProtocolError, "bigger than");
});

Deno.test("PacketDecoder.maxPayloadBytes can be raised", () => {
  const raised = decoder(0, 4);
  raised.maxPayloadBytes = 5;
  assertEquals(raised.maxPayloadBytes, 5);
  assertEquals(raised.push(byteTable(`050000 00 "hello"`)).length, 1);
});

Deno.test("PacketDecoder.buffered counts what is not decoded", () => {
  const counting = decoder();
  assertEquals(counting.buffered, 0);
  counting.push(byteTable("0300"));
  assertEquals(counting.buffered, 2);
  counting.push(byteTable("00 00 61 62"));
  assertEquals(counting.buffered, 6);
  counting.push(byteTable("63"));
  assertEquals(counting.buffered, 0);
});

Deno.test("PacketDecoder.takeRest() answers the raw bytes at any point", () => {
  for (let at = 0; at <= ANSWER.length; at++) {
    const interrupted = decoder(1);
    const packets = interrupted.push(ANSWER.subarray(0, at));
    const decoded = packets.reduce(
      (sum, { payload }) => sum + 4 + payload.length,
      0,
    );
    assertEquals(interrupted.takeRest(), ANSWER.slice(decoded, at));
    assertEquals(interrupted.buffered, 0);
  }
});

Deno.test("PacketDecoder.takeRest() answers what is fed and not decoded, uncopied", () => {
  const fed = decoder(1);
  fed.feed(ANSWER);
  fed.next();
  const rest = fed.takeRest();
  assertEquals(rest, ANSWER.subarray(5));
  assertEquals(rest.buffer, ANSWER.buffer);
  assertEquals(fed.next(), undefined);
});

Deno.test("PacketDecoder.takeRest() restores the headers of joined parts", () => {
  const { bytes } = encodePackets(pattern(2 * PART + 9), 255);
  for (const missing of [1, 9, 11, 13, PART]) {
    const fed = bytes.subarray(0, bytes.length - missing);
    const joining = decoder(255);
    assertEquals(joining.push(fed).length, 0);
    assertEquals(joining.buffered, fed.length);
    assert(sameBytes(joining.takeRest(), fed), `${missing} bytes missing`);
  }
});

Deno.test("PacketDecoder.feed() keeps what was fed before", () => {
  const fed = decoder();
  fed.feed(byteTable("010000 00"));
  fed.feed(byteTable("61 010000 01"));
  fed.feed(byteTable("62"));
  assertEquals(fed.next()?.payload, byteTable("61"));
  assertEquals(fed.next()?.payload, byteTable("62"));
});

Deno.test("PacketDecoder accepts notices only where asked to, and only errors", () => {
  const notice = byteTable(`
    0d0000 00                     // sequence id 0 where 1 is expected
    ff bf0f "#HY000" "idle"       // error 4031
  `);
  const open = (acceptsNotices: boolean) =>
    new PacketDecoder({
      maxPayloadBytes: LIMIT,
      initialSequenceId: 1,
      acceptsNotices,
    });
  assertEquals(open(true).push(notice).length, 1);
  assertThrows(() => open(false).push(notice), ProtocolError, "sequence id 0");
  const row = byteTable("010000 00 61");
  assertThrows(
    () => open(true).push(row),
    ProtocolError,
    "sequence id 0, expected 1",
  );
  const later = byteTable("010000 02 ff");
  assertThrows(() => open(true).push(later), ProtocolError, "sequence id 2");
  const bytewise = open(true);
  const packets = [...notice].flatMap((byte) =>
    bytewise.push(Uint8Array.of(byte))
  );
  assertEquals(packets.length, 1);
});

Deno.test("PacketDecoder holds no more than has arrived, or 64 KiB", () => {
  const split = decoder();
  split.push(byteTable(`050000 00 "hel"`));
  const [small] = split.push(byteTable(`"lo"`));
  assertEquals(small?.payload.buffer.byteLength, 5);
  const large = encodePackets(pattern(1_000_000), 1).bytes;
  let packet: Packet | undefined;
  for (let at = 0; at < large.length; at += 1000) {
    packet = split.push(large.subarray(at, at + 1000))[0];
  }
  assertEquals(packet?.payload.buffer.byteLength, 1_000_000);
});

/** Memory that notes what is held, up to a limit. */
function noted(bytesMax: number) {
  const memory = {
    held: 0,
    take(bytes: number): boolean {
      if (memory.held + bytes > bytesMax) return false;
      memory.held += bytes;
      return true;
    },
    give(bytes: number): void {
      memory.held -= bytes;
    },
  };
  return memory;
}

Deno.test("PacketDecoder asks for the memory of an incomplete payload, and gives it back", () => {
  const memory = noted(LIMIT);
  const decoder = new PacketDecoder({ maxPayloadBytes: LIMIT, memory });
  const { bytes } = encodePackets(pattern(200_000), 0);
  let most = 0;
  for (let at = 0; at < bytes.length; at += 1000) {
    decoder.push(bytes.subarray(at, at + 1000));
    most = Math.max(most, memory.held);
    assert(
      memory.held <= 2 * at + 70_000,
      "as much as has come, and as much again",
    );
  }
  assert(most > 190_000);
  assertEquals(memory.held, 0);
});

Deno.test("PacketDecoder asks for no memory for a packet that is whole, or small", () => {
  const memory = noted(0);
  const decoder = new PacketDecoder({ maxPayloadBytes: LIMIT, memory });
  const whole = encodePackets(pattern(200_000), 0).bytes;
  assertEquals(decoder.push(whole).length, 1);
  decoder.expectSequence(0);
  const small = encodePackets(pattern(4096), 0).bytes;
  assertEquals(decoder.push(small.subarray(0, 50)).length, 0);
  assertEquals(decoder.push(small.subarray(50)).length, 1);
});

Deno.test("PacketDecoder refuses with 1041 what there is no memory for, and holds nothing of it", () => {
  const memory = noted(100_000);
  const decoder = new PacketDecoder({ maxPayloadBytes: LIMIT, memory });
  const { bytes } = encodePackets(pattern(200_000), 0);
  const error = assertThrows(() => {
    for (let at = 0; at < bytes.length; at += 1000) {
      decoder.push(bytes.subarray(at, at + 1000));
    }
  }, ProtocolError);
  assertEquals(error.code, ErrorCode.ER_OUT_OF_RESOURCES);
  assert(memory.held <= 100_000);
  decoder.takeRest();
  assertEquals(memory.held, 0);
});

Deno.test("PacketDecoder takes any sequence id where they count nothing", () => {
  const stream = [7, 3, 255, 3].flatMap((id) => [1, 0, 0, id, id]);
  const unnumbered = new PacketDecoder({
    maxPayloadBytes: LIMIT,
    numbered: false,
  });
  const packets = stream.flatMap((byte) =>
    unnumbered.push(Uint8Array.of(byte))
  );
  assertEquals(packets.map(({ sequenceId }) => sequenceId), [7, 3, 255, 3]);
  assertThrows(
    () => decoder().push(Uint8Array.from(stream)),
    ProtocolError,
    "sequence id 7",
  );
});
