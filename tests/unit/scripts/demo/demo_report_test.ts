import { assert, assertEquals } from "@std/assert";
import type { Comparison } from "../../../../scripts/demo/compare_tables.ts";
import {
  type DemoReport,
  exitCodeOf,
  formatReport,
} from "../../../../scripts/demo/demo_report.ts";
import { SOURCE_UUID } from "./made_snapshot.ts";

function report(
  comparison: Partial<Comparison> = {},
  different: Partial<DemoReport> = {},
): DemoReport {
  return {
    comparison: {
      tables: 7,
      rows: 1_234,
      differing: 0,
      differences: [],
      ...comparison,
    },
    problems: [],
    transactions: 989,
    writtenMs: 5_012,
    catchUpMs: 3.7,
    written: { schemaChanges: 2, large: 1, deadlocks: 0 },
    lag: { count: 49, medianMs: 3.5, p99Ms: 84, maxMs: 284 },
    storedBytes: 3_180_000,
    storedFiles: 2,
    sentBytes: 3_220_000,
    executed: `${SOURCE_UUID}:1-998`,
    file: "binlog.000002",
    position: 243_261,
    ...different,
  };
}

Deno.test("exitCodeOf() is 0 if all rows are the same", () => {
  assertEquals(exitCodeOf(report()), 0);
});

Deno.test("exitCodeOf() is 1 if a row differs", () => {
  assertEquals(exitCodeOf(report({ differing: 1, differences: ["x"] })), 1);
});

Deno.test("exitCodeOf() is 1 if no rows were compared", () => {
  assertEquals(exitCodeOf(report({ rows: 0 })), 1);
});

Deno.test("exitCodeOf() is 1 if anything else was wrong", () => {
  assertEquals(exitCodeOf(report({}, { problems: ["it crashed"] })), 1);
});

Deno.test("formatReport() sums up", () => {
  assertEquals(
    formatReport(report()),
    `1,234 rows of 7 tables compared: none differs.

  transactions  989 in 5.0 s (197/s), of them 1 large one and 2 schema changes
  lag           median 3.5 ms, 99% 84.0 ms, max 284 ms (49 times, from commit on the source to visible on the replica)
  caught up     3.7 ms after the last transaction
  bytes         3.18 MB of binary log in 2 files kept by kingbus, 3.22 MB sent to the replica
  executed      ${SOURCE_UUID}:1-998
  position      binlog.000002:243261
`,
  );
});

Deno.test("formatReport() begins with what differs", () => {
  const text = formatReport(report(
    { differing: 12, differences: ["table a, id 1: …", "table a, id 2: …"] },
    { problems: ["kingbus ended with exit code 1"] },
  ));
  assert(text.startsWith(`FAILED: 1,234 rows of 7 tables compared, 12 differ:
  table a, id 1: …
  table a, id 2: …
  …
FAILED: kingbus ended with exit code 1

`));
});

Deno.test("formatReport() does not call nothing the same", () => {
  const text = formatReport(report({ rows: 0 }, { lag: undefined }));
  assert(text.startsWith("FAILED: there were no rows to compare.\n"));
  assert(text.includes("  lag           not measured\n"));
});

Deno.test("formatReport() names deadlocks if there were any", () => {
  const written = { schemaChanges: 0, large: 0, deadlocks: 3 };
  const text = formatReport(report({}, { written }));
  assert(text.includes("0 schema changes, 3 rolled back by deadlocks\n"));
});
