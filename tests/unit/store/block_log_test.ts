import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  type BinlogStore,
  BLOCK_BYTES_MAX,
  StoreError,
} from "../../../lib/store/binlog_store.ts";
import {
  BlockLog,
  type BlockLogOptions,
} from "../../../lib/store/block_log.ts";
import { dumpPackets } from "../../support/dump_packets.ts";
import { MemoryDisk, MemoryEngine } from "../../../lib/store/memory_engine.ts";
import {
  blockPlace,
  openSealed,
  summaryPlace,
} from "../../../lib/store/sealed_bytes.ts";
import { decodeSummary } from "../../../lib/store/summary_codec.ts";
import { GatedEngine } from "../../support/gated_engine.ts";
import { LogFeeder } from "../../support/log_feeder.ts";
import { MadeLog } from "../../support/made_log.ts";
import { assertSameBytes, NaiveLog } from "../../support/naive_log.ts";
import { readFramed, readFrom, unframe } from "../../support/read_log.ts";
import { readFile } from "../../support/read_stored_file.ts";

/** A log over an engine that can be held up, with one file begun. */
class GatedLog implements AsyncDisposable {
  readonly made = new MadeLog();
  readonly naive = new NaiveLog();

  private constructor(
    readonly engine: GatedEngine,
    readonly store: BinlogStore,
    readonly feeder: LogFeeder,
  ) {}

  static async open(
    options: BlockLogOptions = { tailBytes: 0, cacheBytes: 1 },
  ): Promise<GatedLog> {
    const engine = new GatedEngine();
    // Unless told otherwise, nearly everything comes from disk.
    const store = await BlockLog.open(engine, options);
    const log = new GatedLog(engine, store, new LogFeeder(store.writer));
    log.feeder.startFile("binlog.000001");
    log.naive.startFile("binlog.000001");
    await log.append(log.made.beginFile());
    return log;
  }

  /** Appends whole transactions, and makes them durable. */
  async append(events: readonly Uint8Array[]): Promise<void> {
    this.naive.append(events);
    this.feeder.push(events);
    await this.store.writer.flush();
  }

  async transaction(rows: readonly number[]): Promise<void> {
    await this.append(this.made.transaction({ rows }));
  }

  /** Appends the begin of a transaction, and writes it ahead. */
  async writeAhead(rows: readonly number[]): Promise<void> {
    this.feeder.push(this.made.transaction({ rows }).slice(0, -1));
    await this.store.writer.flush();
  }

  /** Drops it again. */
  async rollback(): Promise<void> {
    await this.store.writer.rollback();
    this.feeder.reset();
    this.made.goBackTo(this.store.head!.position, this.naive.executed);
  }

  get bytes(): Uint8Array {
    return this.naive.bytes(0, this.naive.newest!);
  }

  async check(): Promise<void> {
    await this.naive.assertShown(this.store, this.naive.newest);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.engine.commits.open();
    this.engine.answers.open();
    this.engine.reads.open();
    await this.store.close();
  }
}

/** Lets everything happen that waits for nothing but its turn. */
async function settle(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve));
}

const MANY = Array(40).fill(40_000);

Deno.test("BlockLog has one commit under way, and puts what comes into the next", async () => {
  await using log = await GatedLog.open();
  const { engine, made, naive, feeder } = log;
  engine.commits.shut();
  const before = engine.batches.length;
  for (let count = 0; count < 10; count++) {
    const events = made.transaction();
    naive.append(events);
    feeder.push(events);
    await settle();
  }
  assertEquals(engine.batches.length, before);
  engine.commits.open();
  await log.store.writer.flush();
  assertEquals(engine.batches.length, before + 2);
  assertEquals(engine.atOnceMax, 1);
  await log.check();
});

Deno.test("BlockLog moves the head only after the commit has returned", async () => {
  await using log = await GatedLog.open();
  const { engine, store, made, feeder } = log;
  const position = store.head!.position;
  engine.commits.shut();
  feeder.push(made.transaction({ rows: MANY }));
  let flushed = false;
  const flush = store.writer.flush().then(() => flushed = true);
  await settle();
  assertEquals([store.head!.position, flushed], [position, false]);
  engine.commits.open();
  await flush;
  assertEquals(store.head!.position, made.position);
});

