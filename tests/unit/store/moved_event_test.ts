import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  eventChecksumOk,
  writeEventChecksum,
} from "../../../lib/binlog/checksum.ts";
import { logPosAt } from "../../../lib/binlog/event_header.ts";
import { EventType } from "../../../lib/binlog/event_type.ts";
import {
  type BinlogStore,
  FIRST_POSITION,
} from "../../../lib/store/binlog_store.ts";
import { EventAppender } from "../../../lib/store/event_appender.ts";
import { openMemoryStore } from "../../../lib/store/memory_store.ts";
import { loadBinlogFixture } from "../../support/binlog_fixture.ts";
import { bareEvent } from "../../support/made_events.ts";
import { dumpPackets } from "../../support/dump_packets.ts";
import { readFile } from "../../support/read_stored_file.ts";

/** An event of any size that no transaction needs, at some other position. */
function looseEvent(bytes: number): Uint8Array {
  const body = new Uint8Array(bytes - 23);
  for (let at = 0; at < body.length; at++) body[at] = at * 7;
  const event = bareEvent(EventType.IGNORABLE, { body, flags: 0x80 });
  new DataView(event.buffer).setUint32(13, 0x7654_3210, true);
  writeEventChecksum(event);
  return event;
}

/** A store with a spliced file that has begun, and what appends to it. */
async function splicedFile(): Promise<{
  store: BinlogStore;
  appender: EventAppender;
  begin: number;
}> {
  const store = await openMemoryStore();
  const appender = new EventAppender(store.writer, {
    serverUuid: "d63952fd-e6f6-11f1-a979-02fc00000001",
    fault: (_, message) => new TypeError(message),
  });
  const { events } = loadBinlogFixture("mysql97", "binlog.000001");
  appender.startFile("binlog.000001", { spliced: true });
  let begin = FIRST_POSITION;
  for (const { bytes } of events.slice(0, 2)) {
    const packet = dumpPackets([bytes]);
    appender.event(packet, 0, packet.length);
    begin += bytes.length;
  }
  return { store, appender, begin };
}

/** The file's bytes behind its begin. */
async function appended(
  store: BinlogStore,
  begin: number,
): Promise<Uint8Array> {
  await store.writer.flush();
  const bytes = await readFile(store, store.files[0]!);
  return bytes.slice(begin - FIRST_POSITION);
}

function assertMoved(
  actual: Uint8Array,
  event: Uint8Array,
  begin: number,
): void {
  assertEquals(actual.length, event.length);
  assertEquals(logPosAt(actual, 0), begin + event.length);
  assert(eventChecksumOk(actual));
  const back = actual.slice();
  back.set(event.subarray(13, 17), 13);
  writeEventChecksum(back);
  assertEquals(back, event);
}

Deno.test("EventAppender moves events in parts, wherever they are cut", async () => {
  const size = 70_000;
  const cuts = [
    ...[19, 20, 40, 35_000].map((cut) => [cut]),
    ...[1, 2, 3, 4, 5, 6].map((left) => [size - left]),
    [30, size - 4, size - 3, size - 2, size - 1],
    [19, 19, 60_000, size - 2],
  ];
  for (const cut of cuts) {
    const { store, appender, begin } = await splicedFile();
    await using _store = store;
    const event = looseEvent(size);
    const ends = [...cut, size];
    const first = event.slice(0, ends[0]);
    appender.beginLarge(first, 0, first.length);
    for (const [index, end] of ends.slice(1).entries()) {
      const part = event.slice(ends[index]!, end);
      appender.largeBody(part, 0, part.length);
      part.fill(0xee);
    }
    appender.endLarge();
    assertMoved(await appended(store, begin), event, begin);
  }
});

Deno.test("EventAppender moves an event of more than one packet", async () => {
  for (const size of [0xff_fffd, 0xff_fffe, 0xff_ffff, 0x100_0003]) {
    const { store, appender, begin } = await splicedFile();
    await using _store = store;
    const event = looseEvent(size);
    appender.beginLarge(event.slice(), 0, size);
    appender.endLarge();
    assertMoved(await appended(store, begin), event, begin);
  }
});

Deno.test("EventAppender moves whole events one after another", async () => {
  const { store, appender, begin } = await splicedFile();
  await using _store = store;
  const events = [30, 500, 23, 8000].map(looseEvent);
  const packets = dumpPackets(events);
  appender.run(packets, 0);
  let at = 0;
  for (const event of events) {
    appender.event(packets, at, at + 5 + event.length);
    at += 5 + event.length;
  }
  const bytes = await appended(store, begin);
  let from = 0;
  for (const event of events) {
    const to = from + event.length;
    assertMoved(bytes.slice(from, to), event, begin + from);
    from = to;
  }
});

Deno.test("EventAppender moves nothing that arrived damaged", async () => {
  const { store, appender } = await splicedFile();
  await using _store = store;
  const small = looseEvent(200);
  small[100]! ^= 1;
  const packet = dumpPackets([small]);
  assertThrows(
    () => appender.event(packet, 0, packet.length),
    TypeError,
    "wrong checksum",
  );
  const large = looseEvent(70_000);
  large[60_000]! ^= 1;
  appender.beginLarge(large, 0, large.length);
  assertThrows(() => appender.endLarge(), TypeError, "wrong checksum");
});
