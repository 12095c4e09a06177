import { assert, assertEquals, assertThrows } from "@std/assert";
import { EventType } from "../../../lib/binlog/event_type.ts";
import { MalformedEventError } from "../../../lib/binlog/malformed_event_error.ts";
import {
  decodeMariadbGtidEvent,
  MariadbGtidExtraFlag,
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

const XA = gtidEvent(`
  0500000000000000     // sequence number
  02000000             // domain
  c6                   // flags: transactional, commit id, XA both ways
  0807060504030201     // commit id
  01000000 02 01       // format id, bytes of the global part and of the branch
  "x1" "b"
  05                   // extra flags: engines, COMMIT ALTER
  02                   // engines
  0400000000000000     // the START ALTER
`);

Deno.test("MariadbGtidReader reads the GTIDs of every MariaDB file", () => {
  const reader = new MariadbGtidReader();
  let read = 0;
  for (
    const { truth, events, bytes, algorithm } of loadBinlogFixtures(
      "mariadb1011",
    )
  ) {
    const gtids: string[] = [];
    for (const { position, type, bytes: event } of events) {
      const found = reader.read(bytes, position, event.length);
      assertEquals(found, type === EventType.MARIADB_GTID);
      if (!found) continue;
      gtids.push(formatMariadbGtid(reader.gtid));
      const decoded = decodeMariadbGtidEvent(event, algorithm);
      assertEquals(decoded.gtid, reader.gtid);
      assertEquals(decoded.flags, reader.flags);
      read++;
    }
    assertEquals(gtids, truth.gtids_in_file);
  }
  assert(read > 30);
});

Deno.test("decodeMariadbGtidEvent() reads the XID of a real XA transaction", () => {
  const xids: string[] = [];
  for (const { events, algorithm } of loadBinlogFixtures("mariadb1011")) {
    for (const { type, bytes } of events) {
      if (type !== EventType.MARIADB_GTID) continue;
      const { xid, flags } = decodeMariadbGtidEvent(bytes, algorithm);
      if (xid === undefined) continue;
      const kind = (flags & MariadbGtidFlag.PREPARED_XA) !== 0
        ? "prepared"
        : "completed";
      const id = new TextDecoder().decode(xid.globalId);
      xids.push(`${kind} ${id}/${xid.branch.length}/${xid.formatId}`);
    }
  }
  assertEquals(xids.slice(0, 2), ["prepared x1/0/1", "completed x1/0/1"]);
});

Deno.test("decodeMariadbGtidEvent() reads all that the flags say", () => {
  const decoded = decodeMariadbGtidEvent(XA, "none");
  assertEquals(decoded, {
    gtid: { domain: 2, server: 1, sequence: 5n },
    flags: 0xc6,
    commitId: 0x0102030405060708n,
    xid: {
      formatId: 1,
      globalId: new TextEncoder().encode("x1"),
      branch: new TextEncoder().encode("b"),
    },
    extraFlags: MariadbGtidExtraFlag.MULTI_ENGINE |
      MariadbGtidExtraFlag.COMMIT_ALTER,
    startAlterSequence: 4n,
  });
});

Deno.test("decodeMariadbGtidEvent() reads the first half of an ALTER TABLE", () => {
  const decoded = decodeMariadbGtidEvent(
    gtidEvent(`
      ffffffffffffffff   // sequence number
      ffffffff           // domain
      29                 // flags: standalone, parallel, DDL
      02                 // extra flags: START ALTER
      0000000000         // up to 19 bytes
    `),
    "none",
  );
  assertEquals(decoded.gtid.sequence, 2n ** 64n - 1n);
  assertEquals(decoded.gtid.domain, 0xffff_ffff);
  assertEquals(decoded.extraFlags, MariadbGtidExtraFlag.START_ALTER);
  assertEquals(decoded.startAlterSequence, undefined);
});

Deno.test("decodeMariadbGtidEvent() throws for an event cut at any length", () => {
  for (let length = 0; length < XA.length; length++) {
    const cut = XA.slice(0, length);
    assertThrows(
      () => decodeMariadbGtidEvent(cut, "none"),
      MalformedEventError,
    );
    if (length < 13) continue;
    cut[9] = length;
    // A server of before 10.8 ends after the XID.
    if (length === 19 + 13 + 8 + 9) {
      assertEquals(decodeMariadbGtidEvent(cut, "none").extraFlags, 0);
      continue;
    }
    assertThrows(
      () => decodeMariadbGtidEvent(cut, "none"),
      MalformedEventError,
    );
  }
  const other = bareEvent(EventType.GTID, { body: new Uint8Array(42) });
  assertThrows(
    () => decodeMariadbGtidEvent(other, "crc32"),
    MalformedEventError,
  );
  assertThrows(
    () => new MariadbGtidReader().read(XA, 0, XA.length + 1),
    MalformedEventError,
  );
});
