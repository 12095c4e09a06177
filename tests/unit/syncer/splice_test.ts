import { assert, assertEquals, assertThrows } from "@std/assert";
import { eventChecksumOk } from "../../../lib/binlog/checksum.ts";
import { eventTypeAt, logPosAt } from "../../../lib/binlog/event_header.ts";
import { EventType } from "../../../lib/binlog/event_type.ts";
import { patchFormatDescription } from "../../../lib/binlog/format_description.ts";
import { GtidReader } from "../../../lib/binlog/gtid_event.ts";
import { encodeHeartbeat } from "../../../lib/binlog/heartbeat.ts";
import { decodePreviousGtids } from "../../../lib/binlog/previous_gtids.ts";
import {
  decodeRotate,
  encodeArtificialRotate,
} from "../../../lib/binlog/rotate.ts";
import { GtidSet } from "../../../lib/gtid/gtid_set.ts";
import type {
  BinlogStore,
  StoredFile,
} from "../../../lib/store/binlog_store.ts";
import { openMemoryStore } from "../../../lib/store/memory_store.ts";
import { FileNames } from "../../../lib/syncer/file_names.ts";
import { LogFollower } from "../../../lib/syncer/log_follower.ts";
import { SourceError } from "../../../lib/syncer/source_error.ts";
import {
  type BinlogFixture,
  type FixtureEvent,
  loadBinlogFixtures,
} from "../../support/binlog_fixture.ts";
import { dumpPackets, randomChunks } from "../../support/dump_packets.ts";
import { readFile } from "../../support/read_stored_file.ts";
import { SeededRandom } from "../../support/seeded_random.ts";

const OLD = "11111111-e6f6-11f1-a979-02fc00000001";
const NEW = "d63952fd-e6f6-11f1-a979-02fc00000001";

/** The files of a server that wrote them to their end. */
function filesOf(server: "mysql56" | "mysql97"): BinlogFixture[] {
  return loadBinlogFixtures(server)
    .filter(({ name }) => name.startsWith("binlog.")).slice(0, -1);
}

function gtidOf(event: FixtureEvent): GtidSet | undefined {
  const reader = new GtidReader();
  if (!reader.read(event.bytes, 0, event.bytes.length)) return undefined;
  const set = new GtidSet();
  set.add(reader.uuid, reader.tag, reader.gno);
  return set;
}

function previousOf(file: BinlogFixture): GtidSet {
  return GtidSet.parse(file.truth.previous_gtids ?? "");
}

/** An artificial rotate, which ends as the events of the file before it. */
function rotateTo(
  fileName: string,
  before: BinlogFixture | undefined,
): Uint8Array {
  return encodeArtificialRotate({
    serverId: 1,
    fileName,
    position: 4n,
    algorithm: before?.algorithm ?? "none",
  });
}

/** The log up to its n-th transaction: whole files, the last one cut short. */
function firstTransactions(
  files: readonly BinlogFixture[],
  count: number,
): Uint8Array[] {
  const events: Uint8Array[] = [];
  let begun = 0;
  for (const [index, file] of files.entries()) {
    const own = [rotateTo(file.name, files[index - 1])];
    for (const event of file.events) {
      if (gtidOf(event) !== undefined && ++begun > count) {
        return [...events, ...own];
      }
      own.push(event.bytes);
    }
    events.push(...own);
  }
  return events;
}

/** What a server sends by GTID to whom has `executed`. */
function dumpByGtid(
  files: readonly BinlogFixture[],
  executed: GtidSet,
): Uint8Array[] {
  const first = files.findLastIndex((file) =>
    executed.containsSet(previousOf(file))
  );
  const dump: Uint8Array[] = [];
  for (const [index, file] of files.entries()) {
    if (index < first) continue;
    dump.push(
      rotateTo(file.name, index > first ? files[index - 1] : undefined),
    );
    let skips = false;
    let skippedTo = 0;
    const firstGtid = file.events.map(gtidOf).find((one) => one !== undefined);
    for (const event of file.events) {
      if (event.type === EventType.FORMAT_DESCRIPTION) {
        const has = firstGtid !== undefined && executed.containsSet(firstGtid);
        dump.push(
          patchFormatDescription(event.bytes, {
            clearPosition: has && files.indexOf(file) === first,
          }),
        );
        continue;
      }
      const gtid = gtidOf(event);
      if (gtid !== undefined) skips = executed.containsSet(gtid);
      if (event.type === EventType.ROTATE) skips = false;
      if (skips) {
        skippedTo = event.position + event.bytes.length;
        continue;
      }
      if (skippedTo > 0) {
        dump.push(encodeHeartbeat({
          serverId: 1,
          fileName: file.name,
          position: BigInt(skippedTo),
          algorithm: file.algorithm,
          version: 1,
        }));
      }
      skippedTo = 0;
      dump.push(event.bytes);
    }
  }
  return dump;
}

