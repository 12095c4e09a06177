import { assertEquals, assertThrows } from "@std/assert";
import {
  type ChecksumAlgorithm,
  writeEventChecksum,
} from "../../../lib/binlog/checksum.ts";
import { encodeHeartbeat } from "../../../lib/binlog/heartbeat.ts";
import { encodeArtificialRotate } from "../../../lib/binlog/rotate.ts";
import { GtidSet } from "../../../lib/gtid/gtid_set.ts";
import { encodeErr } from "../../../lib/protocol/response.ts";
import { ServerError } from "../../../lib/protocol/server_error.ts";
import { encodePackets } from "../../../lib/protocol/packet_encoder.ts";
import {
  type BinlogStore,
  FIRST_POSITION,
} from "../../../lib/store/binlog_store.ts";
import { openMemoryStore } from "../../../lib/store/memory_store.ts";
import { LogFollower } from "../../../lib/syncer/log_follower.ts";
import { SourceError } from "../../../lib/syncer/source_error.ts";
import {
  type BinlogFixture,
  loadBinlogFixture,
  loadBinlogFixtures,
} from "../../support/binlog_fixture.ts";
import {
  dumpPackets,
  joinBytes,
  randomChunks,
} from "../../support/dump_packets.ts";
import { largeRowsTransaction } from "../../support/large_transaction.ts";
import { readFile } from "../../support/read_stored_file.ts";
import { SeededRandom } from "../../support/seeded_random.ts";

const UUID = "d63952fd-e6f6-11f1-a979-02fc00000001";

function rotate(
  fixture: BinlogFixture,
  position = FIRST_POSITION,
  algorithm: ChecksumAlgorithm = "none",
): Uint8Array {
  return encodeArtificialRotate({
    serverId: 1,
    fileName: fixture.name,
    position: BigInt(position),
    algorithm,
  });
}

/** A dump of whole files: each rotate ends as the file before it does. */
function wholeFiles(fixtures: readonly BinlogFixture[]): Uint8Array {
  return dumpPackets(
    fixtures.flatMap((one, index) => [
      rotate(one, FIRST_POSITION, fixtures[index - 1]?.algorithm),
      ...one.events.map((event) => event.bytes),
    ]),
  );
}

function newFollower(store: BinlogStore): LogFollower {
  return new LogFollower(store.writer, UUID, { fileStarted() {} });
}

for (const server of ["mysql56", "mysql97"] as const) {
  Deno.test(`LogFollower stores ${server}'s files byte for byte`, async () => {
    // The newest file was open when it was copied; a dump clears its flag.
    const fixtures = loadBinlogFixtures(server)
      .filter((one) => one.name.startsWith("binlog.")).slice(0, -1);
    const random = new SeededRandom(1);
    await using store = await openMemoryStore();
    const follower = newFollower(store);
    const stream = wholeFiles(fixtures);
    for (
      const chunk of randomChunks(stream, (max) => random.integer(0, max))
    ) {
      follower.push(chunk);
      chunk.fill(0xee);
    }
    await store.writer.flush();
    assertEquals(
      store.files.map((file) => [file.name, file.size, file.closed]),
      fixtures.map((one, index) => [
        one.name,
        one.bytes.length,
        index < fixtures.length - 1,
      ]),
    );
    for (const [index, fixture] of fixtures.entries()) {
      assertEquals(
        await readFile(store, store.files[index]!),
        fixture.bytes.subarray(FIRST_POSITION),
      );
    }
    const executed = fixtures.at(-1)!.truth.executed_after!;
    assertEquals(
      store.head!.executed.toString(),
      GtidSet.parse(executed).toString(),
    );
  });
}

