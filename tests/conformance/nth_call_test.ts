import { assert, assertEquals, assertRejects } from "@std/assert";
import { EventType } from "../../lib/binlog/event_type.ts";
import { eventSizeAt, eventTypeAt } from "../../lib/binlog/event_header.ts";
import { decodeGtid } from "../../lib/binlog/gtid_event.ts";
import { GtidSet } from "../../lib/gtid/gtid_set.ts";
import { type BinlogStore, StoreError } from "../../lib/store/binlog_store.ts";
import { BlockLog } from "../../lib/store/block_log.ts";
import { KvEngine } from "../../lib/store/kv/kv_engine.ts";
import { faultyKv, KV_FAULTS, KvFaultPlan } from "../support/faulty_kv.ts";
import { LogFeeder } from "../support/log_feeder.ts";
import { numberedUuid } from "../support/made_log.ts";
import { assertSameBytes } from "../support/naive_log.ts";
import { readFramed, unframe } from "../support/read_log.ts";
import { readFile } from "../support/read_stored_file.ts";
import { ScriptedLog } from "../support/scripted_log.ts";

/** A store that a script is written to, and what is known of it. */
class Writing {
  readonly script: ScriptedLog;
  readonly store: BinlogStore;
  readonly #feeder: LogFeeder;
  /** The last unit appended, and the last one that was said to be durable. */
  sent: number;
  acknowledged: number;
  /** The value beside the log that was written last, and is durable. */
  metaSent = 0;
  metaAcknowledged = 0;
  /** Files before this one may be gone, and are gone. */
  purgeSent = 1;
  purgeAcknowledged = 1;

  constructor(script: ScriptedLog, store: BinlogStore) {
    this.script = script;
    this.store = store;
    this.#feeder = new LogFeeder(store.writer);
    this.sent = this.acknowledged = script.unitAt(store);
  }

  /** Appends units up to and with this one, without waiting. */
  append(last: number): void {
    while (this.sent < last) {
      const unit = this.script.units[++this.sent]!;
      if (unit.begins !== undefined) {
        this.#feeder.startFile(unit.begins, "server");
      }
      this.#feeder.push(unit.events);
    }
  }

  async flush(): Promise<void> {
    await this.store.writer.flush();
    this.acknowledged = this.sent;
  }

  /** Appends all but the end of the next unit, and drops it. */
  async appendInVain(): Promise<void> {
    const unit = this.script.units[this.sent + 1]!;
    if (unit.begins !== undefined) {
      this.#feeder.startFile(unit.begins, "server");
    }
    this.#feeder.push(unit.events.slice(0, -1));
    await this.store.writer.ready();
    await this.store.writer.rollback();
    this.acknowledged = this.sent;
    this.#feeder.reset();
  }

  /** Removes the files before the one of that number. */
  async purge(upTo: number): Promise<void> {
    this.purgeSent = upTo;
    await this.store.purge(upTo);
    this.purgeAcknowledged = upTo;
  }

  async setMeta(value: number): Promise<void> {
    this.metaSent = value;
    await this.store.setMeta("value", value);
    this.metaAcknowledged = value;
  }

  async close(): Promise<void> {
    await this.store.close();
    this.acknowledged = this.sent;
  }
}

async function openOn(kv: Deno.Kv): Promise<BinlogStore> {
  return await BlockLog.open(new KvEngine(kv, "test"), { tailBytes: 100_000 });
}

/** What is done while one call fails; what is known goes into `known`. */
type Scenario = (
  kv: Deno.Kv,
  script: ScriptedLog,
  known: { writing: Writing | undefined },
) => Promise<void>;

/** Everything that reads or writes. */
const everything: Scenario = async (kv, script, known) => {
  const writing = known.writing = new Writing(script, await openOn(kv));
  const { units } = script;
  await writing.setMeta(1);
  writing.append(1);
  await writing.flush();
  for (let unit = 2; unit <= 4; unit++) {
    writing.append(unit);
    await writing.flush();
  }
  // The next one is larger than a commit: first in vain, then whole.
  await writing.appendInVain();
  writing.append(6);
  await writing.setMeta(2);
  await writing.appendInVain();
  writing.append(units.length - 3);
  await writing.flush();
  await writing.close();
  const { metaSent } = writing;
  const again = known.writing = new Writing(script, await openOn(kv));
  again.metaSent = again.metaAcknowledged = metaSent;
  again.append(units.length - 2);
  await again.setMeta(3);
  again.append(units.length - 1);
  await again.purge(4);
  await again.flush();
  await again.close();
};

/** An event larger than a packet, with little around it. */
const hugeEvent: Scenario = async (kv, script, known) => {
  const writing = known.writing = new Writing(script, await openOn(kv));
  writing.append(1);
  await writing.flush();
  writing.append(3);
  await writing.close();
};

