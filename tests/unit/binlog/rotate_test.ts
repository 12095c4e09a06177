import { assert, assertEquals, assertThrows } from "@std/assert";
import { eventChecksumOk } from "../../../lib/binlog/checksum.ts";
import { decodeEventHeader } from "../../../lib/binlog/event_header.ts";
import { MalformedEventError } from "../../../lib/binlog/malformed_event_error.ts";
import {
  decodeRotate,
  encodeArtificialRotate,
  renameRotate,
} from "../../../lib/binlog/rotate.ts";
import {
  FIXTURE_SERVERS,
  loadBinlogFixtures,
} from "../../support/binlog_fixture.ts";
import { byteTable, hex } from "../../support/byte_table.ts";

// The first event of a dump, as captured from MySQL 9.7.
const CAPTURED = byteTable(`
  00000000          // timestamp
  04                // type
  e5250000          // server id 9701
  2c000000          // 44 bytes
  00000000          // position
  2000              // artificial
  0400000000000000  // position of the next event
  "binlog.000001"
  83109a72          // checksum
`);

Deno.test("encodeArtificialRotate() writes the bytes MySQL sends", () => {
  const options = { serverId: 9701, fileName: "binlog.000001", position: 4n };
  assertEquals(
    hex(encodeArtificialRotate({ ...options, algorithm: "crc32" })),
    hex(CAPTURED),
  );
  const without = encodeArtificialRotate({ ...options, algorithm: "none" });
  const expected = CAPTURED.slice(0, 40);
  expected[9] = 40;
  assertEquals(hex(without), hex(expected));
});

Deno.test("encodeArtificialRotate() and decodeRotate() carry 64-bit positions", () => {
  for (const position of [0n, 4n, 2n ** 32n, 2n ** 53n + 1n, 2n ** 64n - 1n]) {
    for (const algorithm of ["none", "crc32"] as const) {
      const event = encodeArtificialRotate({
        serverId: 0xffff_ffff,
        fileName: "höhe.999999",
        position,
        algorithm,
      });
      assertEquals(decodeRotate(event, algorithm), {
        position,
        fileName: "höhe.999999",
      });
      assertEquals(eventChecksumOk(event), algorithm === "crc32");
    }
  }
});

Deno.test("encodeArtificialRotate() refuses file names no server takes", () => {
  for (const fileName of ["", "a\0b", "x".repeat(512)]) {
    assertThrows(
      () =>
        encodeArtificialRotate({
          serverId: 1,
          fileName,
          position: 4n,
          algorithm: "none",
        }),
      RangeError,
    );
  }
});

Deno.test("decodeRotate() reads the last event of every rotated file", () => {
  let seen = 0;
  for (const server of FIXTURE_SERVERS) {
    for (const { events, algorithm } of loadBinlogFixtures(server)) {
      const { bytes, truth } = events.at(-1)!;
      if (truth.rotate_to === undefined) continue;
      const [fileName, position] = truth.rotate_to;
      assertEquals(decodeRotate(bytes, algorithm), {
        fileName,
        position: BigInt(position),
      });
      seen++;
    }
  }
  assert(seen >= 15);
});

Deno.test("decodeRotate() throws for an event cut at any length", () => {
  for (let length = 0; length < CAPTURED.length; length++) {
    const cut = CAPTURED.slice(0, length);
    assertThrows(() => decodeRotate(cut, "crc32"), MalformedEventError);
    // With a size that agrees, up to the first byte of the name.
    if (length >= 13 && length < 19 + 8 + 1 + 4) {
      cut[9] = length;
      assertThrows(() => decodeRotate(cut, "crc32"), MalformedEventError);
    }
  }
});

Deno.test("decodeRotate() refuses other events and NUL in the name", () => {
  const other = CAPTURED.slice();
  other[4] = 3;
  assertThrows(() => decodeRotate(other, "crc32"), MalformedEventError);
  const nul = CAPTURED.slice();
  nul[30] = 0;
  assertThrows(() => decodeRotate(nul, "crc32"), MalformedEventError);
  // Taken for an event without a checksum, its checksum would join the name.
  assertEquals(decodeRotate(CAPTURED, "none").fileName.length, 17);
});

Deno.test("renameRotate() leads a file's rotate to another name", () => {
  let seen = 0;
  for (const server of FIXTURE_SERVERS) {
    for (const { events, algorithm } of loadBinlogFixtures(server)) {
      const { bytes, truth, position: startPosition } = events.at(-1)!;
      if (truth.rotate_to === undefined) continue;
      const [same] = truth.rotate_to;
      const options = { startPosition, algorithm };
      assertEquals(renameRotate(bytes, { ...options, fileName: same }), bytes);
      const fileName = "other.1000000";
      const renamed = renameRotate(bytes, { ...options, fileName });
      assertEquals(decodeRotate(renamed, algorithm), {
        fileName,
        position: 4n,
      });
      assertEquals(
        renamed.length,
        bytes.length + fileName.length - same.length,
      );
      const { timestamp, serverId, flags, logPos } = decodeEventHeader(renamed);
      assertEquals([timestamp, serverId, flags], [
        truth.timestamp,
        truth.server_id,
        truth.flags,
      ]);
      assertEquals(logPos, startPosition + renamed.length);
      if (algorithm === "crc32") assert(eventChecksumOk(renamed));
      seen++;
    }
  }
  assert(seen >= 15);
});