Deno.test("LogFollower goes on in the middle of a file after a reconnect", async () => {
  const fixture = loadBinlogFixture("mysql56", "binlog.000001");
  await using store = await openMemoryStore();
  const first = newFollower(store);
  const half = fixture.events.findIndex((event) =>
    event.position > fixture.bytes.length / 2
  );
  first.push(dumpPackets([
    rotate(fixture),
    ...fixture.events.slice(0, half).map((event) => event.bytes),
  ]));
  await store.writer.rollback();
  const { position } = store.writer;
  assertEquals(position, store.head!.position);
  const second = newFollower(store);
  // The format description of a resumed file has no position of its own.
  const format = fixture.events[0]!.bytes.slice();
  format.fill(0, 13, 17);
  writeEventChecksum(format);
  second.push(dumpPackets([
    rotate(fixture, position),
    format,
    ...fixture.events.filter((event) => event.position >= position)
      .map((event) => event.bytes),
  ]));
  await store.writer.flush();
  assertEquals(
    await readFile(store, store.files[0]!),
    fixture.bytes.subarray(FIRST_POSITION),
  );
});

/** Two files, the first of which a crash has cut behind an event. */
function crashed() {
  const [first, second] = ["binlog.000001", "binlog.000002"].map((name) =>
    loadBinlogFixture("mysql56", name)
  );
  const kept = first!.events.slice(0, -1).map(({ bytes }) => bytes);
  const size = first!.events.at(-1)!.position;
  const stream = dumpPackets([
    rotate(first!),
    ...kept,
    rotate(second!, FIRST_POSITION, first!.algorithm),
    ...second!.events.map(({ bytes }) => bytes),
  ]);
  return { first: first!, second: second!, size, stream };
}

Deno.test("LogFollower goes on behind a file that a crash has ended", async () => {
  const { first, second, size, stream } = crashed();
  await using store = await openMemoryStore();
  const follower = new LogFollower(store.writer, UUID, { fileStarted() {} }, {
    closedFiles: new Map([[first.name, size]]),
  });
  follower.push(stream);
  await store.writer.flush();
  assertEquals(
    store.files.map((file) => [file.name, file.size, file.closed]),
    [[first.name, size, true], [second.name, second.bytes.length, false]],
  );
});

Deno.test("LogFollower doubts that a file ended which was not closed", async () => {
  const { first, size, stream } = crashed();
  for (const closed of [[], [[first.name, size + 1]]] as [string, number][][]) {
    await using store = await openMemoryStore();
    const follower = new LogFollower(store.writer, UUID, { fileStarted() {} }, {
      closedFiles: new Map(closed),
    });
    const error = assertThrows(() => follower.push(stream), SourceError);
    assertEquals(error.kind, "lost");
    assertEquals(follower.unendedAt, { fileName: first.name, position: size });
    assertEquals(store.writer.fileName, first.name);
  }
});

Deno.test("LogFollower takes a file with a rotate event for ended", async () => {
  const fixtures = ["binlog.000001", "binlog.000002"].map((name) =>
    loadBinlogFixture("mysql56", name)
  );
  await using store = await openMemoryStore();
  const follower = new LogFollower(store.writer, UUID, { fileStarted() {} }, {
    closedFiles: new Map(),
  });
  follower.push(wholeFiles(fixtures));
  await store.writer.flush();
  assertEquals(store.files.length, 2);
});

Deno.test("LogFollower takes heartbeats that agree and refuses others", async () => {
  const fixture = loadBinlogFixture("mysql97", "binlog.000001");
  await using store = await openMemoryStore();
  const follower = newFollower(store);
  follower.push(dumpPackets([
    rotate(fixture),
    ...fixture.events.map((event) => event.bytes),
  ]));
  const next = 1 + 1 + fixture.events.length;
  const heartbeat = (position: number) =>
    encodeHeartbeat({
      serverId: 1,
      fileName: fixture.name,
      position: BigInt(position),
      algorithm: "crc32",
      version: 2,
    });
  follower.push(
    dumpPackets([heartbeat(fixture.bytes.length)], next & 0xff),
  );
  assertEquals(store.writer.position, fixture.bytes.length);
  const error = assertThrows(
    () =>
      follower.push(
        dumpPackets([heartbeat(fixture.bytes.length + 1)], (next + 1) & 0xff),
      ),
    SourceError,
  );
  assertEquals(error.kind, "stream");
});