Deno.test("BlockLog commits what was appended, though it is not copied yet", async () => {
  await using log = await GatedLog.open();
  const { engine, store, made, naive } = log;
  const { writer } = store;
  engine.commits.shut();
  const first = made.transaction();
  naive.append(first);
  log.feeder.push(first);
  await settle();
  // A source that breaks off in the middle of a chunk: no end of input.
  const events = made.transaction();
  naive.append(events);
  const packets = dumpPackets(events);
  let at = 0;
  for (const event of events) {
    writer.event(packets, at, at + event.length + 5, made.timestamp - 1, false);
    at += event.length + 5;
  }
  writer.beginTransaction(naive.executed.uuids()[0]!, "", 2n);
  writer.boundary();
  engine.commits.open();
  await settle();
  // The commit that was under way has taken it along.
  assertEquals(store.head!.position, made.position);
  await log.check();
});

Deno.test("BlockLog commits nothing after a commit that failed", async () => {
  await using log = await GatedLog.open();
  const { engine, store, made, feeder } = log;
  const head = store.head;
  const before = engine.batches.length;
  engine.fault = new TypeError("disk full");
  const error = await assertRejects(
    () => log.transaction(MANY),
    StoreError,
    "disk full",
  );
  assertEquals(error.kind, "io");
  assert(error.cause instanceof TypeError);
  assertEquals(store.failure, error);
  for (let count = 0; count < 3; count++) {
    feeder.push(made.transaction({ rows: MANY }));
    await settle();
    assertEquals(await assertRejects(() => store.writer.ready()!), error);
    assertEquals(await assertRejects(() => store.writer.rollback()), error);
  }
  assertEquals(engine.batches.length, before);
  assertEquals(store.head, head);
});

Deno.test("BlockLog tells those who wait for room that it failed", async () => {
  await using log = await GatedLog.open();
  const { engine, store, made, feeder } = log;
  engine.commits.shut();
  feeder.push(made.transaction({ rows: Array(90).fill(50_000) }));
  // Two that wait, and one that does not look.
  const waiting = [store.writer.ready(), store.writer.ready()];
  store.writer.ready();
  engine.fault = new TypeError("disk full");
  engine.commits.open();
  for (const room of waiting) {
    await assertRejects(() => room!, StoreError, "disk full");
  }
});

for (const gate of ["commits", "answers"] as const) {
  Deno.test(`BlockLog reads the head's block while a rollback's ${gate} wait`, async () => {
    await using log = await GatedLog.open();
    const { engine, store } = log;
    // More than the cache holds, so that the head's block is not in it.
    await log.transaction(Array(70).fill(60_000));
    await log.transaction([300]);
    // Now that block is whole on disk, and holds more than is visible.
    await log.writeAhead(MANY);
    engine[gate].shut();
    const rollback = log.rollback();
    await settle();
    assertSameBytes(await readFrom(store, 1, 4), log.bytes);
    engine[gate].open();
    await rollback;
    await log.transaction([500]);
    await log.check();
  });
}

Deno.test("BlockLog keeps the newest block in few pieces", async () => {
  await using log = await GatedLog.open();
  for (let count = 0; count < 100; count++) await log.transaction([40]);
  const pieces = log.engine.batches.map((batch) => batch.tail?.piece ?? 0);
  assertEquals(Math.max(...pieces), 31);
  assert(pieces.filter((piece) => piece === 0).length > 3);
});

Deno.test("BlockLog does not hand out what a rollback has removed", async () => {
  await using log = await GatedLog.open();
  const { engine, store } = log;
  await log.transaction([300]);
  await log.writeAhead(MANY);
  const reader = await store.openReader({ fileNumber: 1, position: 4 });
  // It reads the block as it was, and hears of it late.
  engine.reads.shut();
  const later = reader.next();
  assert(later instanceof Promise);
  await settle();
  const rollback = log.rollback();
  await settle();
  engine.reads.open();
  await rollback;
  await log.transaction([70_000, 40]);
  await log.transaction([70_000, 40]);
  const first = (await later)!.bytes.slice();
  const rest = await readFramed(reader);
  const framed = new Uint8Array(first.length + rest.length);
  framed.set(first);
  framed.set(rest, first.length);
  assertSameBytes(unframe(framed), log.bytes);
  assertSameBytes(await readFile(store, store.files[0]!), log.bytes);
});

for (const when of ["before", "during"]) {
  Deno.test(`BlockLog does not keep blocks that were read ${when} a rollback`, async () => {
    await using log = await GatedLog.open({
      tailBytes: 0,
      cacheBytes: 10_000_000,
    });
    const { engine, store } = log;
    await log.transaction([60_000, 60_000, 60_000]);
    await log.writeAhead(MANY);
    const start = { fileNumber: 1, position: 4 };
    // What it reads ahead of the head is removed, and then is something else.
    const read = async (): Promise<void> => {
      await (await store.openReader(start)).next();
    };
    if (when === "before") {
      engine.reads.shut();
      const reading = read();
      await settle();
      const rollback = log.rollback();
      await settle();
      engine.reads.open();
      await Promise.all([reading, rollback]);
    } else {
      engine.commits.shut();
      const rollback = log.rollback();
      await settle();
      await read();
      engine.commits.open();
      await rollback;
    }
    await log.transaction(Array(60).fill(50_000));
    await log.check();
  });
}

