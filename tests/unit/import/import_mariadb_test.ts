import { assert, assertEquals, assertRejects } from "@std/assert";
import { EventType } from "../../../lib/binlog/event_type.ts";
import { writeEventChecksum } from "../../../lib/binlog/checksum.ts";
import { listBinlogPaths } from "../../../lib/import/binlog_path.ts";
import { ImportError } from "../../../lib/import/import_error.ts";
import {
  type ImportedFile,
  importFiles,
} from "../../../lib/import/import_files.ts";
import {
  type BinlogStore,
  FIRST_POSITION,
} from "../../../lib/store/binlog_store.ts";
import { openMemoryStore } from "../../../lib/store/memory_store.ts";
import {
  type BinlogFixture,
  type FixtureServer,
  loadBinlogFixtures,
} from "../../support/binlog_fixture.ts";
import { BinlogFolder } from "../../support/binlog_folder.ts";
import { joinBytes } from "../../support/dump_packets.ts";
import { bareEvent } from "../../support/made_events.ts";
import { readFile } from "../../support/read_stored_file.ts";

const AT_END = "0-8001-1011,3-8001-1,3-77-2";

function fixturesOf(server: FixtureServer): BinlogFixture[] {
  return loadBinlogFixtures(server).filter(({ name }) =>
    name.startsWith("binlog.")
  );
}

async function importAll(
  store: BinlogStore,
  folder: BinlogFolder,
): Promise<ImportedFile[]> {
  return await importFiles(store, await listBinlogPaths([folder.path]), {
    serverUuid: "",
    acceptTornEnd: false,
  });
}

/** A captured file with other content. */
function changed(
  { name }: BinlogFixture,
  bytes: Uint8Array,
): Pick<BinlogFixture, "name" | "bytes"> {
  return { name, bytes };
}

/** A file with its events from an index on left out. */
function cutAt(fixture: BinlogFixture, event: number): Uint8Array {
  return fixture.bytes.slice(0, fixture.events[event]!.position);
}

async function refusal(
  store: BinlogStore,
  folder: BinlogFolder,
): Promise<ImportError> {
  return await assertRejects(() => importAll(store, folder), ImportError);
}

Deno.test("importFiles() stores MariaDB's files byte for byte, with their states", async () => {
  const fixtures = fixturesOf("mariadb1011");
  using folder = new BinlogFolder(fixtures);
  await using store = await openMemoryStore();
  await importAll(store, folder);
  for (const [index, { bytes }] of fixtures.entries()) {
    const served = bytes.slice(FIRST_POSITION);
    served[17] = served[17]! & ~1;
    assertEquals(await readFile(store, store.files[index]!), served);
  }
  assertEquals(`${store.head!.mariadb}`, AT_END);
  assertEquals(`${store.files[1]!.mariadbStart}`, "0-8001-21");
  const again = await importAll(store, folder);
  assertEquals(again.map(({ bytes }) => bytes), fixtures.map(() => 0));
});

Deno.test("importFiles() finds a gap between MariaDB's files", async () => {
  const fixtures = fixturesOf("mariadb1011");
  using first = new BinlogFolder(fixtures.slice(0, 1));
  using third = new BinlogFolder(fixtures.slice(2, 3));
  // As if it came next.
  using named = new BinlogFolder();
  named.write("binlog.000002", fixtures[2]!.bytes);
  await using store = await openMemoryStore();
  await importAll(store, first);
  assertEquals((await refusal(store, third)).fault, "order");
  const error = await refusal(store, named);
  assertEquals(error.fault, "other-history");
  assert(
    error.message.includes(
      "it follows transactions that the store does not have: 3-8001-1,3-77-2,0-8001-1001",
    ),
    error.message,
  );
});

Deno.test("importFiles() finds a MariaDB file that ends too early or too late", async () => {
  const fixtures = fixturesOf("mariadb1011");
  const [first, second] = fixtures as [BinlogFixture, BinlogFixture];
  const lastGtid = first.events.findLastIndex(({ type }) =>
    type === EventType.MARIADB_GTID
  );
  using early = new BinlogFolder();
  early.write(first.name, cutAt(first, lastGtid));
  early.write(second.name, second.bytes);
  await using store = await openMemoryStore();
  const error = await refusal(store, early);
  assertEquals(error.fault, "other-history");
  assert(error.message.includes("does not have: 0-8001-21"), error.message);
});