function feed(follower: LogFollower, events: Uint8Array[], seed: number): void {
  const random = new SeededRandom(seed);
  const next = (max: number) => random.integer(0, max);
  for (const chunk of randomChunks(dumpPackets(events), next)) {
    follower.push(chunk);
    chunk.fill(0xee);
  }
}

/** A log of another server with the first `count` transactions. */
async function logWith(
  files: readonly BinlogFixture[],
  count: number,
): Promise<BinlogStore> {
  const store = await openMemoryStore();
  const follower = new LogFollower(store.writer, OLD, { fileStarted() {} });
  feed(follower, firstTransactions(files, count), count);
  await store.writer.rollback();
  return store;
}

function switchTo(store: BinlogStore, fresh = true): LogFollower {
  const newest = store.files.at(-1)!;
  const open = newest.spliced && !newest.closed
    ? newest.formatDescription
    : undefined;
  return new LogFollower(store.writer, NEW, { fileStarted() {} }, {
    names: new FileNames({
      last: newest,
      switched: fresh,
      isTaken: (name) => store.fileByName(name) !== undefined,
    }),
    splice: { open, fresh },
  });
}

/** The events of a stored file, checked for their places and checksums. */
async function eventsOf(
  store: BinlogStore,
  file: StoredFile,
): Promise<Uint8Array[]> {
  const bytes = await readFile(store, file);
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const events: Uint8Array[] = [];
  for (let at = 0; at < bytes.length;) {
    const size = view.getUint32(at + 9, true);
    const event = bytes.subarray(at, at + size);
    at += size;
    assertEquals(logPosAt(event, 0), at + 4, file.name);
    if (file.checksumAlgorithm === "crc32") assert(eventChecksumOk(event));
    events.push(event);
  }
  return events;
}

/** An event without what its place in a file makes of it. */
function unplaced(event: Uint8Array, trailerBytes: number): string {
  const copy = event.slice(0, event.length - trailerBytes);
  copy.fill(0, 13, 17);
  return copy.toHex();
}

/** Compares what the log has from the second server with that server's files. */
async function assertGoesOn(
  store: BinlogStore,
  files: readonly BinlogFixture[],
  before: GtidSet,
): Promise<void> {
  let executed = before.clone();
  for (const file of store.files) {
    if (file.serverUuid !== NEW) continue;
    const events = await eventsOf(store, file);
    const source = files.find(({ name }) => name === file.sourceName)!;
    const trailer = source.algorithm === "crc32" ? 4 : 0;
    assertEquals(
      decodePreviousGtids(events[1]!, source.algorithm).toString(),
      executed.toString(),
    );
    assertEquals(file.previousGtids.toString(), executed.toString());
    const expected: FixtureEvent[] = [];
    let skips = false;
    for (const event of source.events) {
      const gtid = gtidOf(event);
      if (gtid !== undefined) skips = executed.containsSet(gtid);
      if (event.type === EventType.ROTATE) skips = false;
      if (!skips) expected.push(event);
    }
    for (const event of source.events) {
      const gtid = gtidOf(event);
      if (gtid !== undefined) executed = executed.union(gtid);
    }
    const end = expected.at(-1)!;
    if (eventTypeAt(end.bytes, 0) === EventType.ROTATE) {
      const next = store.files[store.files.indexOf(file) + 1];
      const rotate = decodeRotate(events.at(-1)!, source.algorithm);
      assertEquals(rotate.fileName, next?.name ?? rotate.fileName);
      expected.pop();
      events.pop();
    }
    assertEquals(events.length, expected.length);
    for (const [index, event] of events.entries()) {
      const bytes = expected[index]!.bytes;
      if (!file.spliced) {
        assertEquals(event.toHex(), patched(bytes).toHex());
      } else if (index > 1) {
        assertEquals(unplaced(event, trailer), unplaced(bytes, trailer));
      }
    }
  }
  assertEquals(store.head!.executed.toString(), executed.toString());
}

/** A dump clears the in-use flag. */
function patched(event: Uint8Array): Uint8Array {
  return eventTypeAt(event, 0) === EventType.FORMAT_DESCRIPTION
    ? patchFormatDescription(event, { clearPosition: false })
    : event;
}

