import { assert, assertEquals, assertThrows } from "@std/assert";
import { EventType } from "../../../lib/binlog/event_type.ts";
import { MalformedEventError } from "../../../lib/binlog/malformed_event_error.ts";
import {
  MariadbGtidFlag,
  MariadbGtidReader,
} from "../../../lib/binlog/mariadb_gtid_event.ts";
import { formatMariadbGtid } from "../../../lib/gtid/mariadb_gtid.ts";
import { loadBinlogFixtures } from "../../support/binlog_fixture.ts";
import { byteTable } from "../../support/byte_table.ts";
import { bareEvent } from "../../support/made_events.ts";

/** A GTID event with this body, of server 1 and without a checksum. */
function gtidEvent(table: string): Uint8Array {
  const event = bareEvent(EventType.MARIADB_GTID, {
    body: byteTable(table),
    trailerBytes: 0,
  });
  event[5] = 1;
  return event;
}

const LARGEST = gtidEvent(`
  ffffffffffffffff     // sequence number
  ffffffff             // domain
  29                   // flags: standalone, parallel, DDL
  02                   // further flags: START ALTER
  0000000000           // up to 19 bytes
`);

Deno.test("MariadbGtidReader reads the GTIDs of every MariaDB file", () => {
  const reader = new MariadbGtidReader();
  let read = 0;
  for (
    const { truth, events, bytes } of loadBinlogFixtures("mariadb1011")
  ) {
    const gtids: string[] = [];
    for (const { position, type, bytes: event } of events) {
      const found = reader.read(bytes, position, event.length);
      assertEquals(found, type === EventType.MARIADB_GTID);
      if (!found) continue;
      gtids.push(formatMariadbGtid(reader.gtid));
      read++;
    }
    assertEquals(gtids, truth.gtids_in_file);
  }
  assert(read > 30);
});

Deno.test("MariadbGtidReader reads the largest numbers, and all flags", () => {
  const reader = new MariadbGtidReader();
  assert(reader.read(LARGEST, 0, LARGEST.length));
  assertEquals(reader.gtid, {
    domain: 0xffff_ffff,
    server: 1,
    sequence: 2n ** 64n - 1n,
  });
  assertEquals(
    reader.flags,
    MariadbGtidFlag.STANDALONE | MariadbGtidFlag.ALLOW_PARALLEL |
      MariadbGtidFlag.DDL,
  );
});

Deno.test("MariadbGtidReader throws for an event cut at any length", () => {
  const reader = new MariadbGtidReader();
  for (let length = 0; length < LARGEST.length; length++) {
    const cut = LARGEST.slice(0, length);
    assertThrows(() => reader.read(cut, 0, length), MalformedEventError);
    assertThrows(
      () => reader.read(cut, 0, LARGEST.length),
      MalformedEventError,
    );
  }
});

Deno.test("MariadbGtidReader stays as it is for an event of another type", () => {
  const reader = new MariadbGtidReader();
  assert(reader.read(LARGEST, 0, LARGEST.length));
  const before = reader.gtid;
  const other = bareEvent(EventType.GTID, { body: new Uint8Array(42) });
  assertEquals(reader.read(other, 0, other.length), false);
  assertEquals(reader.gtid, before);
});