/** Checks what is visible, and that nothing but that can be read. */
async function assertConsistent(
  store: BinlogStore,
  script: ScriptedLog,
): Promise<number> {
  const last = script.unitAt(store);
  const readable = new GtidSet();
  for (const file of store.files) {
    const bytes = await readFile(store, file);
    assertSameBytes(bytes, script.bytes(file.name, last));
    for (let at = 0; at < bytes.length; at += eventSizeAt(bytes, at)) {
      if (eventTypeAt(bytes, at) !== EventType.GTID) continue;
      const gtid = decodeGtid(bytes.slice(at, at + eventSizeAt(bytes, at)))!;
      assert(!readable.hasGtid(gtid));
      readable.add(gtid.uuid, gtid.tag, gtid.gno);
    }
  }
  const { head } = store;
  if (head === undefined) {
    assertEquals(store.files, []);
    return last;
  }
  assertEquals(store.files.at(-1)!.name, head.fileName);
  assert(!head.purged.intersects(readable));
  assertEquals(
    head.executed.toString(),
    head.purged.union(readable).toString(),
  );
  return last;
}

/** Makes call `at` fail, then goes on without faults; false if there is none. */
async function failAt(
  at: number,
  fault: typeof KV_FAULTS[number],
  script: ScriptedLog,
  scenario: Scenario,
): Promise<boolean> {
  using kv = await Deno.openKv(":memory:");
  const plan = new KvFaultPlan(at, fault);
  const known: { writing: Writing | undefined } = { writing: undefined };
  try {
    await Promise.race([
      scenario(faultyKv(kv, plan), script, known),
      plan.stopped,
    ]);
  } catch (error) {
    assert(error instanceof StoreError, String(error));
    assertEquals(error.kind, "io");
  }
  const { writing } = known;
  const where = `${fault} at call ${at}`;
  // What a process finds that starts now.
  const store = await openOn(faultyKv(kv, new KvFaultPlan(0, fault)));
  const last = await assertConsistent(store, script);
  assert(
    last >= (writing?.acknowledged ?? -1),
    `${where}: unit ${writing?.acknowledged} was acknowledged, the log ends after ${last}`,
  );
  assert(last <= (writing?.sent ?? -1), `${where}: unit ${last} was not sent`);
  const oldest = store.files[0]?.number ?? 1;
  assert(
    oldest >= (writing?.purgeAcknowledged ?? 1) &&
      oldest <= (writing?.purgeSent ?? 1),
    `${where}: the oldest file is number ${oldest}`,
  );
  const meta = await store.getMeta("value");
  assert(
    [writing?.metaAcknowledged || undefined, writing?.metaSent || undefined]
      .includes(meta as number | undefined),
    `${where}: the value is ${meta}`,
  );
  // And it goes on, as if nothing had happened.
  const rest = new Writing(script, store);
  rest.append(script.units.length - 1);
  await rest.flush();
  const purges = scenario === everything;
  if (purges) await rest.purge(4);
  await rest.close();
  await using whole = await openOn(faultyKv(kv, new KvFaultPlan(0, fault)));
  assertEquals(await assertConsistent(whole, script), script.units.length - 1);
  assertEquals(whole.files[0]?.number, purges ? 4 : 1);
  return plan.calls >= at;
}

/**
 * Makes call `at` fail and has the same store recover, beside a reader that
 * waits at its head; false if there is no such call.
 */
async function recoverAt(
  at: number,
  fault: "error-before" | "error-after",
  script: ScriptedLog,
): Promise<boolean> {
  using kv = await Deno.openKv(":memory:");
  const plan = new KvFaultPlan(at, fault);
  const known: { writing: Writing | undefined } = { writing: undefined };
  try {
    await everything(faultyKv(kv, plan), script, known);
    return plan.calls >= at;
  } catch (error) {
    assert(error instanceof StoreError, String(error));
  }
  const { writing } = known;
  // Failed while it was opened or closed: there is nothing to recover.
  if (writing === undefined || writing.store.closed) return true;
  const { store } = writing;
  const before = store.head;
  const seen = before === undefined ? undefined : await store.openReader({
    fileNumber: before.fileNumber,
    position: before.position,
  });
  if (store.failure === undefined) await store.writer.rollback();
  else await store.recover();
  assertEquals(store.failure, undefined);
  const last = await assertConsistent(store, script);
  assert(last >= writing.acknowledged && last <= writing.sent);
  if (before !== undefined && seen !== undefined) {
    // Who waited at the head gets what follows, and nothing else.
    const rest = new Writing(script, store);
    rest.append(script.units.length - 1);
    await rest.flush();
    const bytes = unframe(await readFramed(seen));
    assertSameBytes(
      bytes,
      script.bytes(before.fileName).subarray(before.position - 4),
    );
    await rest.purge(4);
    await rest.close();
    await using whole = await openOn(faultyKv(kv, new KvFaultPlan(0, fault)));
    assertEquals(
      await assertConsistent(whole, script),
      script.units.length - 1,
    );
    assertEquals(whole.files[0]?.number, 4);
  }
  return true;
}

