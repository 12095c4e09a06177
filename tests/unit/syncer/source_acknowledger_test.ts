import { assertEquals } from "@std/assert";
import { silentLog } from "../../../lib/log/log.ts";
import type { SemiSyncAck } from "../../../lib/protocol/semi_sync.ts";
import { AckGate } from "../../../lib/semi_sync/ack_gate.ts";
import { BlockLog } from "../../../lib/store/block_log.ts";
import { SourceAcknowledger } from "../../../lib/syncer/source_acknowledger.ts";
import { waitUntil } from "../../../scripts/test_servers/wait_until.ts";
import { GatedEngine } from "../../support/gated_engine.ts";
import { LogFeeder } from "../../support/log_feeder.ts";
import { MadeLog } from "../../support/made_log.ts";

const FILE = "binlog.000001";

/** A log whose commits can be held up, and what is acknowledged of it. */
async function bench(gate?: AckGate) {
  const engine = new GatedEngine();
  const store = await BlockLog.open(engine);
  const made = new MadeLog();
  const feeder = new LogFeeder(store.writer);
  feeder.startFile(FILE);
  feeder.push(made.beginFile());
  await store.writer.flush();
  const sent: SemiSyncAck[] = [];
  let send = Promise.withResolvers<boolean>();
  send.resolve(true);
  const acknowledger = new SourceAcknowledger({
    store,
    gate,
    now: Date.now,
    send: async (ack) => {
      sent.push(ack);
      return await send.promise;
    },
  });
  return {
    engine,
    store,
    acknowledger,
    positions: () => sent.map(({ position }) => Number(position)),
    /** Another transaction comes, and the source waits for it. */
    receive: (): number => {
      feeder.push(made.transaction());
      const { fileName, position } = store.writer;
      acknowledger.wanted(fileName, position, {
        fileName,
        position: BigInt(position),
      });
      return position;
    },
    holdSend: () => send = Promise.withResolvers(),
    letSend: (ok: boolean) => send.resolve(ok),
    [Symbol.asyncDispose]: async () => {
      acknowledger[Symbol.dispose]();
      engine.commits.open();
      engine.answers.open();
      // A log that failed says once more what it lost.
      const { failure } = store;
      await store.close().catch((error) => {
        if (failure === undefined) throw error;
      });
    },
  };
}

function gateFor(timeoutMs: number): AckGate {
  return new AckGate({
    replicas: 1,
    timeoutMs,
    log: silentLog(),
    now: Date.now,
  });
}

/** Lets everything run that can. */
const settle = () => new Promise((resolve) => setTimeout(resolve, 5));

Deno.test("SourceAcknowledger waits for the commit to return", async () => {
  await using one = await bench();
  one.engine.commits.shut();
  const { arrived } = one.engine.commits;
  const position = one.receive();
  await waitUntil("the commit was under way", () => {
    return one.engine.commits.arrived > arrived;
  });
  await settle();
  assertEquals(one.positions(), []);
  assertEquals(one.acknowledger.waiting, 1);
  one.engine.commits.open();
  await waitUntil("it was acknowledged", () => one.positions().length > 0);
  assertEquals(one.positions(), [position]);
  assertEquals(one.store.head!.position, position);
  assertEquals(one.acknowledger.waiting, 0);
});

Deno.test("SourceAcknowledger waits for the answer even if the bytes are written", async () => {
  await using one = await bench();
  one.engine.answers.shut();
  const { arrived } = one.engine.answers;
  const position = one.receive();
  await waitUntil("the commit was written", () => {
    return one.engine.answers.arrived > arrived;
  });
  await settle();
  assertEquals(one.positions(), []);
  one.engine.answers.open();
  await waitUntil("it was acknowledged", () => one.positions().length > 0);
  assertEquals(one.positions(), [position]);
});

Deno.test("SourceAcknowledger never acknowledges what could not be committed", async () => {
  await using one = await bench();
  one.engine.fault = new Error("disk full");
  one.receive();
  await waitUntil("the commit failed", () => one.store.failure !== undefined);
  await settle();
  assertEquals(one.positions(), []);
});

