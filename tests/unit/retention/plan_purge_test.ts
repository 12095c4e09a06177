import { assert, assertEquals } from "@std/assert";
import {
  countFilesBefore,
  holdBack,
  type PlanInput,
  type PlannedFile,
  planPurge,
} from "../../../lib/retention/plan_purge.ts";
import { SeededRandom } from "../../support/seeded_random.ts";

const NOW_MS = 1_800_000_000_000;
const HOUR = 3600;

interface Need {
  readonly name: string;
  readonly fileNumber: number;
}

/** Five files of 100 bytes; the oldest is 7, each is an hour younger. */
function fiveFiles(): PlannedFile[] {
  return [5, 4, 3, 2, 1].map((hours, index) => ({
    number: 7 + index,
    size: 100,
    firstTimestamp: NOW_MS / 1000 - hours * HOUR,
    lastTimestamp: NOW_MS / 1000 - (hours - 1) * HOUR,
  }));
}

const NO_LIMITS = {
  bytesMax: undefined,
  ageMaxMs: undefined,
  filesMax: undefined,
  freeDiskBytesMin: undefined,
};

function input(
  limits: Partial<PlanInput<Need>["limits"]>,
  rest: Partial<PlanInput<Need>> = {},
): PlanInput<Need> {
  return {
    files: fiveFiles(),
    limits: { ...NO_LIMITS, ...limits },
    nowMs: NOW_MS,
    freeBytes: undefined,
    needs: [],
    ...rest,
  };
}

Deno.test("planPurge() removes nothing without a limit", () => {
  assertEquals(planPurge(input({})), {
    upTo: 7,
    wantedUpTo: 7,
    asking: [],
    unkept: [],
    heldBy: [],
  });
});

Deno.test("planPurge() has nothing to do in an empty log", () => {
  const limits = {
    bytesMax: 1,
    ageMaxMs: 1,
    filesMax: 1,
    freeDiskBytesMin: 1e9,
  };
  const plan = planPurge(input(limits, { files: [], freeBytes: 0 }));
  assertEquals([plan.upTo, plan.wantedUpTo], [0, 0]);
});

Deno.test("planPurge() keeps to the total size with as few files as it takes", () => {
  const upTo = (bytesMax: number) => planPurge(input({ bytesMax })).upTo;
  assertEquals(upTo(500), 7);
  assertEquals(upTo(499), 8);
  assertEquals(upTo(400), 8);
  assertEquals(upTo(399), 9);
  assertEquals(upTo(100), 11);
  const plan = planPurge(input({ bytesMax: 1 }));
  assertEquals(plan.upTo, 11, "the file being written stays");
  assertEquals(plan.unkept, ["size"]);
});

Deno.test("planPurge() removes files whose last event is too old", () => {
  const upTo = (hours: number) =>
    planPurge(input({ ageMaxMs: hours * HOUR * 1000 })).upTo;
  // they ended 4, 3, 2, 1 and 0 hours ago
  assertEquals(upTo(4), 7);
  assertEquals(upTo(3.9), 8);
  assertEquals(upTo(0.9), 11);
  assertEquals(upTo(0.0001), 11);
  const later = input({ ageMaxMs: 1000 }, { nowMs: NOW_MS * 2 });
  assertEquals(planPurge(later).upTo, 11, "the file being written stays");
  assertEquals(planPurge(later).unkept, []);
});

Deno.test("planPurge() keeps a file of unknown age, and what comes after it", () => {
  const files = fiveFiles();
  files[1] = { ...files[1]!, firstTimestamp: 0, lastTimestamp: 0 };
  assertEquals(planPurge(input({ ageMaxMs: 1000 }, { files })).upTo, 8);
});

Deno.test("planPurge() believes no event that is later than the next file", () => {
  const files = fiveFiles();
  files[0] = { ...files[0]!, lastTimestamp: 4_000_000_000 };
  assertEquals(planPurge(input({ ageMaxMs: 1000 }, { files })).upTo, 11);
});

Deno.test("planPurge() keeps so many files", () => {
  const upTo = (filesMax: number) => planPurge(input({ filesMax })).upTo;
  assertEquals([9, 5, 4, 2, 1].map(upTo), [7, 7, 8, 10, 11]);
});

Deno.test("planPurge() makes space on the disk, if it knows how much there is", () => {
  const plan = (freeBytes: number | undefined) =>
    planPurge(input({ freeDiskBytesMin: 1000 }, { freeBytes }));
  assertEquals(plan(1000).upTo, 7);
  assertEquals(plan(999).upTo, 8);
  assertEquals(plan(900).upTo, 8);
  assertEquals(plan(899).upTo, 9);
  assertEquals(plan(undefined).upTo, 7);
  assertEquals(plan(600).unkept, []);
  assertEquals([plan(599).upTo, plan(599).unkept], [11, ["free-disk"]]);
});

