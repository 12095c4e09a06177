/**
 * Writes the tables of metrics in docs/metrics.md:
 * `deno run -A scripts/metrics_docs.ts`. A test compares the two.
 *
 * @module
 */
import {
  type Metric,
  METRIC_SUBJECTS,
  type MetricSubject,
} from "../lib/metrics/metric.ts";
import { METRICS } from "../lib/metrics/metric_list.ts";
import { formatTable } from "./markdown_table.ts";

/** Headings of the sections, each of which has its table. */
const HEADINGS: Readonly<Record<MetricSubject, string>> = {
  node: "Node",
  source: "Source",
  log: "Log and disk",
  retention: "Retention",
  replicas: "Serving",
  replica: "Replicas",
  admin: "Admin API",
  process: "Process",
};

/** What is in a section: the metrics, then what their labels can be. */
const TABLES = String
  .raw`^\| Metric .*\n(?:\|.*\n)+(?:\n\| Label .*\n(?:\|.*\n)+)?`;

/** The page with its tables written anew. */
export function withMetrics(page: string): string {
  let written = page;
  for (const subject of METRIC_SUBJECTS) {
    const section = new RegExp(
      `(^## ${HEADINGS[subject]}\\n(?:(?!^## )[^])*?)${TABLES}`,
      "m",
    );
    if (!section.test(written)) {
      throw new TypeError(
        `Cannot write docs/metrics.md: the section ${
          HEADINGS[subject]
        } has no table`,
      );
    }
    const tables = formatTables(
      METRICS.filter((metric) => metric.subject === subject),
    );
    written = written.replace(section, (_, before: string) => before + tables);
  }
  return written;
}

function formatTables(metrics: readonly Metric[]): string {
  const rows = metrics.map((metric) => [
    `\`${metric.name}\``,
    metric.type,
    (metric.labels ?? []).map(({ name }) => `\`${name}\``).join(", "),
    metric.help,
  ]);
  const header = ["Metric", "Type", "Labels", "Meaning"];
  const values = new Map(
    metrics.flatMap(({ labels = [] }) =>
      labels.map(({ name, values }) => [name, values] as const)
    ),
  );
  const table = formatTable([header, ...rows]);
  if (values.size === 0) return table;
  const labels = [...values].map(([name, text]) => [`\`${name}\``, text]);
  return `${table}\n${formatTable([["Label", "Values"], ...labels])}`;
}

if (import.meta.main) {
  const url = new URL("../docs/metrics.md", import.meta.url);
  await Deno.writeTextFile(url, withMetrics(await Deno.readTextFile(url)));
}