Deno.test("SourceAcknowledger sends the newest of what came during a commit", async () => {
  await using one = await bench();
  one.engine.commits.shut();
  const { arrived } = one.engine.commits;
  const first = one.receive();
  for (let n = 0; n < 20; n++) one.receive();
  const last = one.receive();
  await waitUntil("a commit was under way", () => {
    return one.engine.commits.arrived > arrived;
  });
  one.engine.commits.letOnePass();
  await waitUntil("the first was acknowledged", () => {
    return one.positions().length > 0;
  });
  // One commit for the first alone, or for all of them: never beyond it.
  assertEquals(one.positions()[0]! >= first, true);
  one.engine.commits.open();
  await waitUntil("all were acknowledged", () => {
    return one.positions().at(-1) === last;
  });
  assertEquals(one.positions().length <= 2, true, `${one.positions()}`);
});

Deno.test("SourceAcknowledger has one acknowledgement on its way at a time", async () => {
  await using one = await bench();
  one.holdSend();
  const first = one.receive();
  await waitUntil("the first was sent", () => one.positions().length > 0);
  one.receive();
  one.receive();
  const last = one.receive();
  await one.store.writer.flush();
  await settle();
  assertEquals(one.positions(), [first]);
  one.letSend(true);
  await waitUntil("the last was sent", () => one.positions().length > 1);
  assertEquals(one.positions(), [first, last]);
});

Deno.test("SourceAcknowledger is silent once the source is gone", async () => {
  await using one = await bench();
  one.holdSend();
  one.receive();
  await waitUntil("the first was sent", () => one.positions().length > 0);
  one.receive();
  await one.store.writer.flush();
  one.letSend(false);
  await settle();
  assertEquals(one.positions().length, 1);
});

Deno.test("SourceAcknowledger waits for replicas as well", async () => {
  const gate = gateFor(60_000);
  await using one = await bench(gate);
  const replica = gate.join("1");
  const first = one.receive();
  await one.store.writer.flush();
  const second = one.receive();
  await one.store.writer.flush();
  await settle();
  assertEquals(one.positions(), []);
  replica.acknowledged({ fileNumber: 1, position: first });
  await settle();
  assertEquals(one.positions(), [first]);
  replica.acknowledged({ fileNumber: 1, position: second });
  await settle();
  assertEquals(one.positions(), [first, second]);
});

Deno.test("SourceAcknowledger needs the disk even where replicas are quick", async () => {
  const gate = gateFor(60_000);
  await using one = await bench(gate);
  one.engine.commits.shut();
  const position = one.receive();
  gate.join("1").acknowledged({ fileNumber: 1, position: position + 1000 });
  await settle();
  assertEquals(one.positions(), []);
  one.engine.commits.open();
  await waitUntil("it was acknowledged", () => one.positions().length > 0);
});

Deno.test("SourceAcknowledger goes on without replicas that take too long", async () => {
  const gate = gateFor(50);
  await using one = await bench(gate);
  const position = one.receive();
  await one.store.writer.flush();
  await settle();
  assertEquals(one.positions(), []);
  await waitUntil("it was acknowledged", () => one.positions().length > 0);
  assertEquals(one.positions(), [position]);
  assertEquals(gate.status().state, "degraded");
  // While they are behind nothing waits for them.
  const next = one.receive();
  await one.store.writer.flush();
  await settle();
  assertEquals(one.positions(), [position, next]);
  // They have caught up: waiting begins anew.
  const replica = gate.join("1");
  replica.acknowledged({ fileNumber: 1, position: next });
  assertEquals(gate.status().state, "synchronous");
  one.receive();
  await one.store.writer.flush();
  await settle();
  assertEquals(one.positions().length, 2);
});

Deno.test("SourceAcknowledger keeps no more than so many that wait", async () => {
  const gate = gateFor(60_000);
  await using one = await bench(gate);
  let last = 0;
  for (let n = 0; n < 5000; n++) last = one.receive();
  await one.store.writer.flush();
  assertEquals(one.acknowledger.waiting, 4096);
  gate.join("1").acknowledged({ fileNumber: 1, position: last });
  await settle();
  assertEquals(one.positions().at(-1), last);
});
