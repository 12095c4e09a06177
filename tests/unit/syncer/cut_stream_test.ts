import { assert, assertEquals } from "@std/assert";
import { writeEventChecksum } from "../../../lib/binlog/checksum.ts";
import { encodeArtificialRotate } from "../../../lib/binlog/rotate.ts";
import { GtidSet } from "../../../lib/gtid/gtid_set.ts";
import { FIRST_POSITION } from "../../../lib/store/binlog_store.ts";
import type { BinlogStore } from "../../../lib/store/binlog_store.ts";
import { openMemoryStore } from "../../../lib/store/memory_store.ts";
import { LogFollower } from "../../../lib/syncer/log_follower.ts";
import { dumpPackets, joinBytes } from "../../support/dump_packets.ts";
import { MADE_UUID } from "../../support/made_log.ts";
import { assertSameBytes, describeHead } from "../../support/naive_log.ts";
import { readFile } from "../../support/read_stored_file.ts";
import { ScriptedLog } from "../../support/scripted_log.ts";

/** A dump, and where in its bytes each unit of the log has ended. */
interface Dump {
  readonly bytes: Uint8Array;
  /** Offset behind the last byte of each unit, by its index in the log. */
  readonly ends: ReadonlyMap<number, number>;
}

/** What a source sends that is asked for everything behind a unit. */
function dumpBehind(log: ScriptedLog, last: number): Dump {
  const parts: Uint8Array[] = [];
  const ends = new Map<number, number>();
  let length = 0;
  let sequenceId = 1;
  const send = (...events: Uint8Array[]): void => {
    const bytes = dumpPackets(events, sequenceId);
    for (const event of events) {
      sequenceId += Math.floor((event.length + 1) / 0xff_ffff) + 1;
    }
    sequenceId &= 0xff;
    parts.push(bytes);
    length += bytes.length;
  };
  const rotate = (fileName: string, position: number): Uint8Array =>
    encodeArtificialRotate({
      serverId: 1,
      fileName,
      position: BigInt(position),
      algorithm: "none",
    });
  const before = log.units[last];
  if (before !== undefined) {
    send(rotate(before.fileName, before.end));
    const begin = log.units.find(({ begins }) => begins === before.fileName)!;
    const format = begin.events[0]!.slice();
    // Sent again, it has no position of its own.
    format.fill(0, 13, 17);
    writeEventChecksum(format);
    send(format);
  }
  for (const [index, unit] of log.units.entries()) {
    if (index <= last) continue;
    if (unit.begins !== undefined) send(rotate(unit.begins, FIRST_POSITION));
    send(...unit.events);
    ends.set(index, length);
  }
  return { bytes: joinBytes(parts), ends };
}

/** Takes a dump, or its begin, in chunks of at most so many bytes. */
function follow(store: BinlogStore, bytes: Uint8Array, chunkMax: number): void {
  const follower = new LogFollower(
    store.writer,
    MADE_UUID,
    { fileStarted() {} },
    { resumed: store.files.at(-1)?.formatDescription },
  );
  for (let at = 0; at < bytes.length; at += chunkMax) {
    const chunk = bytes.slice(at, at + chunkMax);
    follower.push(chunk);
    store.writer.endOfInput();
    chunk.fill(0xee);
  }
}

/** Checks that a store shows the log up to a unit, and nothing else. */
async function assertShows(
  store: BinlogStore,
  log: ScriptedLog,
  last: number,
): Promise<void> {
  assertEquals(log.unitAt(store), last);
  for (const file of store.files) {
    assertSameBytes(await readFile(store, file), log.bytes(file.name, last));
  }
}

/**
 * Cuts the dump of a log there, drops what has no end, and goes on; answers
 * the unit up to which it was kept.
 */
async function cutAt(
  log: ScriptedLog,
  at: number,
  chunkMax: number,
  undisturbed: unknown,
): Promise<number> {
  const whole = dumpBehind(log, -1);
  await using store = await openMemoryStore();
  follow(store, whole.bytes.subarray(0, at), chunkMax);
  await store.writer.rollback();
  let kept = -1;
  for (const [unit, end] of whole.ends) if (end <= at) kept = unit;
  await assertShows(store, log, kept);
  assertEquals(store.writer.position, log.units[kept]?.end ?? FIRST_POSITION);
  follow(store, dumpBehind(log, kept).bytes, chunkMax);
  await store.writer.flush();
  await assertShows(store, log, log.units.length - 1);
  assertEquals(describeHead(store.head), undisturbed);
  return kept;
}

/** What the head of a log is that came without a fault. */
async function headOf(log: ScriptedLog): Promise<unknown> {
  await using store = await openMemoryStore();
  follow(store, dumpBehind(log, -1).bytes, 100_000);
  await store.writer.flush();
  return describeHead(store.head);
}

Deno.test("a stream cut after any byte leaves whole transactions, and goes on", async () => {
  const log = new ScriptedLog(new GtidSet());
  log.beginFile();
  log.transaction();
  log.transaction([40, 300]);
  log.beginFile();
  log.transaction([100]);
  log.single(200);
  const head = await headOf(log);
  const { length } = dumpBehind(log, -1).bytes;
  assert(length > 1_500);
  const kept = new Set<number>();
  for (let at = 0; at <= length; at++) {
    // In one chunk, in small ones, and byte by byte.
    kept.add(await cutAt(log, at, [100_000, 64, 1][at % 3]!, head));
  }
  assertEquals(kept, new Set([-1, ...log.units.keys()]));
});

/** All offsets near one, and some between. */
function offsets(length: number, near: readonly number[]): number[] {
  const found = new Set([0, length]);
  for (let at = 0; at < length; at += Math.ceil(length / 25)) found.add(at);
  for (const center of near) {
    for (let at = center - 7; at <= center + 30; at++) {
      if (at >= 0 && at <= length) found.add(at);
    }
  }
  return [...found].toSorted((one, other) => one - other);
}

Deno.test("a stream cut in a transaction larger than a commit leaves none of it, and goes on", async () => {
  const log = new ScriptedLog(new GtidSet());
  log.beginFile();
  log.transaction();
  // Events of a block and more, as parts of it, and many blocks of small ones.
  log.transaction([...Array(15).fill(60_000), 70_000, 200_000, 40]);
  log.transaction(Array(300).fill(4_000));
  log.transaction();
  const head = await headOf(log);
  const { bytes, ends } = dumpBehind(log, -1);
  for (const at of offsets(bytes.length, [...ends.values(), 500_000])) {
    await cutAt(log, at, 65_536, head);
  }
});

Deno.test("a stream cut in an event above 16 MiB leaves none of it, and goes on", async () => {
  const log = new ScriptedLog(new GtidSet());
  log.beginFile();
  log.transaction();
  log.single(0xff_ffff + 5_000);
  log.transaction();
  const head = await headOf(log);
  const { bytes, ends } = dumpBehind(log, -1);
  const begin = ends.get(1)!;
  // The GTID event comes before it; its second packet begins here.
  const second = ends.get(2)! - 5_000 - 5;
  const cuts = [begin + 1, begin + 80, begin + 1_000_000, bytes.length - 1];
  for (let at = second - 2; at <= second + 6; at++) cuts.push(at);
  for (const at of cuts) await cutAt(log, at, 65_536, head);
});
