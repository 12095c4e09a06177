import { assert, assertEquals, assertThrows } from "@std/assert";
import { formatGtid, GNO_MAX } from "../../../lib/gtid/gtid.ts";
import { EventType } from "../../../lib/binlog/event_type.ts";
import { decodeGtid, GtidReader } from "../../../lib/binlog/gtid_event.ts";
import { MalformedEventError } from "../../../lib/binlog/malformed_event_error.ts";
import { loadBinlogFixtures } from "../../support/binlog_fixture.ts";
import { byteTable } from "../../support/byte_table.ts";
import { SeededRandom } from "../../support/seeded_random.ts";

const UUID = "d63952fd-e6f6-11f1-a979-02fc00000001";

// As captured from MySQL 9.7.
const TAGGED = byteTable(`
  b8c4036b 2a e5250000 51000000 17010000 0000
  02 74 00             // version 1, message of 58 bytes, all fields ignorable
  00 00                // flags
  02                   // UUID, each byte an integer of its own
  5903 72 a4 f503 9903 d903 22 c503 a502 f204 f103 00 00 00 02
  04 04                // number 1
  06 0a "mytag"        // tag
  08 00 0a 04          // last committed, sequence number
  0c 7f9cbe7e40ea6006  // commit timestamp
  10 7104 12 83120b    // transaction length, server version
  7da2b4a5             // checksum
`);

const GTID = byteTable(`
  b8c4036b 21 e5250000 30000000 c7000000 0000
  01                                // flags
  d63952fde6f611f1a97902fc00000001  // UUID
  0100000000000000                  // number
  00000000                          // checksum
`);

function resized(event: Uint8Array): Uint8Array {
  new DataView(event.buffer).setUint32(9, event.length, true);
  return event;
}

/** MySQL's variable-length integer, for tests only. */
function varlen(value: bigint): number[] {
  let size = 1;
  while (size < 9 && value >> BigInt(7 * size) !== 0n) size++;
  const first = (1n << BigInt(size - 1)) - 1n;
  let rest = size < 9 ? (value << BigInt(size)) | first : value << 8n | 0xffn;
  const bytes: number[] = [];
  for (let i = 0; i < size; i++, rest >>= 8n) bytes.push(Number(rest & 0xffn));
  return bytes;
}

/** A tagged event with these fields only: [id, bytes of the value]. */
function taggedEvent(fields: [number, number[]][], size?: number): Uint8Array {
  const body = fields.flatMap((
    [id, value],
  ) => [...varlen(BigInt(id)), ...value]);
  const bytes = [
    ...new Array(19).fill(0),
    2,
    ...varlen(BigInt(size ?? body.length + 3)),
    0,
    ...body,
  ];
  bytes[4] = EventType.GTID_TAGGED;
  return resized(Uint8Array.from(bytes));
}

const UUID_FIELD: [number, number[]] = [
  1,
  [...byteTable("d63952fde6f611f1a97902fc00000001")].flatMap((byte) =>
    varlen(BigInt(byte))
  ),
];

Deno.test("decodeGtid() reads captured events", () => {
  assertEquals(decodeGtid(TAGGED), { uuid: UUID, tag: "mytag", gno: 1n });
  assertEquals(decodeGtid(GTID), { uuid: UUID, tag: "", gno: 1n });
  const anonymous = GTID.slice();
  anonymous[4] = EventType.ANONYMOUS_GTID;
  assertEquals(decodeGtid(anonymous), null);
});

Deno.test("decodeGtid() and GtidReader find the GTIDs of every MySQL file", () => {
  const reader = new GtidReader();
  let tagged = 0;
  for (const server of ["mysql56", "mysql97"] as const) {
    for (const { bytes, truth, events } of loadBinlogFixtures(server)) {
      const read: string[] = [];
      for (const event of events) {
        if (!reader.read(bytes, event.position, event.bytes.length)) continue;
        read.push(formatGtid(reader));
        assertEquals(decodeGtid(event.bytes), {
          uuid: reader.uuid,
          tag: reader.tag,
          gno: reader.gno,
        });
        if (event.type === EventType.GTID_TAGGED) tagged++;
      }
      assertEquals(read, truth.gtids_in_file);
    }
  }
  assertEquals(tagged, 4);
});

