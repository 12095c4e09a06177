import { assert, assertEquals, assertThrows } from "@std/assert";
import { decodeEventHeader } from "../../../lib/binlog/event_header.ts";
import { EventType } from "../../../lib/binlog/event_type.ts";
import { MalformedEventError } from "../../../lib/binlog/malformed_event_error.ts";
import {
  decodeMariadbGtidList,
  encodeMariadbGtidList,
  mariadbGtidListBytes,
  MariadbGtidListFlag,
} from "../../../lib/binlog/mariadb_gtid_list.ts";
import { MariadbGtidReader } from "../../../lib/binlog/mariadb_gtid_event.ts";
import { MariadbGtidState } from "../../../lib/gtid/mariadb_gtid_state.ts";
import { loadBinlogFixtures } from "../../support/binlog_fixture.ts";
import { hex } from "../../support/byte_table.ts";

Deno.test("decodeMariadbGtidList() and encodeMariadbGtidList() agree with every MariaDB file", () => {
  const reader = new MariadbGtidReader();
  let before: MariadbGtidState | undefined;
  for (const fixture of loadBinlogFixtures("mariadb1011")) {
    const { events, bytes, algorithm, name } = fixture;
    const event = events[1]!;
    assertEquals(event.type, EventType.MARIADB_GTID_LIST);
    const { state, flags } = decodeMariadbGtidList(event.bytes, algorithm);
    assertEquals(flags, 0);
    const header = decodeEventHeader(event.bytes);
    const made = encodeMariadbGtidList(state, {
      timestamp: header.timestamp,
      serverId: header.serverId,
      endPosition: header.logPos,
      algorithm,
      artificial: false,
    });
    assertEquals(hex(made), hex(event.bytes));
    assertEquals(mariadbGtidListBytes(state, algorithm), made.length);
    if (name === "active-in-use-flag.binlog") continue;
    // What the files before it add up to.
    if (before !== undefined) assert(state.equals(before), name);
    before = state.clone();
    for (const { position, bytes: { length } } of events) {
      if (reader.read(bytes, position, length)) before.add(reader);
    }
  }
  assertEquals(before?.toString(), "0-8001-1011,3-8001-1,3-77-2");
});

Deno.test("encodeMariadbGtidList() makes an artificial one with flags", () => {
  const state = MariadbGtidState.parse("0-8001-2");
  const event = encodeMariadbGtidList(state, {
    timestamp: 0,
    serverId: 8001,
    endPosition: 500,
    algorithm: "crc32",
    artificial: true,
    flags: MariadbGtidListFlag.UNTIL_REACHED,
  });
  const header = decodeEventHeader(event);
  assertEquals([header.flags, header.timestamp, header.logPos], [0x20, 0, 500]);
  const decoded = decodeMariadbGtidList(event, "crc32");
  assertEquals(decoded.flags, MariadbGtidListFlag.UNTIL_REACHED);
  assertEquals(decoded.state.toString(), "0-8001-2");
});

Deno.test("decodeMariadbGtidList() throws for an event cut at any length", () => {
  const whole = encodeMariadbGtidList(MariadbGtidState.parse("0-1-1,1-1-1"), {
    timestamp: 1,
    serverId: 2,
    endPosition: 99,
    algorithm: "none",
    artificial: false,
  });
  for (let length = 0; length < whole.length; length++) {
    const cut = whole.slice(0, length);
    assertThrows(() => decodeMariadbGtidList(cut, "none"), MalformedEventError);
    if (length < 13) continue;
    cut[9] = length;
    assertThrows(() => decodeMariadbGtidList(cut, "none"), MalformedEventError);
  }
  // A count that no event could hold.
  const huge = whole.slice();
  huge.fill(0xff, 19, 23);
  assertThrows(() => decodeMariadbGtidList(huge, "none"), MalformedEventError);
});
