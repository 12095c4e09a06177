import { assertEquals, assertThrows } from "@std/assert";
import { crc32 } from "../../../lib/binlog/checksum.ts";
import { GtidSet } from "../../../lib/gtid/gtid_set.ts";
import {
  BLOCK_BYTES_MAX,
  StoreError,
} from "../../../lib/store/binlog_store.ts";
import { MariadbGtidState } from "../../../lib/gtid/mariadb_gtid_state.ts";
import {
  BlockBuilder,
  builderAtHead,
} from "../../../lib/store/block_builder.ts";
import type { HeadRecord } from "../../../lib/store/block_engine.ts";
import { dumpPackets, joinBytes } from "../../support/dump_packets.ts";
import { MADE_UUID, MadeLog } from "../../support/made_log.ts";

const START = { number: 5, fileNumber: 2, position: 1000 };

function bytesOf(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, at) => at);
}

Deno.test("BlockBuilder.copy() appends pieces of every size", () => {
  const source = bytesOf(200);
  const builder = new BlockBuilder(START);
  const parts: Uint8Array[] = [];
  for (let size = 0; size < 100; size++) {
    builder.copy(source, size, 2 * size);
    parts.push(source.slice(size, 2 * size));
  }
  assertEquals(builder.bytes(), joinBytes(parts));
  assertEquals(builder.used + builder.room, BLOCK_BYTES_MAX);
  assertEquals(builder.bytes(1, 4), joinBytes(parts).slice(1, 4));
});

Deno.test("BlockBuilder keeps what readers hold while it grows", () => {
  const builder = new BlockBuilder(START);
  builder.copy(bytesOf(30), 0, 30);
  const held = builder.bytes();
  builder.copy(new Uint8Array(100).fill(9), 0, 100);
  assertEquals(held, bytesOf(30));
  builder.seal(2000, false);
  assertEquals(held, bytesOf(30));
  assertEquals(builder.bytes(0, 30), bytesOf(30));
});

Deno.test("BlockBuilder.seal() gives unused memory back", () => {
  const small = new BlockBuilder(START);
  small.copy(bytesOf(50), 0, 50);
  const before = small.memoryBytes;
  small.seal(1045, false);
  assertEquals(before - small.memoryBytes, BLOCK_BYTES_MAX - 50);
  const large = new BlockBuilder(START);
  large.copy(new Uint8Array(60_000), 0, 60_000);
  large.seal(61_000, false);
  assertEquals(large.memoryBytes, before);
});

Deno.test("BlockBuilder.summary() tells what was noted", () => {
  const builder = new BlockBuilder(START);
  // The end of an event, then three that begin here.
  builder.copy(bytesOf(40), 0, 40);
  builder.noteEvent(40, 1040, 300, false);
  builder.noteTransaction(MADE_UUID, "", 4n);
  builder.noteEvent(90, 1085, 0, false);
  builder.noteEvent(120, 1110, 200, false);
  builder.noteTransaction(MADE_UUID, "tag", 5n);
  builder.copy(bytesOf(100), 0, 100);
  builder.seal(1130, true);
  const summary = builder.summary();
  assertEquals({ ...summary, began: summary.began.toString() }, {
    fileNumber: 2,
    startPosition: 1000,
    endPosition: 1130,
    firstEventOffset: 40,
    firstEventPosition: 1040,
    firstTimestamp: 200,
    lastTimestamp: 300,
    hasControl: false,
    endsInside: true,
    began: `${MADE_UUID}:4:tag:5`,
    checksum: crc32(builder.bytes()),
  });
  assertEquals(builder.summary(), summary);
});

Deno.test("BlockBuilder.summary() of the inside of an event", () => {
  const builder = new BlockBuilder(START);
  builder.copy(bytesOf(40), 0, 40);
  builder.seal(1040, true);
  const summary = builder.summary();
  assertEquals(summary.firstEventOffset, -1);
  assertEquals(summary.firstEventPosition, 1040);
  assertEquals([summary.firstTimestamp, summary.lastTimestamp], [0, 0]);
  assertEquals(summary.hasControl, false);
});

