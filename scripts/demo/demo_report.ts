import type { Comparison } from "./compare_tables.ts";
import {
  formatBytes,
  formatCount,
  formatLag,
  formatQuantity,
} from "./format_number.ts";
import type { LagSummary } from "./lag_tracker.ts";
import type { WorkloadCounts } from "./workload.ts";

/** What a demo that came to its end has found. */
export interface DemoReport {
  readonly comparison: Comparison;
  /** What else is not as it should be. */
  readonly problems: readonly string[];
  /** Transactions the source committed while it was written to. */
  readonly transactions: number;
  readonly writtenMs: number;
  /** From the end of the writing until the replica had it all. */
  readonly catchUpMs: number;
  readonly written: WorkloadCounts;
  readonly lag: LagSummary | undefined;
  readonly storedBytes: number;
  readonly storedFiles: number;
  readonly sentBytes: number;
  /** What all three servers have executed. */
  readonly executed: string;
  readonly file: string;
  readonly position: number;
}

/**
 * The demo's exit code: 0 only if rows were compared, none differs, and nothing
 * else was wrong.
 */
export function exitCodeOf(report: DemoReport): 0 | 1 {
  const { comparison, problems } = report;
  const same = comparison.differing === 0 && comparison.rows > 0;
  return same && problems.length === 0 ? 0 : 1;
}

/** Writes the summary at the end of the demo. */
export function formatReport(report: DemoReport): string {
  const { written, lag } = report;
  const seconds = report.writtenMs / 1000;
  const rate = seconds > 0 ? report.transactions / seconds : 0;
  const deadlocks = written.deadlocks === 0
    ? ""
    : `, ${formatCount(written.deadlocks)} rolled back by deadlocks`;
  const rows: [string, string][] = [
    [
      "transactions",
      `${formatCount(report.transactions)} in ${seconds.toFixed(1)} s (${
        rate.toFixed(0)
      }/s), of them ${formatQuantity(written.large, "large one")} and ${
        formatQuantity(written.schemaChanges, "schema change")
      }${deadlocks}`,
    ],
    [
      "lag",
      lag === undefined
        ? "not measured"
        : `median ${formatLag(lag.medianMs)}, 99% ${
          formatLag(lag.p99Ms)
        }, max ${formatLag(lag.maxMs)} (${
          formatCount(lag.count)
        } times, from commit on the source to visible on the replica)`,
    ],
    [
      "caught up",
      `${formatLag(report.catchUpMs)} after the last transaction`,
    ],
    [
      "bytes",
      `${formatBytes(report.storedBytes)} of binary log in ${
        formatQuantity(report.storedFiles, "file")
      } kept by kingbus, ${formatBytes(report.sentBytes)} sent to the replica`,
    ],
    ["executed", report.executed],
    ["position", `${report.file}:${report.position}`],
  ];
  return [
    verdict(report),
    "",
    ...rows.map(([name, text]) => `  ${name.padEnd(12)}  ${text}`),
    "",
  ].join("\n");
}

function verdict({ comparison, problems }: DemoReport): string {
  const { tables, rows, differing, differences } = comparison;
  const compared = `${formatCount(rows)} rows of ${tables} tables compared`;
  const lines: string[] = [];
  if (rows === 0) lines.push("FAILED: there were no rows to compare.");
  else if (differing === 0) lines.push(`${compared}: none differs.`);
  else {
    lines.push(`FAILED: ${compared}, ${formatCount(differing)} differ:`);
    lines.push(...differences.map((difference) => `  ${difference}`));
    if (differing > differences.length) lines.push("  …");
  }
  lines.push(...problems.map((problem) => `FAILED: ${problem}`));
  return lines.join("\n");
}
