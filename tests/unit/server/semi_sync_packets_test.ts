import { assertEquals } from "@std/assert";
import { EventType } from "../../../lib/binlog/event_type.ts";
import { PacketWriter } from "../../../lib/connection/packet_writer.ts";
import { BufferPool, DumpOutput } from "../../../lib/server/dump_output.ts";
import { SemiSyncPackets } from "../../../lib/server/semi_sync_packets.ts";
import {
  dumpPackets,
  joinBytes,
  splitPackets,
} from "../../support/dump_packets.ts";
import { bareEvent, queryEvent } from "../../support/made_events.ts";
import { semiSyncPackets } from "../../support/semi_sync_packets.ts";

const PLAIN = { trailerBytes: 0 } as const;

/** Offsets at which the store may cut: not in a packet header or event header. */
function cuts(stored: Uint8Array, blockBytes: number): number[] {
  const forbidden = new Set<number>();
  let at = 0;
  let goesOn = false;
  for (const { payload } of splitPackets(stored)) {
    for (let inside = 1; inside < (goesOn ? 4 : 24); inside++) {
      forbidden.add(at + inside);
    }
    goesOn = payload.length === 0xff_ffff;
    at += 4 + payload.length;
  }
  const ends: number[] = [];
  for (let end = blockBytes; end < stored.length; end += blockBytes) {
    while (forbidden.has(end)) end--;
    ends.push(end);
  }
  return [...ends, stored.length];
}

async function send(
  packets: SemiSyncPackets,
  stored: Uint8Array,
  blockBytes: number,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  const writable = new WritableStream<Uint8Array>({
    write: (chunk) => void chunks.push(chunk.slice()),
  });
  const output = new DumpOutput(
    { writer: new PacketWriter(writable) },
    new BufferPool(),
    packets,
    60_000,
  );
  let from = 0;
  for (const end of cuts(stored, blockBytes)) {
    const run = stored.subarray(from, end);
    if (!output.hasRoom(run.length)) await output.flush();
    output.addRun(run);
    from = end;
  }
  assertEquals(output.atEventEnd, true);
  await output.drain();
  return joinBytes(chunks);
}

const begin = () => queryEvent("BEGIN", PLAIN);
const xid = () =>
  bareEvent(EventType.XID, { body: new Uint8Array(8), ...PLAIN });
const rows = (size: number) =>
  bareEvent(EventType.WRITE_ROWS, {
    body: new Uint8Array(size - 19).fill(7),
    ...PLAIN,
  });
const payload = (size: number) =>
  bareEvent(EventType.TRANSACTION_PAYLOAD, {
    body: new Uint8Array(size - 19).fill(7),
    ...PLAIN,
  });
const gtid = () =>
  bareEvent(EventType.ANONYMOUS_GTID, { body: new Uint8Array(42), ...PLAIN });

/** Compares without looking at 16 MiB one by one. */
function assertSameBytes(actual: Uint8Array, wanted: Uint8Array): void {
  assertEquals(actual.length, wanted.length);
  assertEquals(actual.findIndex((byte, at) => byte !== wanted[at]), -1);
}

Deno.test("SemiSyncPackets asks at the ends of transactions from a position on", async () => {
  const transaction = () => [gtid(), begin(), rows(50), rows(90), xid()];
  const ddl = () => [gtid(), queryEvent("CREATE TABLE t (a INT)", PLAIN)];
  const rotate = bareEvent(EventType.ROTATE, {
    body: new Uint8Array(30),
    ...PLAIN,
  });
  const events = [...transaction(), ...ddl(), ...transaction(), rotate];
  const ends = new Set([4, 6, 11]);
  const stored = dumpPackets(events, 0);
  let position = 4;
  const after = events.map((event) => position += event.length);
  for (const [index, askFrom] of [4, ...after, Infinity].entries()) {
    const packets = new SemiSyncPackets(254);
    packets.position = 4;
    packets.askFrom = askFrom;
    const wanted = events.map((event, at) => ({
      event,
      asks: ends.has(at) && after[at]! >= askFrom,
    }));
    assertEquals(
      await send(packets, stored, stored.length),
      semiSyncPackets(wanted, 254),
      `from the event ${index} on`,
    );
    const asked = wanted.filter(({ asks }) => asks).length;
    assertEquals(packets.asked, asked);
    if (asked > 0) {
      assertEquals(
        packets.askedPosition,
        after[wanted.findLastIndex(({ asks }) => asks)],
      );
    }
    assertEquals(packets.position, after.at(-1));
  }
  assertEquals(stored, dumpPackets(events, 0), "what is stored stays as it is");
});