Deno.test("BlockLog keeps a sealed block in memory until it is on disk", async () => {
  await using log = await GatedLog.open();
  const { engine, store, made, feeder } = log;
  await log.transaction([300]);
  engine.commits.shut();
  feeder.push(made.transaction({ rows: MANY }).slice(0, -1));
  await settle();
  assertSameBytes(await readFrom(store, 1, 4), log.bytes);
});

Deno.test("BlockLog shows a file as closed only with all of its bytes", async () => {
  await using log = await GatedLog.open();
  const { engine, store, made, naive, feeder } = log;
  engine.commits.shut();
  for (let count = 0; count < 30; count++) {
    const events = made.transaction({ rows: [60_000] });
    naive.append(events);
    feeder.push(events);
  }
  const size = made.position;
  feeder.startFile("binlog.000002");
  // The record of the ended file goes with the first of these commits.
  engine.commits.letOnePass();
  await settle();
  for (let step = 0; store.head!.position < size; step++) {
    engine.commits.letOnePass();
    await settle();
    const [file] = store.files;
    assertEquals(file!.closed, file!.size === size, `step ${step}`);
  }
  assert(engine.batches.length > 3);
});

Deno.test("BlockLog goes on with a file whose end was on disk too early", async () => {
  const disk = new MemoryDisk();
  const engine = new GatedEngine(disk);
  const made = new MadeLog();
  const store = await BlockLog.open(engine);
  const feeder = new LogFeeder(store.writer);
  feeder.startFile("binlog.000001");
  feeder.push(made.beginFile());
  await store.writer.flush();
  engine.commits.shut();
  feeder.push(made.transaction({ rows: MANY }));
  feeder.startFile("binlog.000002");
  await settle();
  engine.commits.letOnePass();
  await settle();
  engine.commits.letOnePass();
  await settle();
  const lost = disk.files.get(1)!;
  assert(lost.closed && lost.size > disk.head!.position);
  // After the crash the file ends elsewhere.
  await using again = await BlockLog.open(new MemoryEngine(disk));
  const { writer } = again;
  assertEquals(again.files[0]!.closed, false);
  made.goBackTo(again.head!.position, writer.executed);
  const other = new LogFeeder(writer);
  other.push(made.transaction({ rows: [100] }));
  const size = made.position;
  other.startFile("binlog.000002");
  other.push(made.beginFile());
  await writer.flush();
  assertEquals([again.files[0]!.closed, again.files[0]!.size], [true, size]);
});

Deno.test("BlockLog never cuts a packet header", async () => {
  await using log = await GatedLog.open();
  const { engine, store } = log;
  const { writer } = store;
  for (let room = 0; room < 6; room++) {
    const before = engine.batches.length;
    const body = new Uint8Array(BLOCK_BYTES_MAX - 5 - room);
    writer.beginEvent(1, true);
    writer.eventHeader(Uint8Array.of(1, 1, 1, 1, 0), 0, 5);
    writer.eventBody(body, 0, body.length);
    writer.eventHeader(Uint8Array.of(9, 8, 7, 6, 5, 4), 1, 5);
    writer.eventBody(body, 0, 100);
    await writer.rollback();
    const blocks = engine.batches.slice(before).flatMap((one) => one.blocks);
    // The begun file's block, the one that is full, and none of the rest.
    const full = blocks[1]!;
    const whole = room >= 4;
    const bytes = openSealed(blockPlace(full.number), full.bytes)!;
    assertEquals(bytes.length, BLOCK_BYTES_MAX - (whole ? 0 : room));
    if (whole) assertEquals(bytes.at(-room), 8);
    const summary = openSealed(summaryPlace(full.number), full.summary)!;
    assertEquals(decodeSummary(summary).endsInside, true);
  }
});

Deno.test("BlockLog's reads may fail when nobody waits for them", async () => {
  await using log = await GatedLog.open();
  const { engine, store } = log;
  await log.transaction(MANY);
  engine.reads.shut();
  const reader = await store.openReader({ fileNumber: 1, position: 4 });
  const later = reader.next();
  await settle();
  engine.readFault = new TypeError("no disk");
  engine.reads.open();
  // An unhandled rejection would end the test here.
  await settle();
  await assertRejects(async () => await later, TypeError, "no disk");
  engine.readFault = undefined;
  assertSameBytes(unframe(await readFramed(reader)), log.bytes);
});

