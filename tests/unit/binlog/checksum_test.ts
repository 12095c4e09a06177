import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  checksumBytes,
  crc32,
  eventChecksumOk,
  writeEventChecksum,
} from "../../../lib/binlog/checksum.ts";
import { MalformedEventError } from "../../../lib/binlog/malformed_event_error.ts";
import {
  loadBinlogFixture,
  loadBinlogFixtures,
} from "../../support/binlog_fixture.ts";

Deno.test("crc32() is the CRC-32 of zlib, unsigned", () => {
  // The check value of the algorithm's catalogue entry.
  assertEquals(crc32(new TextEncoder().encode("123456789")), 0xcbf43926);
  assertEquals(crc32(new Uint8Array()), 0);
});

Deno.test("checksumBytes() is 4 for crc32 and 0 for none", () => {
  assertEquals(checksumBytes("crc32"), 4);
  assertEquals(checksumBytes("none"), 0);
});

Deno.test("eventChecksumOk() is false after any single byte changed", () => {
  const event = loadBinlogFixture("mysql97", "binlog.000001").events[2]!.bytes;
  assert(eventChecksumOk(event));
  for (let i = 0; i < event.length; i++) {
    const damaged = event.slice();
    damaged[i] = damaged[i]! ^ 0x10;
    assert(!eventChecksumOk(damaged), `byte ${i}`);
  }
});

Deno.test("eventChecksumOk() leaves the in-use flag out of a format description", () => {
  for (const server of ["mysql56", "mysql97", "mariadb1011"] as const) {
    const open = loadBinlogFixture(server, "active-in-use-flag.binlog");
    const event = open.events[0]!.bytes;
    assertEquals(event[17]! & 1, 1);
    assert(eventChecksumOk(event));
    const other = event.slice();
    other[17] = 2;
    assert(!eventChecksumOk(other), "another flag counts");
  }
});

Deno.test("eventChecksumOk() counts the same bit in other events", () => {
  const event = loadBinlogFixture("mysql97", "binlog.000001").events[2]!.bytes
    .slice();
  event[17] = event[17]! | 1;
  assert(!eventChecksumOk(event));
  writeEventChecksum(event);
  assert(eventChecksumOk(event));
});

Deno.test("eventChecksumOk() is false for an event without room for one", () => {
  for (let length = 0; length < 23; length++) {
    assert(!eventChecksumOk(new Uint8Array(length)));
  }
});

Deno.test("writeEventChecksum() writes what the server wrote", () => {
  for (const server of ["mysql56", "mysql97", "mariadb1011"] as const) {
    for (const { events, algorithm } of loadBinlogFixtures(server)) {
      if (algorithm === "none") continue;
      for (const { bytes } of events) {
        const copy = bytes.slice();
        copy.fill(0, copy.length - 4);
        writeEventChecksum(copy);
        assertEquals(copy.subarray(-4), bytes.subarray(-4));
      }
    }
  }
});

Deno.test("writeEventChecksum() throws when there is no room", () => {
  for (let length = 0; length < 23; length++) {
    assertThrows(
      () => writeEventChecksum(new Uint8Array(length)),
      MalformedEventError,
    );
  }
});