for (
  const size of [
    63_995,
    64_100,
    200_000,
    ...[-4, -3, -2, -1, 0, 1, 2].map((more) => 0xff_ffff + more),
    2 * 0xff_ffff - 3,
    2 * 0xff_ffff - 1,
  ]
) {
  Deno.test(`SemiSyncPackets frames events of ${size} bytes cut into blocks`, async () => {
    const events = [
      { event: gtid(), asks: false },
      { event: begin(), asks: false },
      { event: rows(size), asks: false },
      { event: xid(), asks: true },
      { event: gtid(), asks: false },
      { event: payload(size), asks: true },
      { event: gtid(), asks: false },
    ];
    const packets = new SemiSyncPackets(253);
    packets.askFrom = 0;
    const stored = dumpPackets(events.map(({ event }) => event), 0);
    assertSameBytes(
      await send(packets, stored, 64_000),
      semiSyncPackets(events, 253),
    );
    assertEquals(packets.asked, 2);
  });
}

Deno.test("SemiSyncPackets goes on where a dump began inside a transaction", async () => {
  const events = [
    { event: rows(40), asks: true },
    { event: xid(), asks: true },
    { event: gtid(), asks: false },
    { event: begin(), asks: false },
    { event: xid(), asks: true },
  ];
  const packets = new SemiSyncPackets(1);
  packets.askFrom = 0;
  const stored = dumpPackets(events.map(({ event }) => event), 0);
  assertEquals(
    await send(packets, stored, stored.length),
    semiSyncPackets(events),
  );
});

Deno.test("a run of the smallest events has room for what it becomes", () => {
  const events = Array.from({ length: 2_600 }, () => new Uint8Array(19));
  const stored = dumpPackets(events, 0);
  const packets = new SemiSyncPackets(1);
  const buffer = new Uint8Array(packets.bytesFor(stored.length));
  assertEquals(packets.copyRun(stored, buffer, 0) <= buffer.length, true);
});

Deno.test("DumpOutput ends a write behind each event that is acknowledged where that matters", async () => {
  const transactions = [300, 0x20_0000, 40, 100_000].map(rows);
  const events = transactions.flatMap((one) => [gtid(), begin(), one, xid()]);
  const stored = dumpPackets(events, 0);
  const wanted = await send(asking(), stored, 64_000);
  const chunks: (Uint8Array | "restart")[] = [];
  const writable = new WritableStream<Uint8Array>({
    write: (chunk) => void chunks.push(chunk.slice()),
  });
  const output = new DumpOutput(
    {
      writer: new PacketWriter(writable),
      restart: () => void chunks.push("restart"),
    },
    new BufferPool(),
    asking(),
    60_000,
  );
  let from = 0;
  for (const end of cuts(stored, 64_000)) {
    const run = stored.subarray(from, end);
    if (!output.hasRoom(run.length)) await output.flush();
    output.addRun(run);
    from = end;
  }
  await output.drain();
  const written = chunks.filter((chunk) => chunk !== "restart");
  assertSameBytes(joinBytes(written), wanted);
  // The bytes between two restarts end in the event that asks, and no earlier one does.
  let between: Uint8Array[] = [];
  let restarts = 0;
  for (const chunk of chunks) {
    if (chunk !== "restart") {
      between.push(chunk);
      continue;
    }
    restarts++;
    const packets = splitPackets(joinBytes(between));
    const asks = packets.map(({ payload }) =>
      payload[0] === 0 && payload[1] === 0xef && payload[2] === 1
    );
    assertEquals(asks.indexOf(true), asks.length - 1);
    between = [];
  }
  assertEquals(restarts, transactions.length);
});

/** Packets of which every transaction's end asks. */
function asking(): SemiSyncPackets {
  const packets = new SemiSyncPackets(1);
  packets.askFrom = 0;
  return packets;
}
