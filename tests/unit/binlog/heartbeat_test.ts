import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  eventChecksumOk,
  writeEventChecksum,
} from "../../../lib/binlog/checksum.ts";
import {
  decodeHeartbeat,
  encodeHeartbeat,
} from "../../../lib/binlog/heartbeat.ts";
import { MalformedEventError } from "../../../lib/binlog/malformed_event_error.ts";
import { byteTable, hex } from "../../support/byte_table.ts";
import { SeededRandom } from "../../support/seeded_random.ts";

// As MySQL 9.7 sends it at position 1159 of its first file.
const VERSION_2 = byteTable(`
  00000000            // timestamp
  29                  // type 41
  e5250000            // server id
  2b000000            // 43 bytes
  87040000            // position, low 32 bits
  0000                // flags
  01 0d "binlog.000001"
  02 03 fc8704        // position, its length first
  00                  // end
`);
VERSION_2[9] = VERSION_2.length;

const VERSION_1 = byteTable(`
  00000000
  1b                  // type 27
  e5250000
  20000000            // 32 bytes
  87040000            // position
  0000
  "binlog.000001"
`);

const OPTIONS = {
  serverId: 9701,
  fileName: "binlog.000001",
  position: 1159n,
  algorithm: "none",
} as const;

Deno.test("encodeHeartbeat() writes both versions as MySQL does", () => {
  assertEquals(
    hex(encodeHeartbeat({ ...OPTIONS, version: 2 })),
    hex(VERSION_2),
  );
  assertEquals(
    hex(encodeHeartbeat({ ...OPTIONS, version: 1 })),
    hex(VERSION_1),
  );
});

Deno.test("encodeHeartbeat() ends with a checksum where the file's events do", () => {
  for (const version of [1, 2] as const) {
    const plain = encodeHeartbeat({ ...OPTIONS, version });
    const summed = encodeHeartbeat({ ...OPTIONS, version, algorithm: "crc32" });
    const expected = new Uint8Array(plain.length + 4);
    expected.set(plain);
    expected[9] = expected.length;
    writeEventChecksum(expected);
    assertEquals(hex(summed), hex(expected));
    assert(eventChecksumOk(summed));
  }
});

Deno.test("encodeHeartbeat() and decodeHeartbeat() agree at every size of position", () => {
  const positions = [
    4n,
    250n,
    251n,
    0xffffn,
    0x1_0000n,
    0xff_ffffn,
    0x100_0000n,
    0xffff_ffffn,
    0x1_0000_0000n,
    2n ** 63n,
    2n ** 64n - 1n,
  ];
  for (const position of positions) {
    for (const algorithm of ["none", "crc32"] as const) {
      for (
        const fileName of [
          "b",
          "binlog.000001",
          "n".repeat(251),
          "n".repeat(511),
        ]
      ) {
        const options = { serverId: 1, fileName, position, algorithm };
        assertEquals(
          decodeHeartbeat(
            encodeHeartbeat({ ...options, version: 2 }),
            algorithm,
          ),
          { fileName, position },
        );
        assertEquals(
          decodeHeartbeat(
            encodeHeartbeat({ ...options, version: 1 }),
            algorithm,
          ),
          { fileName, position: position & 0xffff_ffffn },
        );
      }
    }
  }
});

Deno.test("decodeHeartbeat() passes over fields of later versions", () => {
  const event = byteTable(`
    00000000 29 01000000 00000000 00000000 0000
    07 02 abcd           // unknown
    02 01 09
    fc0001 03 000000     // unknown, its number takes three bytes
    01 01 "b"            // and no end mark
  `);
  event[9] = event.length;
  assertEquals(decodeHeartbeat(event, "none"), { fileName: "b", position: 9n });
});

Deno.test("decodeHeartbeat() throws for an event cut at any length", () => {
  for (const whole of [VERSION_1, VERSION_2]) {
    for (let length = 0; length < whole.length; length++) {
      const cut = whole.slice(0, length);
      assertThrows(() => decodeHeartbeat(cut, "none"), MalformedEventError);
    }
  }
  // With a size that agrees; only the end mark may be missing.
  for (let length = 13; length < VERSION_2.length - 1; length++) {
    const cut = VERSION_2.slice(0, length);
    cut[9] = length;
    assertThrows(() => decodeHeartbeat(cut, "none"), MalformedEventError);
  }
});

Deno.test("decodeHeartbeat() refuses fields that do not fit", () => {
  const bodies = [
    "02 01 09 00", // No name.
    `01 01 "b" 00`, // No position.
    `01 00 02 01 09 00`, // Empty name.
    `01 01 "b" 02 03 09 00`, // Position shorter than it says.
    `01 01 "b" 02 01 fc0004`, // Position longer than it says.
    `01 feffffffffffffffff "b"`,
    `01 fb "b"`,
    `ff`,
  ];
  for (const body of bodies) {
    const event = byteTable(
      `00000000 29 01000000 00000000 00000000 0000 ${body}`,
    );
    event[9] = event.length;
    assertThrows(() => decodeHeartbeat(event, "none"), MalformedEventError);
  }
  const other = VERSION_2.slice();
  other[4] = 4;
  assertThrows(() => decodeHeartbeat(other, "none"), MalformedEventError);
});

Deno.test("decodeHeartbeat() answers damaged bytes with a heartbeat or MalformedEventError", () => {
  const random = new SeededRandom(1);
  for (let i = 0; i < 5000; i++) {
    const event = VERSION_2.slice();
    for (let n = random.integer(1, 3); n > 0; n--) {
      event[random.integer(19, event.length - 1)] = random.integer(0, 255);
    }
    try {
      decodeHeartbeat(event, "none");
    } catch (error) {
      assert(error instanceof MalformedEventError, `round ${i}: ${error}`);
    }
  }
});

Deno.test("encodeHeartbeat() makes MariaDB's heartbeat with a position of more than 32 bits", () => {
  for (const algorithm of ["crc32", "none"] as const) {
    for (const position of [4n, 0xffff_ffffn, 0x1_0000_0000n, 1n << 40n]) {
      const event = encodeHeartbeat({
        serverId: 1,
        fileName: "binlog.000001",
        position,
        algorithm,
        version: "mariadb",
      });
      assertEquals(event[4], 27);
      assertEquals(decodeHeartbeat(event, algorithm), {
        fileName: "binlog.000001",
        position,
      });
    }
  }
});
