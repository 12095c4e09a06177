import { assertEquals, assertThrows } from "@std/assert";
import { EventType } from "../../../lib/binlog/event_type.ts";
import { MalformedEventError } from "../../../lib/binlog/malformed_event_error.ts";
import { EventWalk } from "../../../lib/store/event_walk.ts";
import { loadBinlogFixture } from "../../support/binlog_fixture.ts";
import { dumpPackets } from "../../support/dump_packets.ts";
import { MADE_UUID, MadeLog } from "../../support/made_log.ts";

/** The events of a walk, as [offset, position, end, isCut]. */
function walked(
  bytes: Uint8Array,
  offset = 0,
  position = 4,
): [number, number, number, boolean][] {
  const walk = new EventWalk(bytes, offset, position);
  const events: [number, number, number, boolean][] = [];
  while (walk.next()) {
    events.push([walk.offset, walk.position, walk.end, walk.isCut]);
  }
  return events;
}

Deno.test("EventWalk finds every event of a file", () => {
  const fixture = loadBinlogFixture("mysql97", "binlog.000001");
  const bytes = dumpPackets(fixture.events.map((event) => event.bytes));
  const walk = new EventWalk(bytes, 0, 4);
  assertEquals(walk.endPosition, 4);
  const gtids: string[] = [];
  for (const event of fixture.events) {
    assertEquals(walk.next(), true);
    assertEquals(walk.position, event.position);
    assertEquals(walk.endPosition, event.position + event.bytes.length);
    assertEquals(walk.type, event.type);
    assertEquals(walk.timestamp, event.truth.timestamp);
    assertEquals(walk.size, event.bytes.length);
    assertEquals(walk.end - walk.offset, event.bytes.length + 5);
    assertEquals(walk.isCut, false);
    const gtid = walk.gtid();
    if (gtid !== null) gtids.push(`${gtid.uuid}:${gtid.gno}`);
  }
  assertEquals(walk.next(), false);
  assertEquals(gtids, fixture.truth.gtids_in_file);
});

Deno.test("EventWalk begins where it is told", () => {
  const made = new MadeLog();
  const events = [...made.beginFile(), ...made.transaction()];
  const bytes = dumpPackets(events);
  const offset = events[0]!.length + 5;
  const first = walked(bytes)[1]!;
  assertEquals(first.slice(0, 2), [offset, 4 + events[0]!.length]);
  assertEquals(walked(bytes, first[0], first[1]), walked(bytes).slice(1));
  assertEquals(walked(bytes, bytes.length, made.position), []);
});

Deno.test("EventWalk says which event the end of the run cuts", () => {
  const events = new MadeLog().transaction({ rows: [1000] });
  const bytes = dumpPackets(events);
  const whole = walked(bytes);
  const row = whole.findIndex(([offset, , end]) => end - offset > 1000);
  const [offset, position, end] = whole[row]!;
  for (let length = offset + 5 + 19; length < end; length++) {
    const cut = walked(bytes.subarray(0, length));
    assertEquals(cut.slice(0, -1), whole.slice(0, row));
    assertEquals(cut.at(-1), [offset, position, length, true]);
  }
  assertEquals(walked(bytes.subarray(0, end)).at(-1), whole[row]!);
});

Deno.test("EventWalk joins the packets of a large event", () => {
  const made = new MadeLog();
  for (const size of [0xff_ffff - 2, 0xff_ffff - 1, 0xff_ffff]) {
    const events = made.payloadTransaction(size);
    const bytes = dumpPackets([...events, made.rotate()]);
    const found = walked(bytes, 0, 4);
    assertEquals(found.length, 3);
    assertEquals(found[2]![1], 4 + events[0]!.length + size);
    assertEquals(found.map((event) => event[3]), [false, false, false]);
    // Cut behind its first packet: there is more, unless that was all.
    const first = found[1]![0] + 4 + Math.min(size + 1, 0xff_ffff);
    const cut = walked(bytes.subarray(0, first), 0, 4);
    assertEquals(cut.at(-1)![3], size + 1 >= 0xff_ffff);
  }
});

Deno.test("EventWalk.gtid() reads the GTID an event announces", () => {
  const made = new MadeLog();
  const events = made.transaction({ gno: 7n });
  const bytes = dumpPackets(events);
  const walk = new EventWalk(bytes, 0, 4);
  walk.next();
  assertEquals(walk.type, EventType.GTID);
  assertEquals(walk.gtid(), { uuid: MADE_UUID, tag: "", gno: 7n });
  walk.next();
  assertEquals(walk.gtid(), null);
  const anonymous = dumpPackets(made.transaction({ anonymous: true }));
  const other = new EventWalk(anonymous, 0, 4);
  other.next();
  assertEquals(other.gtid(), null);
});

Deno.test("EventWalk.gtid() refuses an event that is cut", () => {
  const bytes = dumpPackets(new MadeLog().transaction());
  const walk = new EventWalk(bytes.subarray(0, 40), 0, 4);
  walk.next();
  assertThrows(() => walk.gtid(), MalformedEventError);
});