Deno.test("BlockBuilder notes control events, and what ended last", () => {
  const builder = new BlockBuilder(START);
  assertEquals([builder.boundaryOffset, builder.lastGtid], [-1, undefined]);
  builder.noteEvent(0, 1000, 1, true);
  assertEquals(builder.hasControl, true);
  builder.noteEnd(MADE_UUID, "", 7n);
  builder.noteEnd(MADE_UUID, "x", 3n);
  assertEquals(builder.ended.toString(), `${MADE_UUID}:7:x:3`);
  assertEquals(builder.lastGtid, `${MADE_UUID}:x:3`);
  assertEquals(builder.mariadbAfter(undefined), undefined);
});

Deno.test("BlockBuilder adds what it has of MariaDB to the state before it", () => {
  const builder = new BlockBuilder(START);
  builder.noteMariadbEnd({ domain: 0, server: 1, sequence: 5n });
  builder.noteMariadbEnd({ domain: 0, server: 2, sequence: 6n });
  const state = MariadbGtidState.parse("0-1-4,1-1-1");
  assertEquals(`${builder.mariadbAfter(state)}`, "0-1-5,0-2-6,1-1-1");
  // A block that grows is counted with each commit that has a part of it.
  assertEquals(`${builder.mariadbAfter(state)}`, "0-1-5,0-2-6,1-1-1");
  assertEquals(`${builder.mariadbAfter(undefined)}`, "0-1-5,0-2-6");
  assertEquals(builder.lastGtid, "0-2-6");
});

Deno.test("BlockBuilder begins anew with a Gtid_list", () => {
  const builder = new BlockBuilder(START);
  builder.noteMariadbList(MariadbGtidState.parse("0-1-9"));
  const before = MariadbGtidState.parse("3-1-4");
  assertEquals(`${builder.mariadbAfter(before)}`, "0-1-9");
  builder.noteMariadbEnd({ domain: 0, server: 1, sequence: 10n });
  assertEquals(`${builder.mariadbAfter(before)}`, "0-1-10");
  assertEquals(`${before}`, "3-1-4");
});

function headIn(
  kept: Uint8Array,
  first: number,
  position: number,
): HeadRecord {
  return {
    fileNumber: 2,
    position,
    block: 5,
    offset: kept.length,
    blockStartPosition: 1000,
    blockFirstEventOffset: first,
    blockFirstEventPosition: 1000 + first,
    executed: new GtidSet().encode(),
    purged: new GtidSet().encode(),
    lastGtid: "",
    lastTimestamp: 0,
  };
}

Deno.test("builderAtHead() begins an empty log at position 4", () => {
  const builder = builderAtHead(undefined, new Uint8Array(0));
  assertEquals(
    [builder.number, builder.fileNumber, builder.startPosition, builder.used],
    [0, 0, 4, 0],
  );
});

Deno.test("builderAtHead() reads again what was before the head", () => {
  const made = new MadeLog();
  made.position = 1010;
  const events = [...made.transaction(), ...made.transaction()];
  const raw = events.reduce((sum, event) => sum + event.length, 0);
  // Ten bytes of the event before, then whole ones.
  const kept = joinBytes([bytesOf(10), dumpPackets(events)]);
  const builder = builderAtHead(headIn(kept, 10, 1010 + raw), kept);
  assertEquals(builder.bytes(), kept);
  assertEquals([builder.number, builder.startPosition], [5, 1000]);
  builder.seal(1010 + raw, false);
  const summary = builder.summary();
  assertEquals(summary.firstEventOffset, 10);
  assertEquals(summary.firstEventPosition, 1010);
  assertEquals(summary.began.toString(), `${MADE_UUID}:1-2`);
  assertEquals(summary.hasControl, true);
  assertEquals(summary.firstTimestamp + 1, summary.lastTimestamp);
});

Deno.test("builderAtHead() takes a block where no event begins", () => {
  const kept = bytesOf(77);
  for (const first of [-1, 77]) {
    const builder = builderAtHead(headIn(kept, first, 1077), kept);
    assertEquals(builder.bytes(), kept);
    assertEquals(builder.firstEventOffset, -1);
  }
});

Deno.test("builderAtHead() refuses bytes that do not end at the head", () => {
  const made = new MadeLog();
  const events = made.transaction();
  const kept = dumpPackets(events);
  const raw = made.position - 4;
  for (const position of [1000 + raw - 1, 1000 + raw + 1]) {
    const error = assertThrows(
      () => builderAtHead(headIn(kept, 0, position), kept),
      StoreError,
    );
    assertEquals(error.kind, "corrupt");
  }
});
