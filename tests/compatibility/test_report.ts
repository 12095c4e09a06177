import { XMLParser } from "fast-xml-parser";
import { z } from "zod";

/** What became of a test. */
export type TestOutcome = "passed" | "failed" | "skipped";

/**
 * What became of each test of a run, by its name. A test is reported under the
 * file that registers it, which is not always the one it is written in; names
 * differ anyway. A step's name follows its test's, behind " > ".
 */
export type TestReport = ReadonlyMap<string, TestOutcome>;

const CASE = z.object({
  name: z.string(),
  failure: z.unknown().optional(),
  error: z.unknown().optional(),
  skipped: z.unknown().optional(),
});

const REPORT = z.object({
  testsuites: z.object({
    testsuite: z.array(z.object({ testcase: z.array(CASE).default([]) })),
  }),
});

/**
 * Reads what `deno test --junit-path` writes.
 *
 * @throws {z.ZodError} when it is something else
 */
export function readTestReport(xml: string): TestReport {
  const parser = new XMLParser({
    ignoreAttributes: false,
    attributeNamePrefix: "",
    parseAttributeValue: false,
    isArray: (tag) => tag === "testsuite" || tag === "testcase",
  });
  const { testsuites } = REPORT.parse(parser.parse(xml));
  const outcomes = new Map<string, TestOutcome>();
  for (const { testcase } of testsuites.testsuite) {
    for (const one of testcase) {
      const outcome = one.failure !== undefined || one.error !== undefined
        ? "failed"
        : one.skipped !== undefined
        ? "skipped"
        : "passed";
      outcomes.set(one.name, outcome);
    }
  }
  return outcomes;
}