Deno.test("GtidReader.read() is false for events without a GTID and changes nothing", () => {
  const reader = new GtidReader();
  assert(reader.read(TAGGED, 0, TAGGED.length));
  for (let type = 0; type < 256; type++) {
    if (type === EventType.GTID || type === EventType.GTID_TAGGED) continue;
    const other = GTID.slice();
    other[4] = type;
    assertEquals(reader.read(other, 0, other.length), false);
  }
  assertEquals(formatGtid(reader), `${UUID}:mytag:1`);
});

Deno.test("GtidReader.read() keeps up when uuid and tag change and change back", () => {
  const reader = new GtidReader();
  const read = (event: Uint8Array): string => {
    assert(reader.read(event, 0, event.length));
    return formatGtid(reader);
  };
  const other = GTID.slice();
  other[20] = 0xd7;
  assertEquals(read(TAGGED), `${UUID}:mytag:1`);
  assertEquals(read(GTID), `${UUID}:1`);
  assertEquals(read(TAGGED), `${UUID}:mytag:1`);
  assertEquals(read(TAGGED), `${UUID}:mytag:1`);
  assertEquals(read(other), `${UUID.replace("d6", "d7")}:1`);
  assertEquals(read(GTID), `${UUID}:1`);
  assertEquals(read(other), `${UUID.replace("d6", "d7")}:1`);
  assertEquals(read(TAGGED), `${UUID}:mytag:1`);
});

Deno.test("GtidReader.read() tells the zero UUID from nothing read yet", () => {
  const zero = GTID.slice();
  zero.fill(0, 20, 36);
  const reader = new GtidReader();
  reader.read(zero, 0, zero.length);
  assertEquals(reader.uuid, "00000000-0000-0000-0000-000000000000");
  const tagged = new GtidReader();
  tagged.read(
    taggedEvent([[1, new Array(16).fill(0)], [2, varlen(2n)]]),
    0,
    19 + 3 + 17 + 2,
  );
  assertEquals(tagged.uuid, "00000000-0000-0000-0000-000000000000");
});

Deno.test("GtidReader.read() reads numbers of every size in both events", () => {
  const reader = new GtidReader();
  for (let bits = 0n; bits < 63n; bits++) {
    for (const gno of [1n << bits, (2n << bits) - 1n]) {
      if (gno > GNO_MAX) continue;
      const plain = GTID.slice();
      new DataView(plain.buffer).setBigUint64(36, gno, true);
      assert(reader.read(plain, 0, plain.length));
      assertEquals(reader.gno, gno);
      const tagged = taggedEvent([UUID_FIELD, [2, varlen(gno << 1n)]]);
      assert(reader.read(tagged, 0, tagged.length));
      assertEquals(reader.gno, gno, `${gno}`);
      assertEquals(reader.uuid, UUID);
    }
  }
});

Deno.test("GtidReader.read() refuses numbers no transaction has", () => {
  const reader = new GtidReader();
  for (const gno of [0n, GNO_MAX + 1n, 2n ** 63n, 2n ** 64n - 1n]) {
    const plain = GTID.slice();
    new DataView(plain.buffer).setBigUint64(36, gno, true);
    assertThrows(() => reader.read(plain, 0, 48), MalformedEventError);
  }
  // The lowest bit is the sign.
  for (
    const code of [0n, 1n, 3n, 2n ** 56n - 1n, 2n ** 64n - 1n, 2n ** 64n - 2n]
  ) {
    const tagged = taggedEvent([UUID_FIELD, [2, varlen(code)]]);
    assertThrows(
      () => reader.read(tagged, 0, tagged.length),
      MalformedEventError,
      undefined,
      `${code}`,
    );
  }
});

Deno.test("GtidReader.read() stops at fields after the tag, known or not", () => {
  const reader = new GtidReader();
  const event = taggedEvent([
    [0, varlen(1n)],
    UUID_FIELD,
    [2, varlen(14n)],
    [3, [...varlen(1n), 0x62]],
    [99, [0xff, 0xff]],
  ]);
  assert(reader.read(event, 0, event.length));
  assertEquals(formatGtid(reader), `${UUID}:b:7`);
});

