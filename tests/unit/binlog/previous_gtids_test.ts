import { assert, assertEquals, assertThrows } from "@std/assert";
import { GtidSet } from "../../../lib/gtid/gtid_set.ts";
import {
  eventChecksumOk,
  writeEventChecksum,
} from "../../../lib/binlog/checksum.ts";
import { decodeEventHeader } from "../../../lib/binlog/event_header.ts";
import { EventType } from "../../../lib/binlog/event_type.ts";
import { MalformedEventError } from "../../../lib/binlog/malformed_event_error.ts";
import {
  decodePreviousGtids,
  encodePreviousGtids,
} from "../../../lib/binlog/previous_gtids.ts";
import { loadBinlogFixtures } from "../../support/binlog_fixture.ts";
import { hex } from "../../support/byte_table.ts";

Deno.test("decodePreviousGtids() and encodePreviousGtids() agree with every MySQL file", () => {
  let tagged = 0;
  for (const server of ["mysql56", "mysql97"] as const) {
    for (const { truth, events, algorithm } of loadBinlogFixtures(server)) {
      const event = events[1]!;
      assertEquals(event.type, EventType.PREVIOUS_GTIDS);
      const set = decodePreviousGtids(event.bytes, algorithm);
      assertEquals(set.toString(), truth.previous_gtids);
      const header = decodeEventHeader(event.bytes);
      const made = encodePreviousGtids(set, {
        timestamp: header.timestamp,
        serverId: header.serverId,
        position: event.position,
        algorithm,
        // 9.7 writes even the empty set in the tagged form once it has seen a tag.
        tagged: event.bytes[26] === 1,
      });
      if (server === "mysql56") {
        // 5.6 does not mark the event as ignorable yet.
        assertEquals(header.flags, 0);
        made[17] = 0;
        if (algorithm === "crc32") writeEventChecksum(made);
      }
      assertEquals(hex(made), hex(event.bytes));
      if (set.hasTags) tagged++;
    }
  }
  assert(tagged > 5);
});

Deno.test("encodePreviousGtids() writes the tagged form when asked", () => {
  const made = encodePreviousGtids(new GtidSet(), {
    timestamp: 1,
    serverId: 2,
    position: 123,
    algorithm: "crc32",
    tagged: true,
  });
  assertEquals(hex(made.subarray(19, 27)), "0100000000000001");
  assertEquals(decodeEventHeader(made).logPos, 123 + 31);
  assertEquals(decodeEventHeader(made).flags, 0x80);
  assert(eventChecksumOk(made));
  assert(decodePreviousGtids(made, "crc32").isEmpty);
});

Deno.test("decodePreviousGtids() throws for an event cut at any length", () => {
  const set = GtidSet.parse(
    "d63952fd-e6f6-11f1-a979-02fc00000001:1-6:tag:1-2",
  );
  const whole = encodePreviousGtids(set, {
    timestamp: 1,
    serverId: 2,
    position: 4,
    algorithm: "none",
  });
  for (let length = 0; length < whole.length; length++) {
    const cut = whole.slice(0, length);
    assertThrows(() => decodePreviousGtids(cut, "none"), MalformedEventError);
    if (length >= 13) {
      cut[9] = length;
      assertThrows(() => decodePreviousGtids(cut, "none"), MalformedEventError);
    }
  }
  const error = assertThrows(
    () => decodePreviousGtids(whole, "crc32"),
    MalformedEventError,
    "Cannot decode GTID set",
  );
  assertEquals((error.cause as Error).name, "MalformedGtidSetError");
});