Deno.test("importFiles() keeps half a transaction that a crash of MariaDB left", async () => {
  const fixtures = fixturesOf("mariadb1011");
  const crashed = fixtures[4]!;
  const next = fixtures[5]!;
  const begins = crashed.events.findLastIndex(({ type }) =>
    type === EventType.MARIADB_GTID
  );
  // What the next file follows had not been written when the server crashed.
  const torn = crashed.bytes.slice(0, crashed.bytes.length);
  const half = crashed.events[begins]!;
  const stop = crashed.events.at(-1)!;
  assertEquals(stop.type, EventType.STOP);
  const repeated = half.bytes.slice();
  const view = new DataView(repeated.buffer);
  view.setUint32(13, stop.position + repeated.length, true);
  // One more transaction in place of the stop event, of which only this came.
  view.setBigUint64(19, 1012n, true);
  writeEventChecksum(repeated);
  const bytes = joinBytes([torn.slice(0, stop.position), repeated]);
  using folder = new BinlogFolder([
    ...fixtures.slice(0, 4),
    changed(crashed, bytes),
    next,
  ]);
  await using store = await openMemoryStore();
  const done = await importAll(store, folder);
  assert(done[4]!.warning!.includes("its server crashed"));
  assertEquals(done[4]!.tornBytes, 0);
  assertEquals(store.files[4]!.size, bytes.length);
  assertEquals(
    await readFile(store, store.files[4]!),
    bytes.slice(FIRST_POSITION),
  );
  // The transaction came to nothing.
  assertEquals(`${store.head!.mariadb}`, AT_END);
  assertEquals(store.files.length, 6);
  // Not so where the server had not been restarted.
  const flushed = fixtures[2]!;
  using wrong = new BinlogFolder([
    fixtures[0]!,
    changed(fixtures[1]!, cutAt(fixtures[1]!, fixtures[1]!.events.length - 2)),
    flushed,
  ]);
  await using other = await openMemoryStore();
  assertEquals((await refusal(other, wrong)).fault, "torn");
});

Deno.test("importFiles() refuses an encrypted MariaDB file, not one that was decrypted", async () => {
  const fixture = fixturesOf("mariadb1011")[0]!;
  const [format, ...rest] = fixture.events.map(({ bytes }) => bytes.slice());
  // Scheme, key version, nonce.
  const start = bareEvent(EventType.MARIADB_START_ENCRYPTION, {
    flags: 0x80,
    body: new Uint8Array(17),
  });
  let position = FIRST_POSITION + format!.length;
  const placed = [start, ...rest].map((event) => {
    position += event.length;
    new DataView(event.buffer).setUint32(13, position, true);
    writeEventChecksum(event);
    return event;
  });
  // The rotate's position at the next file is not of interest here.
  const plain = joinBytes([fixture.bytes.slice(0, 4), format!, ...placed]);
  const encrypted = plain.slice();
  const from = FIRST_POSITION + format!.length + start.length;
  for (let at = from; at < encrypted.length; at++) encrypted[at]! ^= 0x5a;
  using folder = new BinlogFolder([changed(fixture, encrypted)]);
  await using store = await openMemoryStore();
  const error = await refusal(store, folder);
  assertEquals(error.fault, "encrypted");
  assert(
    error.message.includes("mariadb-binlog --read-from-remote-server --raw"),
  );
  assertEquals(store.head, undefined);
  using readable = new BinlogFolder([changed(fixture, plain)]);
  await importAll(store, readable);
  assertEquals(`${store.head!.mariadb}`, "0-8001-21");
});

Deno.test("importFiles() takes no file of MariaDB into a log of MySQL, nor the other way round", async () => {
  const mysql = fixturesOf("mysql97");
  const mariadb = fixturesOf("mariadb1011");
  for (
    const [one, other, said] of [
      [mysql, mariadb, "a file of MariaDB, and the store has those of MySQL"],
      [mariadb, mysql, "a file of MySQL, and the store has those of MariaDB"],
    ] as const
  ) {
    await using store = await openMemoryStore();
    using first = new BinlogFolder(one.slice(0, 1));
    using next = new BinlogFolder(other.slice(1, 2));
    await importAll(store, first);
    const error = await refusal(store, next);
    assertEquals(error.fault, "other-history");
    assert(error.message.includes(said), error.message);
  }
});
