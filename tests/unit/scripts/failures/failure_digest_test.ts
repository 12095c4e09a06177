import { assert, assertEquals } from "@std/assert";
import {
  type DigestLimits,
  failureDigest,
  WHAT_FAILED,
} from "../../../../scripts/failures/failure_digest.ts";

const LIMITS: DigestLimits = {
  lines: 150,
  failureLines: 30,
  failureCharacters: 2_000,
};

/** The output of a run of tests with these errors. */
function runWith(errors: string[]): string {
  const titles = errors.map((_, index) => `test ${index} => ./a_test.ts:1:6`);
  return [
    ...titles.map((_, index) => `test ${index} ... FAILED (1ms)`),
    "\n ERRORS \n",
    ...errors.map((error, index) => `${titles[index]}\nerror: ${error}\n`),
    " FAILURES \n",
    ...titles,
    `\nFAILED | 0 passed | ${errors.length} failed (9ms)\n`,
  ].join("\n");
}

/** An error of many lines, and where it is from. */
function longError(lines: number): string {
  const message = Array.from({ length: lines }, (_, line) => `line ${line}`);
  return [
    ...message,
    "    at inner (ext:cli/40_test.js:1:1)",
    "    at file:///project/tests/a_test.ts:9:5",
  ].join("\n");
}

Deno.test("failureDigest() gives each failed test's title and error", () => {
  assertEquals(
    failureDigest(runWith(["Error: a\n\n  b", "Error: c"]), LIMITS),
    [
      "FAILED: test 0 => ./a_test.ts:1:6",
      "  Error: a",
      "    b",
      "FAILED: test 1 => ./a_test.ts:1:6",
      "  Error: c",
    ],
  );
});

Deno.test("failureDigest() cuts a long error and says where it is from", () => {
  const digest = failureDigest(runWith([longError(100)]), LIMITS);
  assertEquals(digest.length, 31);
  assertEquals(digest.slice(-2), [
    "  line 28",
    "  …     at file:///project/tests/a_test.ts:9:5",
  ]);
  const wide = Array.from({ length: 9 }, () => "x".repeat(1_000)).join("\n");
  const [, ...lines] = failureDigest(runWith([wide]), LIMITS);
  const characters = lines.join("").length;
  assert(characters > 1_500 && characters < 2_050, `${characters}`);
});

Deno.test("failureDigest() keeps to its lines, however many tests failed", () => {
  for (const lines of [1, 2, 10, 60, 150]) {
    for (const count of [1, 2, 5, 30, 40, 149, 150, 151, 2_000]) {
      const errors = Array.from({ length: count }, () => longError(50));
      const digest = failureDigest(runWith(errors), { ...LIMITS, lines });
      assert(
        digest.length <= lines,
        `${count} in ${lines}: ${digest.length}`,
      );
      const named = digest.filter((line) => line.startsWith("FAILED: ")).length;
      const more = /^… and (\d+) more$/.exec(digest.at(-1) ?? "")?.[1] ?? 0;
      assertEquals(named + Number(more), count, `${count} in ${lines}`);
    }
  }
});

Deno.test("failureDigest() gives an early short error's lines to later ones", () => {
  const digest = failureDigest(
    runWith(["Error: short", longError(50)]),
    { ...LIMITS, lines: 20 },
  );
  assertEquals(digest.length, 20);
});

Deno.test("failureDigest() gives the end of what tells of no failed test, and what failed before", () => {
  const ended = [
    "early ... FAILED (1ms)",
    ...Array.from({ length: 50 }, (_, line) => `line ${line}`),
    "Terminated",
  ].join("\n");
  const digest = failureDigest(`${ended}\n`, { ...LIMITS, failureLines: 3 });
  assertEquals(digest, [
    "FAILED: early ... FAILED (1ms)",
    "  line 48",
    "  line 49",
    "  Terminated",
  ]);
});

Deno.test("failureDigest() takes what a command of several steps says itself", () => {
  const own = [WHAT_FAILED, "format:", "  a.ts", "", "FAILED: format"];
  const output = `${runWith(["Error: a"])}\n\n${own.join("\n")}\n`;
  assertEquals(failureDigest(output, LIMITS), own);
  assertEquals(failureDigest(output, { ...LIMITS, lines: 3 }), [
    ...own.slice(0, 2),
    "…",
  ]);
});
