import { Buffer } from "node:buffer";
import {
  assert,
  assertEquals,
  assertNotEquals,
  assertThrows,
} from "@std/assert";
import {
  eventChecksumOk,
  writeEventChecksum,
} from "../../../lib/binlog/checksum.ts";
import { decodeEventHeader } from "../../../lib/binlog/event_header.ts";
import {
  decodeFormatDescription,
  patchFormatDescription,
} from "../../../lib/binlog/format_description.ts";
import { MalformedEventError } from "../../../lib/binlog/malformed_event_error.ts";
import {
  FIXTURE_SERVERS,
  loadBinlogFixture,
  loadBinlogFixtures,
} from "../../support/binlog_fixture.ts";
import { byteTable, hex } from "../../support/byte_table.ts";

const EVENT = loadBinlogFixture("mysql97", "binlog.000001").events[0]!.bytes;

// 19 header, 2 binlog version, 50 server version, 4 created, 1 header length.
const VERSION_OFFSET = 21;
const HEADER_LENGTH_OFFSET = 75;

/** A copy that says its own length, so that only the body is cut. */
function cut(event: Uint8Array, length: number): Uint8Array {
  const copy = event.slice(0, length);
  new DataView(copy.buffer).setUint32(9, length, true);
  return copy;
}

function withVersion(version: string, event = EVENT): Uint8Array {
  const copy = event.slice();
  copy.fill(0, VERSION_OFFSET, VERSION_OFFSET + 50);
  copy.set(new TextEncoder().encode(version), VERSION_OFFSET);
  return copy;
}

Deno.test("decodeFormatDescription() agrees with the ground truth of every file", () => {
  for (const server of FIXTURE_SERVERS) {
    for (const { events, truth } of loadBinlogFixtures(server)) {
      assertEquals(decodeFormatDescription(events[0]!.bytes), {
        binlogVersion: truth.fde.binlog_version,
        serverVersion: truth.fde.server_version,
        createdAt: truth.fde.create_timestamp,
        headerBytes: 19,
        postHeaderBytes: Uint8Array.from(truth.fde.post_header_lengths),
        checksumAlgorithm: truth.fde.checksum_alg === 1 ? "crc32" : "none",
      });
    }
  }
});

Deno.test("decodeFormatDescription() reads an event as a 5.5 server writes it", () => {
  // Layout as in MySQL 5.5: 27 event types, no algorithm and no checksum.
  const event = byteTable(`
    00f15365 0f 01000000 67000000 6b000000 0000  // header: 103 bytes
    0400                                         // binlog version
    "5.5.62-log" ${"00".repeat(40)}              // server version
    00f15365                                     // created
    13                                           // header length
    380d0008001200040404041200                   // post-headers
    00540004 1a080000000808080200
  `);
  assertEquals(event.length, 103);
  const description = decodeFormatDescription(event);
  assertEquals(description.serverVersion, "5.5.62-log");
  assertEquals(description.checksumAlgorithm, "none");
  assertEquals(description.postHeaderBytes.length, 27);
  const patched = patchFormatDescription(event, { clearPosition: true });
  const expected = event.slice();
  expected.fill(0, 13, 17);
  expected.fill(0, 71, 75);
  assertEquals(hex(patched), hex(expected));
});

Deno.test("decodeFormatDescription() decides by the version whether a checksum is there", () => {
  const types = decodeFormatDescription(EVENT).postHeaderBytes.length;
  const cases: [string, boolean][] = [
    ["5.6.0-m4", false],
    ["5.6.1", true],
    ["5.5.99", false],
    ["5.7.44-log", true],
    ["8.0.11", true],
    ["8.4", true],
    ["10.11.6-MariaDB", true],
    ["5.3.12-MariaDB", true],
    ["5.2.14-MariaDB", false],
    ["5.3.12", false],
    ["4.1.22", false],
    ["x", false],
    ["", false],
    ["8", false],
    ["300.1.1", false],
    ["8.300.1", false],
  ];
  for (const [version, present] of cases) {
    const { postHeaderBytes } = decodeFormatDescription(withVersion(version));
    assertEquals(postHeaderBytes.length, present ? types : types + 5, version);
  }
});

Deno.test("decodeFormatDescription() reads a version that fills its field", () => {
  const version = "8.0." + "1".repeat(46);
  assertEquals(
    decodeFormatDescription(withVersion(version)).serverVersion,
    version,
  );
});

