import { assertEquals } from "@std/assert";
import { silentLog } from "../../../lib/log/log.ts";
import { AckGate } from "../../../lib/semi_sync/ack_gate.ts";

const at = (position: number, fileNumber = 1) => ({ fileNumber, position });

function gateFor(replicas: number): { gate: AckGate; told: () => number } {
  let told = 0;
  const gate = new AckGate({
    replicas,
    timeoutMs: 1000,
    log: silentLog(),
    now: () => 0,
  });
  gate.onChange(() => told++);
  return { gate, told: () => told };
}

Deno.test("AckGate lets everything pass that waits for no replica", () => {
  const { gate } = gateFor(0);
  gate.asked(at(100));
  assertEquals(gate.allows(at(100)), true);
  assertEquals(gate.asksFrom, undefined);
  assertEquals(gate.status().state, "off");
});

Deno.test("AckGate allows what enough replicas have, in whatever order they say so", () => {
  const { gate, told } = gateFor(2);
  const [one, two, three] = ["1", "2", "3"].map((name) => gate.join(name));
  gate.asked(at(100));
  gate.asked(at(200));
  assertEquals(gate.asksFrom, at(100));
  one!.acknowledged(at(200));
  assertEquals([gate.allows(at(100)), told()], [false, 0]);
  two!.acknowledged(at(150));
  assertEquals([gate.allows(at(100)), gate.allows(at(151)), told()], [
    true,
    false,
    1,
  ]);
  assertEquals(gate.asksFrom, at(150));
  three!.acknowledged(at(50));
  assertEquals(told(), 1);
  three!.acknowledged(at(7, 2));
  assertEquals([gate.allows(at(200)), gate.allows(at(201)), told()], [
    true,
    false,
    2,
  ]);
  assertEquals(gate.asksFrom, undefined);
  // Nobody's word is taken back by what comes late, or by leaving.
  two!.acknowledged(at(120));
  one!.leave();
  assertEquals(gate.allows(at(200)), true);
});

Deno.test("AckGate does not count a replica twice, nor one that has left", () => {
  const { gate } = gateFor(2);
  const one = gate.join("1");
  one.acknowledged(at(100));
  one.acknowledged(at(110));
  assertEquals(gate.allows(at(100)), false);
  // It has connected once more, while its older dump has not ended yet.
  const again = gate.join("1");
  again.acknowledged(at(100));
  one.acknowledged(at(120));
  assertEquals(gate.allows(at(100)), false);
  one.leave();
  assertEquals(gate.status().replicas, 1);
  again.leave();
  assertEquals(gate.status().replicas, 0);
  const two = gate.join("2");
  two.acknowledged(at(100));
  again.acknowledged(at(120));
  assertEquals(gate.allows(at(100)), false);
  gate.join("3").acknowledged(at(100));
  assertEquals(gate.allows(at(100)), true);
});

Deno.test("AckGate is degraded after a timeout until the replicas have caught up", () => {
  const { gate, told } = gateFor(1);
  const replica = gate.join("1");
  gate.asked(at(100));
  gate.expire(at(100));
  assertEquals(gate.status().state, "degraded");
  gate.passed(2);
  assertEquals([gate.allows(at(100)), gate.allows(at(900)), told()], [
    true,
    true,
    1,
  ]);
  gate.asked(at(200));
  gate.asked(at(300));
  // It is enough to ask for the newest: the rest nobody waits for.
  assertEquals(gate.asksFrom, at(300));
  replica.acknowledged(at(200));
  assertEquals(gate.status().state, "degraded");
  replica.acknowledged(at(300));
  gate.passed(3);
  assertEquals(gate.status(), {
    state: "synchronous",
    since: new Date(0),
    required: 1,
    replicas: 1,
    timeouts: 1,
    acknowledged: 3,
    unacknowledged: 2,
  });
  gate.asked(at(400));
  assertEquals(gate.allows(at(400)), false);
});

Deno.test("AckGate.expire() does nothing for what has been acknowledged", () => {
  const { gate } = gateFor(1);
  gate.asked(at(100));
  gate.join("1").acknowledged(at(100));
  gate.expire(at(100));
  assertEquals(gate.status().state, "synchronous");
});