Deno.test("LogFollower refuses an event with a flipped bit", async () => {
  const fixture = loadBinlogFixture("mysql97", "binlog.000001");
  for (const index of [0, 1, 2, 5, 9]) {
    for (const offset of [0, 4, 9, 20, 25]) {
      await using store = await openMemoryStore();
      const follower = newFollower(store);
      const events = fixture.events.slice(0, 10).map((event) =>
        event.bytes.slice()
      );
      events[index]![offset]! ^= 0x10;
      assertThrows(
        () => follower.push(dumpPackets([rotate(fixture), ...events])),
        Error,
        undefined,
        `event ${index} offset ${offset}`,
      );
      await store.writer.rollback();
    }
  }
});

Deno.test("LogFollower refuses a lost event", async () => {
  const fixture = loadBinlogFixture("mysql97", "binlog.000001");
  await using store = await openMemoryStore();
  const follower = newFollower(store);
  const events = fixture.events.map((event) => event.bytes);
  events.splice(4, 1);
  const error = assertThrows(
    () => follower.push(dumpPackets([rotate(fixture), ...events])),
    SourceError,
  );
  assertEquals(error.kind, "stream");
});

Deno.test("LogFollower refuses a file that follows unknown transactions", async () => {
  const first = loadBinlogFixture("mysql97", "binlog.000001");
  const third = loadBinlogFixture("mysql97", "binlog.000003");
  await using store = await openMemoryStore();
  const follower = newFollower(store);
  const error = assertThrows(
    () => follower.push(wholeFiles([first, third])),
    SourceError,
  );
  assertEquals(error.kind, "hole");
});

Deno.test("LogFollower throws the error a source ends a dump with", async () => {
  await using store = await openMemoryStore();
  const follower = newFollower(store);
  const packet = encodePackets(
    encodeErr({ code: 1236, sqlState: "HY000", message: "no such file" }),
    1,
  );
  const error = assertThrows(
    () => follower.push(packet.bytes),
    ServerError,
    "no such file",
  );
  assertEquals(error.code, 1236);
});

Deno.test("LogFollower notices the end of a dump", async () => {
  await using store = await openMemoryStore();
  const follower = newFollower(store);
  follower.push(Uint8Array.of(5, 0, 0, 1, 0xfe, 0, 0, 2, 0));
  assertEquals(follower.ended, true);
});

Deno.test("LogFollower keeps a row event of 20 MB", async () => {
  const fixture = loadBinlogFixture("mysql56", "binlog.000003");
  // Files without checksums can be made by hand.
  assertEquals(fixture.algorithm, "none");
  const events = fixture.events.map((event) => event.bytes);
  const whole = fixture.truth.gtids_in_file.length;
  const end = fixture.events.findLastIndex((event) => event.type === 16) + 1;
  const kept = events.slice(0, end);
  const position = fixture.events[end - 1]!.position + kept.at(-1)!.length;
  const more = largeRowsTransaction({
    position,
    rowsBytes: 20_000_000,
    uuid: UUID,
    gno: 900_000n,
  });
  await using store = await openMemoryStore();
  const follower = newFollower(store);
  const stream = dumpPackets([rotate(fixture), ...kept, ...more]);
  for (let at = 0; at < stream.length; at += 65_536) {
    follower.push(stream.slice(at, at + 65_536));
    await store.writer.ready();
  }
  await store.writer.flush();
  assertEquals(store.head!.lastGtid, `${UUID}:900000`);
  assertEquals(whole > 0, true);
  const stored = await readFile(store, store.files[0]!);
  const sent = joinBytes([...kept, ...more]);
  assertEquals(stored.length, sent.length);
  assertEquals(stored.findIndex((byte, at) => byte !== sent[at]), -1);
});