for (const intervals of [0, 400]) {
  Deno.test(`a log whose database failed at any call recovers in place, with ${intervals} GTID intervals`, async () => {
    const script = longScript(setOf(intervals));
    let calls = 0;
    for (const fault of ["error-before", "error-after"] as const) {
      for (let at = 1; await recoverAt(at, fault, script); at++) {
        calls = Math.max(calls, at);
      }
    }
    assert(calls > 40, `only ${calls} calls were made to fail`);
    console.log(`${calls} calls, 2 faults each`);
  });
}

Deno.test("recover() takes nothing back from another writer, and does nothing without a failure", async () => {
  using kv = await Deno.openKv(":memory:");
  const script = longScript(new GtidSet());
  const sound = new KvFaultPlan(0, "error-before");
  const writing = new Writing(script, await openOn(faultyKv(kv, sound)));
  writing.append(3);
  await writing.flush();
  const { version } = writing.store.head!;
  await writing.store.recover();
  assertEquals(writing.store.head!.version, version);
  const counted = new KvFaultPlan(0, "error-before");
  const second = await openOn(faultyKv(kv, counted));
  await second.close();
  const plan = new KvFaultPlan(counted.calls + 1, "error-after");
  const third = new Writing(script, await openOn(faultyKv(kv, plan)));
  third.append(4);
  await assertRejects(() => third.flush(), StoreError, "made to fail");
  assertEquals(third.store.failure?.kind, "io");
  await using other = await openOn(faultyKv(kv, sound));
  const error = await assertRejects(() => third.store.recover(), StoreError);
  assertEquals(error.kind, "fenced");
  assertEquals(script.unitAt(other), 4);
  writing.append(4);
  await assertRejects(() => writing.flush(), StoreError);
  const fenced = await assertRejects(
    () => writing.store.recover(),
    StoreError,
  );
  assertEquals(fenced.kind, "fenced");
});

/** Fails every call in turn, in every way; answers how many there were. */
async function failEvery(
  script: ScriptedLog,
  scenario: Scenario,
  faults = KV_FAULTS,
): Promise<number> {
  let calls = 0;
  for (const fault of faults) {
    for (let at = 1; await failAt(at, fault, script, scenario); at++) {
      calls = Math.max(calls, at);
    }
  }
  return calls;
}

/** A set too large for its record. */
function setOf(intervals: number): GtidSet {
  const set = new GtidSet();
  for (let count = 0; count < intervals; count++) {
    const gno = BigInt(2 * Math.floor(count / 20) + 1);
    set.addInterval(numberedUuid(1000 + count % 20), "", gno, gno);
  }
  return set;
}

function longScript(purged: GtidSet): ScriptedLog {
  const script = new ScriptedLog(purged);
  script.beginFile();
  for (let count = 0; count < 4; count++) script.transaction([30_000]);
  script.transaction(Array(15).fill(60_000));
  script.transaction();
  script.single(100_000);
  script.beginFile();
  script.transaction([40], numberedUuid(2000));
  script.beginFile();
  script.beginFile();
  for (let count = 0; count < 3; count++) script.transaction([500]);
  script.single(2_000_000);
  script.transaction();
  return script;
}

for (
  const [what, intervals] of [["", 0], [", with large GTID sets", 400]] as const
) {
  Deno.test(`a database that fails or stops at any call leaves a log that goes on${what}`, async () => {
    const calls = await failEvery(longScript(setOf(intervals)), everything);
    assert(calls > 40, `only ${calls} calls were made to fail`);
    console.log(`${calls} calls, ${KV_FAULTS.length} faults each`);
  });
}

Deno.test("a database that fails or stops at any call of an event above 16 MiB leaves a log that goes on", async () => {
  const script = new ScriptedLog(new GtidSet());
  script.beginFile();
  script.transaction();
  script.single(16_800_000);
  script.transaction();
  // The two that differ most: half a minute more shows nothing else.
  const faults = ["error-after", "stop-before"] as const;
  const calls = await failEvery(script, hugeEvent, faults);
  assert(calls > 30, `only ${calls} calls were made to fail`);
  console.log(`${calls} calls, ${faults.length} faults each`);
});

Deno.test("close() says that the last boundary is not durable when a commit failed before", async () => {
  using kv = await Deno.openKv(":memory:");
  const script = longScript(new GtidSet());
  // Counted first: the calls that opening it again takes.
  await openOn(faultyKv(kv, new KvFaultPlan(0, "error-before")));
  const counted = new KvFaultPlan(0, "error-before");
  await openOn(faultyKv(kv, counted));
  const plan = new KvFaultPlan(counted.calls + 1, "error-before");
  const writing = new Writing(script, await openOn(faultyKv(kv, plan)));
  writing.append(1);
  while (writing.store.failure === undefined) {
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await assertRejects(() => writing.store.close(), StoreError, "made to fail");
  assert(writing.store.closed);
});