Deno.test("BlockLog.close() during a rollback ends both", async () => {
  const log = await GatedLog.open();
  const { engine, store } = log;
  await log.writeAhead(MANY);
  engine.commits.shut();
  const rollback = log.rollback();
  await settle();
  const closed = store.close();
  await settle();
  engine.commits.open();
  await Promise.all([rollback, closed]);
  assertEquals(store.failure?.kind, "closed");
});

Deno.test("BlockLog.close() says when the last boundary is lost", async () => {
  const log = await GatedLog.open();
  const { engine, store, made, feeder } = log;
  engine.commits.shut();
  feeder.push(made.transaction());
  const closed = store.close();
  engine.fault = new TypeError("disk full");
  engine.commits.open();
  await assertRejects(() => closed, StoreError, "disk full");
  assertEquals(store.failure?.kind, "closed");
  assertEquals((store.failure?.cause as StoreError).kind, "io");
});

Deno.test("BlockLog bounds the memory of many small files", async () => {
  await using log = await GatedLog.open();
  const { engine, store, made, feeder } = log;
  engine.commits.shut();
  // Each is a block of its own; what waits must not look larger than it is.
  for (let file = 0; file < 1000; file++) {
    feeder.startFile(`binlog.${file}`);
    feeder.push(made.beginFile());
  }
  assertEquals(store.writer.ready(), undefined);
  engine.commits.open();
  await store.writer.flush();
  const buffers = engine.batches.flatMap((batch) =>
    batch.blocks.map((block) => block.bytes.buffer.byteLength)
  );
  assert(buffers.length >= 1000);
  assert(Math.max(...buffers) < 1000);
});

Deno.test("BlockLog serves what is there, and writes nothing, before a vast transaction has gone", async () => {
  const disk = new MemoryDisk();
  const made = new MadeLog();
  const naive = new NaiveLog();
  const old = await BlockLog.open(new MemoryEngine(disk));
  const before = new LogFeeder(old.writer);
  const append = (
    feeder: LogFeeder,
    events: readonly Uint8Array[],
  ): void => {
    naive.append(events);
    feeder.push(events);
  };
  naive.startFile("binlog.000001");
  before.startFile("binlog.000001");
  append(before, made.beginFile());
  append(before, made.transaction({ rows: Array(4).fill(60_000) }));
  const { position } = made;
  before.push(
    made.transaction({ rows: Array(480).fill(60_000) }).slice(0, -1),
  );
  await old.writer.flush();
  made.goBackTo(position, naive.executed);

  const engine = new GatedEngine(disk);
  engine.removals.shut();
  await using store = await BlockLog.open(engine, { tailBytes: 0 });
  const after = new LogFeeder(store.writer);
  // Reads what is behind the head into the cache, too.
  await naive.assertShown(store, naive.newest);
  await readFrom(store, 1, naive.positions(0, naive.newest!).at(-3)!);
  const shown = naive.newest;
  const { batches } = engine;
  const committed = batches.length;
  append(after, made.transaction({ rows: Array(30).fill(59_000) }));
  const flushed = store.writer.flush();
  await new Promise((resolve) => setTimeout(resolve, 20));
  assertEquals(batches.length, committed);
  await naive.assertShown(store, shown);
  engine.removals.open();
  await flushed;
  // The last first: a search may fall for what was read too early.
  for (const start of naive.positions(0, naive.newest!).toReversed()) {
    assertSameBytes(
      await readFrom(store, 1, start),
      naive.bytes(0, naive.newest!).subarray(start - 4),
    );
  }
  await naive.assertShown(store, naive.newest);
  await store.close();
  await using again = await BlockLog.open(new MemoryEngine(disk));
  await naive.assertShown(again, naive.newest);
});

Deno.test("BlockLog that can't remove what is behind the head says so", async () => {
  const disk = new MemoryDisk();
  const made = new MadeLog();
  const old = await BlockLog.open(new MemoryEngine(disk));
  const feeder = new LogFeeder(old.writer);
  feeder.startFile("binlog.000001");
  feeder.push(made.beginFile());
  feeder.push(
    made.transaction({ rows: Array(480).fill(60_000) }).slice(0, -1),
  );
  await old.writer.flush();
  const engine = new GatedEngine(disk);
  engine.removals.shut();
  await using store = await BlockLog.open(engine);
  const flushed = store.writer.flush();
  // Fenced: another writer has opened the log.
  await new MemoryEngine(disk).load();
  engine.removals.open();
  const error = await assertRejects(() => flushed, StoreError);
  assertEquals(error.kind, "fenced");
  assertEquals(store.failure?.kind, "fenced");
  assert(store.head !== undefined);
});
