import { assert, assertEquals } from "@std/assert";
import { eventChecksumOk } from "../../../lib/binlog/checksum.ts";
import { logPosAt } from "../../../lib/binlog/event_header.ts";
import { moveEvent, moveEventHeader } from "../../../lib/binlog/move_event.ts";
import { loadBinlogFixtures } from "../../support/binlog_fixture.ts";

Deno.test("moveEvent() changes position and checksum of an event and nothing else", () => {
  for (const server of ["mysql56", "mysql97"] as const) {
    for (const { events, algorithm } of loadBinlogFixtures(server)) {
      const trailer = algorithm === "crc32" ? 4 : 0;
      for (const { bytes: event } of events.slice(1)) {
        const bytes = new Uint8Array(event.length + 20).fill(0xaa);
        bytes.set(event, 10);
        moveEvent(bytes, 10, event.length, 0x1_2345_6789, trailer);
        const moved = bytes.subarray(10, 10 + event.length);
        assertEquals(logPosAt(moved, 0), 0x2345_6789);
        if (trailer > 0) assert(eventChecksumOk(moved));
        const same = moved.slice(0, moved.length - trailer);
        same.set(event.subarray(13, 17), 13);
        assertEquals(same, event.slice(0, event.length - trailer));
        assert(bytes.subarray(0, 10).every((byte) => byte === 0xaa));
        assert(
          bytes.subarray(10 + event.length).every((byte) => byte === 0xaa),
        );
        // and back again
        moveEvent(bytes, 10, event.length, logPosAt(event, 0), trailer);
        assertEquals(moved, event);
      }
    }
  }
});

Deno.test("moveEventHeader() changes the position alone", () => {
  const bytes = new Uint8Array(30);
  moveEventHeader(bytes, 3, 0x0403_0201);
  const expected = new Uint8Array(30);
  expected.set([1, 2, 3, 4], 16);
  assertEquals(bytes, expected);
});