Deno.test("planPurge() does what the strictest limit asks for, and names all that ask", () => {
  const plan = planPurge(input({ bytesMax: 450, filesMax: 3, ageMaxMs: 1e12 }));
  assertEquals([plan.upTo, plan.wantedUpTo], [9, 9]);
  assertEquals(plan.asking, ["size", "files"]);
  assertEquals(plan.unkept, []);
});

Deno.test("planPurge() stops at the first file somebody needs", () => {
  const needs = [
    { name: "near the end", fileNumber: 11 },
    { name: "in the way", fileNumber: 9 },
    { name: "first in the way", fileNumber: 8 },
  ];
  const plan = planPurge(input({ bytesMax: 350, filesMax: 1 }, { needs }));
  assertEquals([plan.upTo, plan.wantedUpTo], [8, 11]);
  assertEquals(plan.heldBy.map(({ name }) => name), [
    "first in the way",
    "in the way",
  ]);
  assertEquals(plan.unkept, ["size", "files"]);
  const lax = planPurge(input({ bytesMax: 400 }, { needs }));
  assertEquals([lax.upTo, lax.heldBy, lax.unkept], [8, [], []]);
});

Deno.test("planPurge() removes nothing where somebody needs everything", () => {
  const needs = [{ name: "never seen", fileNumber: 0 }];
  const plan = planPurge(input({ filesMax: 1 }, { needs }));
  assertEquals([plan.upTo, plan.wantedUpTo], [7, 11]);
  assertEquals(plan.heldBy, needs);
  const unasked = planPurge(input({ filesMax: 5 }, { needs }));
  assertEquals([unasked.heldBy, unasked.unkept], [[], []]);
});

Deno.test("planPurge() never breaks what it promises, whatever it is given", () => {
  const random = new SeededRandom(20_261_123);
  const below = (limit: number) => random.integer(0, limit - 1);
  const maybe = (value: () => number) =>
    random.chance(0.5) ? value() : undefined;
  for (let round = 0; round < 3000; round++) {
    const first = 1 + below(5);
    const files = Array.from({ length: 1 + below(8) }, (_, index) => ({
      number: first + index,
      size: below(200),
      firstTimestamp: below(50),
      lastTimestamp: below(50),
    }));
    const needs = Array.from({ length: below(4) }, (_, index) => ({
      name: String(index),
      fileNumber: below(15),
    }));
    const limits = {
      bytesMax: maybe(() => below(1000)),
      ageMaxMs: maybe(() => below(40_000)),
      filesMax: maybe(() => 1 + below(9)),
      freeDiskBytesMin: maybe(() => below(1000)),
    };
    const freeBytes = maybe(() => below(1000));
    const plan = planPurge({ files, limits, needs, nowMs: 45_000, freeBytes });
    const last = files.at(-1)!.number;
    const context = JSON.stringify({ files, limits, needs, freeBytes, plan });
    assert(plan.upTo >= first && plan.upTo <= last, context);
    assert(plan.upTo <= plan.wantedUpTo && plan.wantedUpTo <= last, context);
    for (const { fileNumber } of needs) {
      assert(plan.upTo <= Math.max(first, fileNumber), context);
    }
    assertEquals(plan.heldBy.length > 0, plan.upTo < plan.wantedUpTo, context);
    assertEquals(plan.asking.length > 0, plan.wantedUpTo > first, context);
    const kept = files.filter(({ number }) => number >= plan.upTo);
    const bytes = kept.reduce((sum, { size }) => sum + size, 0);
    if (!plan.unkept.includes("size") && limits.bytesMax !== undefined) {
      assert(bytes <= limits.bytesMax, context);
    }
    if (!plan.unkept.includes("files") && limits.filesMax !== undefined) {
      assert(kept.length <= limits.filesMax, context);
    }
    // as few as possible: with the last one that goes kept, a limit is broken
    if (plan.upTo > first) {
      const without = planPurge({
        files,
        limits,
        needs: [...needs, { name: "keep", fileNumber: plan.upTo - 1 }],
        nowMs: 45_000,
        freeBytes,
      });
      assert(without.unkept.length > 0, context);
    }
  }
});

Deno.test("holdBack() lets everything go that nobody needs", () => {
  const files = fiveFiles();
  assertEquals(holdBack(files, 11, []), { upTo: 11, heldBy: [] });
  const needs = [{ fileNumber: 11 }];
  assertEquals(holdBack(files, 11, needs), { upTo: 11, heldBy: [] });
  assertEquals(holdBack(files, 7, [{ fileNumber: 0 }]).heldBy, []);
});

Deno.test("countFilesBefore() counts files until one ended at that time or later", () => {
  const files = fiveFiles();
  const end = (index: number) => files[index]!.lastTimestamp * 1000;
  assertEquals(countFilesBefore(files, end(0)), 0);
  assertEquals(countFilesBefore(files, end(0) + 1), 1);
  assertEquals(countFilesBefore(files, end(3) + 1), 4);
  assertEquals(countFilesBefore(files, end(4) + 1), 5);
  assertEquals(countFilesBefore([], 1), 0);
});
