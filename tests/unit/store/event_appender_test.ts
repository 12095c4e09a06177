import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { FIRST_POSITION } from "../../../lib/store/binlog_store.ts";
import {
  type AppendFaultKind,
  EventAppender,
} from "../../../lib/store/event_appender.ts";
import { openMemoryStore } from "../../../lib/store/memory_store.ts";
import {
  type BinlogFixture,
  loadBinlogFixture,
} from "../../support/binlog_fixture.ts";
import { dumpPackets } from "../../support/dump_packets.ts";

class Fault extends Error {
  readonly kind: AppendFaultKind;

  constructor(kind: AppendFaultKind, message: string) {
    super(message);
    this.kind = kind;
  }
}

async function newAppender(): Promise<{
  store: Awaited<ReturnType<typeof openMemoryStore>>;
  appender: EventAppender;
}> {
  const store = await openMemoryStore();
  const appender = new EventAppender(store.writer, {
    serverUuid: "",
    fault: (kind, message) => new Fault(kind, message),
  });
  return { store, appender };
}

function append(
  appender: EventAppender,
  events: readonly Uint8Array[],
): void {
  for (const event of events) {
    const frame = dumpPackets([event]);
    appender.event(frame, 0, frame.length);
  }
}

function eventsOf({ events }: BinlogFixture): Uint8Array[] {
  return events.map(({ bytes }) => bytes);
}

Deno.test("EventAppender refuses a transaction that the log has already", async () => {
  const first = loadBinlogFixture("mysql97", "binlog.000001");
  const { store, appender } = await newAppender();
  appender.startFile("binlog.000001");
  append(appender, eventsOf(first));
  // A server that was reset begins with no previous GTIDs and number 1.
  appender.startFile("binlog.000002");
  const fault = assertThrows(
    () => append(appender, eventsOf(first)),
    Fault,
  );
  assertEquals(fault.kind, "repeat");
  assertStringIncludes(
    fault.message,
    "d63952fd-e6f6-11f1-a979-02fc00000001:1 at binlog.000002 position",
  );
  await store.close();
});

Deno.test("EventAppender begins no file inside a transaction", async () => {
  const first = loadBinlogFixture("mysql97", "binlog.000001");
  const { store, appender } = await newAppender();
  appender.startFile("binlog.000001");
  const gtid = first.events.findIndex(({ type }) => type === 33);
  append(appender, eventsOf(first).slice(0, gtid + 1));
  assertEquals(appender.inTransaction, true);
  const fault = assertThrows(() => appender.startFile("binlog.000002"), Fault);
  assertEquals(fault.kind, "stream");
  assertStringIncludes(fault.message, "inside a transaction of binlog.000001");
  await store.writer.rollback();
  await store.close();
});

Deno.test("EventAppender names file and position of what it refuses", async () => {
  const first = loadBinlogFixture("mysql97", "binlog.000001");
  const { store, appender } = await newAppender();
  appender.startFile("binlog.000001");
  const events = eventsOf(first);
  append(appender, events.slice(0, 2));
  const position = FIRST_POSITION + events[0]!.length + events[1]!.length;
  // Out of its place, too long, damaged.
  const third = events[2]!.slice();
  third[third.length - 1]! ^= 1;
  for (const event of [events[3]!, third]) {
    const fault = assertThrows(() => append(appender, [event]), Fault);
    assertEquals(fault.kind, "stream");
    assertStringIncludes(fault.message, `binlog.000001 position ${position}`);
  }
  await store.close();
});