for (const server of ["mysql56", "mysql97"] as const) {
  const files = filesOf(server);
  const counts = files.flatMap((file) =>
    file.events.filter((event) =>
      gtidOf(event) !== undefined
    )
  ).length;

  Deno.test(`Splice goes on after any transaction of ${server}'s log`, async () => {
    const kinds = { spliced: 0, whole: 0 };
    for (let count = 1; count <= counts; count++) {
      await using store = await logWith(files, count);
      const before = store.head!.executed.clone();
      feed(switchTo(store), dumpByGtid(files, before), count);
      await store.writer.rollback();
      await assertGoesOn(store, files, before);
      const names = store.files.map(({ name }) => name);
      assertEquals(names.toSorted(), names);
      assertEquals(new Set(names).size, names.length);
      for (const file of store.files) {
        if (file.serverUuid === NEW) {
          kinds[
            file.spliced ? "spliced" : "whole"
          ]++;
        }
      }
    }
    assert(kinds.spliced > 10 && kinds.whole > 10, JSON.stringify(kinds));
  });

  Deno.test(`Splice goes on with what it began when ${server}'s dump breaks`, async () => {
    const random = new SeededRandom(5);
    for (const count of [1, 3, 8, 14, 17]) {
      await using store = await logWith(files, count);
      const before = store.head!.executed.clone();
      let fresh = true;
      for (let breaks = 0; breaks < 6; breaks++) {
        const dump = dumpPackets(dumpByGtid(files, store.head!.executed));
        const cut = random.integer(0, Math.min(dump.length, 1500));
        switchTo(store, fresh).push(dump.slice(0, cut));
        await store.writer.rollback();
        fresh = store.files.at(-1)!.serverUuid !== NEW;
        if (!fresh && !store.files.at(-1)!.spliced) break;
      }
      if (fresh || store.files.at(-1)!.spliced) {
        feed(
          switchTo(store, fresh),
          dumpByGtid(files, store.head!.executed),
          9,
        );
        await store.writer.rollback();
        await assertGoesOn(store, files, before);
      }
      const spliced = store.files.filter((file) => file.spliced);
      assert(spliced.length <= 1, `${spliced.length} files were spliced`);
    }
  });
}

Deno.test("Splice closes its file with the rotate, and goes on in another one", async () => {
  const files = filesOf("mysql97");
  await using store = await logWith(files, 3);
  const before = store.head!.executed.clone();
  const dump = dumpByGtid(files, before);
  const end = dump.findIndex((event) =>
    eventTypeAt(event, 0) === EventType.ROTATE && logPosAt(event, 0) > 0
  );
  switchTo(store).push(dumpPackets(dump.slice(0, end + 1)));
  await store.writer.rollback();
  const newest = store.files.at(-1)!;
  assertEquals([newest.spliced, newest.closed], [true, true]);
  // even a file that began in the same second is another one
  const again = dumpByGtid(files, store.head!.executed);
  const follower = new LogFollower(store.writer, NEW, { fileStarted() {} }, {
    names: new FileNames({ last: newest }),
    splice: { open: undefined, fresh: false },
  });
  follower.push(dumpPackets(again));
  await store.writer.rollback();
  await assertGoesOn(store, files, before);
});

Deno.test("Splice leaves no trace of a server that has nothing new", async () => {
  const files = filesOf("mysql56").slice(0, 1);
  await using store = await logWith(files, 15);
  const before = store.files.map(({ name, size }) => [name, size]);
  const dump = dumpByGtid(files, store.head!.executed);
  feed(switchTo(store), dump, 1);
  await store.writer.rollback();
  assertEquals(store.files.map(({ name, size }) => [name, size]), before);
});

Deno.test("Splice refuses a file that follows what was never sent", async () => {
  const files = filesOf("mysql56");
  await using store = await logWith(files, 3);
  const follower = switchTo(store);
  const later = files[2]!;
  const error = assertThrows(
    () =>
      follower.push(
        dumpPackets([
          rotateTo(later.name, undefined),
          ...later.events.map(({ bytes }) => bytes),
        ]),
      ),
    SourceError,
  );
  assertEquals(error.kind, "hole");
});

Deno.test("LogFollower says where a spliced event is in the source's own file", async () => {
  const files = filesOf("mysql56");
  await using store = await logWith(files, 3);
  const dump = dumpByGtid(files.slice(0, 1), store.head!.executed);
  const wanted: [string, bigint, number][] = [];
  const newest = store.files.at(-1)!;
  const follower: LogFollower = new LogFollower(store.writer, NEW, {
    fileStarted() {},
    replyWanted() {
      const { fileName, position } = follower.sourcePosition;
      wanted.push([fileName, position, store.writer.position]);
    },
  }, {
    names: new FileNames({ last: newest, switched: true }),
    splice: { open: undefined, fresh: true },
    semiSync: true,
  });
  // the magic bytes in front of every event; a reply is wanted for the last one
  const last = dump.findLastIndex((event) =>
    eventTypeAt(event, 0) === EventType.XID
  );
  const framed = dump.slice(0, last + 1).map((event, index) => {
    const packet = new Uint8Array(4 + 3 + event.length);
    const payload = event.length + 3;
    packet.set([payload & 0xff, payload >>> 8, payload >>> 16, index + 1]);
    packet.set([0, 0xef, index === last ? 1 : 0], 4);
    packet.set(event, 7);
    return packet;
  });
  for (const packet of framed) follower.push(packet);
  const [name, position, ours] = wanted[0]!;
  assertEquals([name, position], [
    files[0]!.name,
    BigInt(logPosAt(dump[last]!, 0)),
  ]);
  assert(BigInt(ours) < position);
});
