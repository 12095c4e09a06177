import { assert, assertEquals, assertNotEquals } from "@std/assert";
import {
  CrashPlanner,
  describeRound,
  FAULT_KINDS,
  type FaultKind,
  type RoundPlan,
} from "../../crash/crash_plan.ts";

function rounds(
  seed: number,
  count: number,
  kinds?: readonly FaultKind[],
): RoundPlan[] {
  const planner = new CrashPlanner(seed, kinds);
  return Array.from({ length: count }, () => planner.next());
}

Deno.test("CrashPlanner decides the same for the same seed", () => {
  assertEquals(rounds(42, 300), rounds(42, 300));
  assertNotEquals(rounds(42, 300), rounds(43, 300));
  assertEquals(rounds(42, 3).map(({ number }) => number), [1, 2, 3]);
});

Deno.test("CrashPlanner uses every kind, load and side of every limit", () => {
  const plans = rounds(1, 3_000);
  assertEquals(new Set(plans.map(({ kind }) => kind)), new Set(FAULT_KINDS));
  assertEquals(
    new Set(plans.map(({ load }) => load)),
    new Set(["usual", "large", "huge"]),
  );
  const bytes = plans.map(({ cutAfterBytes }) => cutAfterBytes);
  assert(Math.min(...bytes) < 10 && Math.max(...bytes) > 1_000_000);
  for (const { kind, startKillsMs } of plans) {
    const kills = startKillsMs.length;
    assert(kind === "kill-kingbus-starting" ? kills > 0 : kills === 0);
  }
});

Deno.test("CrashPlanner keeps to the kinds it is given", () => {
  const kinds = ["kill-kingbus", "source-rst"] as const;
  const seen = new Set(rounds(7, 200, kinds).map(({ kind }) => kind));
  assertEquals(seen, new Set<FaultKind>(kinds));
});

Deno.test("describeRound() says what was decided", () => {
  const plan: RoundPlan = {
    number: 1,
    kind: "source-rst",
    load: "huge",
    delayMs: 12,
    cutAfterBytes: 345,
    holdMs: 6,
    pieceDelayMs: 7,
    startKillsMs: [],
    purges: false,
    refusesWhileDown: false,
  };
  assertEquals(
    describeRound(plan),
    "source-rst after 12 ms of a huge transaction and 345 bytes",
  );
  assertEquals(
    describeRound({
      ...plan,
      kind: "kill-kingbus-starting",
      load: "usual",
      startKillsMs: [8, 9],
      purges: true,
    }),
    "purge, kill-kingbus-starting after 12 ms again 8 and 9 ms after a start",
  );
});