Deno.test("GtidReader.read() takes a tagged event without the tag field", () => {
  const reader = new GtidReader();
  reader.read(TAGGED, 0, TAGGED.length);
  const event = taggedEvent([UUID_FIELD, [2, varlen(14n)]]);
  assert(reader.read(event, 0, event.length));
  assertEquals(formatGtid(reader), `${UUID}:7`);
});

Deno.test("GtidReader.read() refuses malformed tagged events", () => {
  const gno: [number, number[]] = [2, varlen(2n)];
  const version = TAGGED.slice();
  version[19] = 4;
  const bad: [string, Uint8Array][] = [
    ["version", version],
    ["cut short", taggedEvent([UUID_FIELD, gno], 200)],
    ["missing", taggedEvent([gno])],
    ["missing", taggedEvent([UUID_FIELD])],
    ["missing", taggedEvent([UUID_FIELD, gno], 3)],
    ["UUID", taggedEvent([[1, varlen(256n)], gno])],
    ["tag is too long", taggedEvent([UUID_FIELD, gno, [3, varlen(33n)]])],
    ["tag is too long", taggedEvent([UUID_FIELD, gno, [3, varlen(1n)]])],
    ["characters", taggedEvent([UUID_FIELD, gno, [3, [...varlen(1n), 0x2d]]])],
    ["too large", taggedEvent([[0, varlen(2n ** 60n)]])],
  ];
  for (const [message, event] of bad) {
    assertThrows(
      () => new GtidReader().read(event, 0, event.length),
      MalformedEventError,
      message,
    );
  }
});

Deno.test("GtidReader is right again after an event it refused", () => {
  const reader = new GtidReader();
  reader.read(GTID, 0, GTID.length);
  // The UUID changes in its first byte and is cut after it.
  const cut = taggedEvent([[1, [...varlen(0x11n), ...varlen(300n)]]]);
  assertThrows(() => reader.read(cut, 0, cut.length), MalformedEventError);
  const eleven = GTID.slice();
  eleven[20] = 0x11;
  reader.read(eleven, 0, eleven.length);
  assertEquals(reader.uuid, UUID.replace("d6", "11"));
  reader.read(TAGGED, 0, TAGGED.length);
  assertEquals(reader.uuid, UUID);
});

Deno.test("decodeGtid() throws for an event cut at any length", () => {
  const cases: [Uint8Array, number][] = [[GTID, 44], [TAGGED, 77]];
  for (const [whole, needed] of cases) {
    for (let length = 0; length < whole.length; length++) {
      const cut = whole.slice(0, length);
      assertThrows(() => decodeGtid(cut), MalformedEventError);
      assertThrows(
        () => new GtidReader().read(cut, 0, whole.length),
        MalformedEventError,
      );
      if (length >= 13 && length < needed) {
        assertThrows(() => decodeGtid(resized(cut)), MalformedEventError);
      }
    }
  }
});

Deno.test("decodeGtid() throws for other events", () => {
  const other = GTID.slice();
  other[4] = EventType.QUERY;
  assertThrows(() => decodeGtid(other), MalformedEventError);
});

Deno.test("GtidReader.read() answers damaged bytes with a GTID or MalformedEventError", () => {
  const random = new SeededRandom(7);
  const reader = new GtidReader();
  for (let i = 0; i < 20_000; i++) {
    const event = (random.chance(0.8) ? TAGGED : GTID).slice();
    for (let n = random.integer(1, 4); n > 0; n--) {
      event[random.integer(19, event.length - 1)] = random.integer(0, 255);
    }
    try {
      assert(reader.read(event, 0, event.length));
      assert(reader.gno >= 1n && reader.gno <= GNO_MAX);
      assertEquals(reader.uuid.length, 36);
      assertEquals(decodeGtid(event), {
        uuid: reader.uuid,
        tag: reader.tag,
        gno: reader.gno,
      });
    } catch (error) {
      assert(error instanceof MalformedEventError, `round ${i}: ${error}`);
    }
  }
});
