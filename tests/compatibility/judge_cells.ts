import type { ClientGroup } from "./cell.ts";
import { MODES } from "./cell.ts";
import type { TestReport } from "./test_report.ts";

/** What a test run says of the table. */
export interface Verdict {
  /** False when a cell's test failed, or is in no file. */
  readonly ok: boolean;
  /** To be printed: each cell that nothing shows, then the sum. */
  readonly lines: readonly string[];
}

/**
 * Looks each cell's tests up in a run: a cell whose test was skipped is named
 * loudly, one whose test does not exist is an error.
 */
export function judgeCells(
  groups: readonly ClientGroup[],
  report: TestReport,
): Verdict {
  const lines: string[] = [];
  let ok = true;
  let shown = 0;
  let skipped = 0;
  for (const row of groups.flatMap(({ rows }) => rows)) {
    for (const mode of MODES) {
      const cell = row.cells[mode];
      if (!("tests" in cell)) continue;
      const where = `${row.client} ${row.version}, ${mode}`;
      const bad = cell.tests.flatMap((test) => {
        const outcome = report.get(test.name);
        if (outcome === "passed") return [];
        return [{ test, outcome: outcome ?? "missing" }];
      });
      if (bad.length === 0) {
        shown++;
        continue;
      }
      for (const { test, outcome } of bad) {
        if (outcome === "skipped") skipped++;
        else ok = false;
        lines.push(
          `COMPATIBILITY ${outcome.toUpperCase()}: ${where}: ${test.file}: ${test.name}`,
        );
      }
    }
  }
  lines.push(
    `compatibility: ${shown} cells shown by tests that ran, ${skipped} tests skipped`,
  );
  return { ok, lines };
}