Deno.test("decodeFormatDescription() throws for an event cut at any length", () => {
  for (let length = 0; length < EVENT.length; length++) {
    assertThrows(
      () => decodeFormatDescription(EVENT.subarray(0, length)),
      MalformedEventError,
    );
  }
  // With a size that agrees, too little is there up to the first post-headers.
  for (let length = 0; length < HEADER_LENGTH_OFFSET + 1 + 2 + 5; length++) {
    assertThrows(
      () => decodeFormatDescription(cut(EVENT, Math.max(length, 13))),
      MalformedEventError,
    );
  }
});

Deno.test("decodeFormatDescription() refuses formats that could be misread", () => {
  const change = (offset: number, value: number): Uint8Array => {
    const copy = EVENT.slice();
    copy[offset] = value;
    return copy;
  };
  const bad: [string, Uint8Array][] = [
    ["its type is 4", change(4, 4)],
    ["binlog version 3", change(19, 3)],
    ["headers of 20", change(HEADER_LENGTH_OFFSET, 20)],
    ["headers of 13", change(HEADER_LENGTH_OFFSET, 13)],
    ["checksum algorithm 2", change(EVENT.length - 5, 2)],
    ["checksum algorithm 255", change(EVENT.length - 5, 255)],
    ["QUERY events with 11", change(HEADER_LENGTH_OFFSET + 2, 11)],
  ];
  for (const [message, event] of bad) {
    assertThrows(
      () => decodeFormatDescription(event),
      MalformedEventError,
      message,
    );
  }
});

Deno.test("patchFormatDescription() gives what the server wrote on closing the file", () => {
  const pairs = [
    ["mysql97", "binlog.000009"],
    ["mysql56", "binlog.000004"],
    ["mariadb1011", "binlog.000005"],
  ] as const;
  for (const [server, closed] of pairs) {
    const open = loadBinlogFixture(server, "active-in-use-flag.binlog");
    const event = open.events[0]!.bytes;
    const before = hex(event);
    const patched = patchFormatDescription(event, { clearPosition: false });
    assertEquals(
      hex(patched),
      hex(loadBinlogFixture(server, closed).events[0]!.bytes),
    );
    assertEquals(hex(event), before, "the stored event stays");
    assertNotEquals(patched.buffer, event.buffer);
  }
});

Deno.test("patchFormatDescription() leaves what it is given as it was, also a Buffer", () => {
  const { bytes } = loadBinlogFixture("mysql97", "binlog.000009").events[0]!;
  const event = Buffer.from(bytes);
  patchFormatDescription(event, { clearPosition: true });
  patchFormatDescription(event, { clearPosition: false, clearCreated: true });
  assertEquals(hex(event), hex(bytes));
});

Deno.test("patchFormatDescription() clears position and creation time for a dump by position", () => {
  for (const server of FIXTURE_SERVERS) {
    for (const { events } of loadBinlogFixtures(server)) {
      const event = events[0]!.bytes;
      const patched = patchFormatDescription(event, { clearPosition: true });
      const expected = event.slice();
      expected[17] = expected[17]! & ~1;
      expected.fill(0, 13, 17);
      expected.fill(0, 71, 75);
      // Servers leave it as it was where their files have no checksums.
      const { checksumAlgorithm } = decodeFormatDescription(event);
      if (checksumAlgorithm !== "none") writeEventChecksum(expected);
      assertEquals(hex(patched), hex(expected));
      writeEventChecksum(expected);
      assertEquals(
        hex(
          patchFormatDescription(event, { clearPosition: true, resum: true }),
        ),
        hex(expected),
      );
      assertEquals(decodeEventHeader(patched).logPos, 0);
      assertEquals(decodeFormatDescription(patched).createdAt, 0);
    }
  }
});

Deno.test("patchFormatDescription() clears the creation time alone for a dump by GTID", () => {
  const patched = patchFormatDescription(EVENT, {
    clearPosition: false,
    clearCreated: true,
  });
  assert(decodeFormatDescription(EVENT).createdAt > 0);
  assertEquals(decodeFormatDescription(patched).createdAt, 0);
  assertEquals(decodeEventHeader(patched).logPos, 127);
  assert(eventChecksumOk(patched));
});

Deno.test("patchFormatDescription() throws for what is not a format description", () => {
  const other = loadBinlogFixture("mysql97", "binlog.000001").events[1]!.bytes;
  assertThrows(
    () => patchFormatDescription(other, { clearPosition: true }),
    MalformedEventError,
  );
});
