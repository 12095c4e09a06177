import { assertEquals, assertThrows } from "@std/assert";
import {
  eventChecksumOk,
  writeEventChecksum,
} from "../../../lib/binlog/checksum.ts";
import {
  decodeEventHeader,
  HEADER_BYTES,
} from "../../../lib/binlog/event_header.ts";
import { EventType } from "../../../lib/binlog/event_type.ts";
import { MalformedEventError } from "../../../lib/binlog/malformed_event_error.ts";
import { MariadbStandIn } from "../../../lib/binlog/mariadb_stand_in.ts";
import { decodeQuery } from "../../../lib/binlog/query_event.ts";

/** An event of that type and size, with a checksum. */
function eventOf(type: number, size: number, flags = 0x4): Uint8Array {
  const event = new Uint8Array(size).fill(0x61);
  const view = new DataView(event.buffer);
  view.setUint32(0, 1_700_000_000, true); // timestamp
  event[4] = type;
  view.setUint32(5, 7101, true); // server id
  view.setUint32(9, size, true);
  view.setUint32(13, 4711, true); // end position
  view.setUint16(17, flags, true);
  writeEventChecksum(event);
  return event;
}

function whole(standIn: MariadbStandIn, size: number): Uint8Array {
  const event = new Uint8Array(size).fill(0xee);
  standIn.fill(event, 0, size);
  return event;
}

function dummyOf(event: Uint8Array): Uint8Array {
  return whole(MariadbStandIn.dummy(event, 0, "crc32"), event.length);
}

function bodyOf(event: Uint8Array): string {
  return event.subarray(HEADER_BYTES, event.length - 4).toHex();
}

Deno.test("MariadbStandIn.dummy() is what MariaDB 10.11 sends for an empty Gtid_list", () => {
  // captured, but for the checksum
  const event = eventOf(EventType.MARIADB_GTID_LIST, 29, 0);
  const made = dummyOf(event);
  assertEquals(made[4], EventType.USER_VAR);
  assertEquals(
    bodyOf(made),
    "01000000" + // bytes of the name
      "21" + // "!"
      "01", // it is NULL
  );
});

Deno.test("MariadbStandIn.dummy() is what MariaDB 10.11 sends for a checkpoint", () => {
  const made = dummyOf(eventOf(EventType.MARIADB_BINLOG_CHECKPOINT, 40, 0));
  assertEquals(made[4], EventType.QUERY);
  assertEquals(
    bodyOf(made),
    "00000000" + // thread id
      "00000000" + // time
      "00" + // bytes of the schema's name
      "0000" + // error
      "0000" + // bytes of status variables
      "00" + // the schema's name
      "232044", // "# D"
  );
});

Deno.test("MariadbStandIn.dummy() keeps size, time, server id and position of any event", () => {
  for (let size = 29; size < 140; size++) {
    const event = eventOf(EventType.MARIADB_ANNOTATE_ROWS, size);
    const made = dummyOf(event);
    assertEquals(eventChecksumOk(made), true, `${size} bytes`);
    const { type: _, flags, ...header } = decodeEventHeader(made);
    const { type: __, flags: ___, ...before } = decodeEventHeader(event);
    assertEquals(header, before);
    // it runs in no session, and needs no USE
    assertEquals(flags, 0x8);
    if (size < 29 + 9) continue;
    const { statement } = decodeQuery(made, "crc32");
    const text =
      "# Dummy event replacing event type 160 that slave cannot handle.";
    assertEquals(
      statement,
      text.slice(0, statement.length).padEnd(statement.length),
    );
  }
});

Deno.test("MariadbStandIn.dummy() works without checksums", () => {
  const event = eventOf(EventType.MARIADB_ANNOTATE_ROWS, 120);
  const made = whole(MariadbStandIn.dummy(event, 0, "none"), 120);
  assertEquals(decodeQuery(made, "none").statement.length, 120 - 33);
});

Deno.test("MariadbStandIn.dummy() refuses events that are too small", () => {
  for (let size = 23; size < 29; size++) {
    const event = eventOf(EventType.MARIADB_ANNOTATE_ROWS, size);
    assertThrows(
      () => MariadbStandIn.dummy(event, 0, "crc32"),
      MalformedEventError,
      "Cannot replace an event of type 160",
    );
  }
});

Deno.test("MariadbStandIn.begin() is what MariaDB sends for GTID events of any size", () => {
  const statusOf = (size: number): string => {
    const event = eventOf(EventType.MARIADB_GTID, size);
    const made = whole(MariadbStandIn.begin(event, 0, "crc32"), size);
    assertEquals(eventChecksumOk(made), true);
    assertEquals(decodeQuery(made, "crc32").statement, "BEGIN");
    const count = made[HEADER_BYTES + 11]!;
    return made.subarray(HEADER_BYTES + 13, HEADER_BYTES + 13 + count).toHex();
  };
  assertEquals(statusOf(42), "");
  // with the id of a group commit: an empty time zone
  assertEquals(statusOf(44), "0500");
  // with an XID, as captured from MariaDB 11.8
  assertEquals(statusOf(50), "ffffffffffffffff");
});

Deno.test("MariadbStandIn.begin() refuses what is no GTID event", () => {
  for (let size = 23; size < 42; size++) {
    const event = eventOf(EventType.MARIADB_GTID, size);
    assertThrows(
      () => MariadbStandIn.begin(event, 0, "crc32"),
      MalformedEventError,
    );
  }
});

Deno.test("MariadbStandIn fills an event piece by piece as at once", () => {
  const size = 300;
  const event = eventOf(EventType.MARIADB_ANNOTATE_ROWS, size);
  const expected = dummyOf(event).toHex();
  for (let piece = 1; piece <= size; piece++) {
    const standIn = MariadbStandIn.dummy(event, 0, "crc32");
    const made = new Uint8Array(size + 7);
    for (let at = 0; at < size; at += piece) {
      standIn.fill(made, 7 + at, 7 + Math.min(at + piece, size));
    }
    assertEquals(made.subarray(7).toHex(), expected, `pieces of ${piece}`);
  }
});
