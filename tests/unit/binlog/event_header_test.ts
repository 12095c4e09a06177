import { assertEquals, assertThrows } from "@std/assert";
import {
  decodeEventHeader,
  eventSizeAt,
  eventTypeAt,
  flagsAt,
  HEADER_BYTES,
  logPosAt,
  serverIdAt,
  timestampAt,
} from "../../../lib/binlog/event_header.ts";
import { MalformedEventError } from "../../../lib/binlog/malformed_event_error.ts";
import { byteTable } from "../../support/byte_table.ts";

const HEADER = byteTable(`
  b8c4036b  // timestamp
  2a        // type
  e5250000  // server id
  51000000  // size of the event
  17010000  // position after it
  8000      // flags
`);
const DECODED = {
  timestamp: 1795409080,
  type: 42,
  serverId: 9701,
  eventSize: 81,
  logPos: 279,
  flags: 0x80,
};

Deno.test("decodeEventHeader() reads the fields, at any offset", () => {
  assertEquals(decodeEventHeader(HEADER), DECODED);
  const bytes = new Uint8Array(HEADER.length + 7).fill(0xaa);
  bytes.set(HEADER, 5);
  assertEquals(decodeEventHeader(bytes, 5), DECODED);
});

Deno.test("decodeEventHeader() reads all bits as unsigned numbers", () => {
  assertEquals(decodeEventHeader(new Uint8Array(19).fill(0xff)), {
    timestamp: 0xffff_ffff,
    type: 0xff,
    serverId: 0xffff_ffff,
    eventSize: 0xffff_ffff,
    logPos: 0xffff_ffff,
    flags: 0xffff,
  });
});

Deno.test("decodeEventHeader() throws for a header cut at any length", () => {
  for (let length = 0; length < HEADER_BYTES; length++) {
    assertThrows(
      () => decodeEventHeader(HEADER.subarray(0, length)),
      MalformedEventError,
    );
    assertThrows(
      () => decodeEventHeader(HEADER, HEADER.length - length),
      MalformedEventError,
    );
  }
  assertThrows(() => decodeEventHeader(HEADER, -1), MalformedEventError);
  assertThrows(
    () => decodeEventHeader(HEADER, Number.NaN),
    MalformedEventError,
  );
});

Deno.test("decodeEventHeader() throws for an event smaller than its header", () => {
  const small = HEADER.slice();
  small[9] = 18;
  const error = assertThrows(
    () => decodeEventHeader(small),
    MalformedEventError,
    "18 bytes",
  );
  assertEquals(error.eventType, 42);
});

Deno.test("the getters read the same as decodeEventHeader()", () => {
  const bytes = new Uint8Array(HEADER.length + 3);
  bytes.set(HEADER, 3);
  assertEquals({
    timestamp: timestampAt(bytes, 3),
    type: eventTypeAt(bytes, 3),
    serverId: serverIdAt(bytes, 3),
    eventSize: eventSizeAt(bytes, 3),
    logPos: logPosAt(bytes, 3),
    flags: flagsAt(bytes, 3),
  }, DECODED);
});
