import { assertEquals } from "@std/assert";
import { Turns } from "../../../lib/server/turns.ts";

/** Turns that end when a test says so. */
function handTurns(unitsPerTurn: number) {
  const next: (() => void)[] = [];
  const turns = new Turns(unitsPerTurn, (work) => next.push(work));
  const done: string[] = [];
  return {
    turns,
    done,
    next,
    take: (name: string) => {
      void turns.take().then(() => done.push(name));
    },
    async endTurn(): Promise<void> {
      for (const work of next.splice(0)) work();
      await Promise.resolve();
      await Promise.resolve();
    },
  };
}

Deno.test("Turns.take() lets so many go in a turn, the others in later ones, in order", async () => {
  const { take, done, endTurn } = handTurns(2);
  for (const name of ["a", "b", "c", "d", "e"]) take(name);
  await Promise.resolve();
  assertEquals(done, ["a", "b"]);
  await endTurn();
  assertEquals(done, ["a", "b", "c", "d"]);
  take("f");
  await endTurn();
  assertEquals(done, ["a", "b", "c", "d", "e", "f"]);
});

Deno.test("Turns.spent() has a large piece of work paid off in the turns after it", async () => {
  const { take, done, endTurn, turns } = handTurns(2);
  take("large");
  turns.spent(0.65);
  take("small");
  await Promise.resolve();
  assertEquals(done, ["large"]);
  await endTurn();
  await endTurn();
  assertEquals(done, ["large"]);
  await endTurn();
  assertEquals(done, ["large", "small"]);
});

Deno.test("Turns asks for no further turn when there is nothing to do", async () => {
  const { take, next, endTurn, turns } = handTurns(1);
  for (let n = 0; n < 3000; n++) take(`${n}`);
  assertEquals(turns.waiting, 2999);
  let ended = 0;
  while (next.length > 0) {
    await endTurn();
    ended += 1;
  }
  assertEquals([ended, turns.waiting], [3000, 0]);
});

Deno.test("Turns lets others run between two turns", async () => {
  const turns = new Turns(1);
  let others = 0;
  const timer = setInterval(() => others += 1, 0);
  const until = performance.now() + 30_000;
  // a caller that never waits for anything else would keep them from it
  while (others < 3 && performance.now() < until) await turns.take();
  clearInterval(timer);
  assertEquals(others, 3);
});

Deno.test("Turns lets one go every other turn where half a unit is to be done in each", async () => {
  const { take, done, endTurn } = handTurns(0.5);
  for (const name of ["a", "b", "c"]) take(name);
  const seen: number[] = [];
  for (let turn = 0; turn < 5; turn++) {
    await endTurn();
    seen.push(done.length);
  }
  assertEquals(seen, [1, 2, 2, 3, 3]);
});
