import type { Metric } from "../../lib/metrics/metric.ts";

/** Words of a query that are no names of metrics or labels. */
const TEMPLATE = /\$\{?\w+(?::\w+)?\}?|\[\[\w+\]\]/g;
const QUOTED = /"(?:\\.|[^"\\])*"/g;
const SERIES = /\b((?:kingbus|process)_[a-z0-9_]+|up)\b(?:\{([^}]*)\})?/g;
const GROUPING =
  /\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)/g;

/** Labels that Prometheus adds. */
const TARGET_LABELS = ["job", "instance"];

/** What a metric of the table is in a query: by each name it may have there. */
function knownSeries(
  metrics: readonly Metric[],
): ReadonlyMap<string, readonly string[]> {
  const known = new Map<string, readonly string[]>([["up", []]]);
  for (const { name, type, labels = [] } of metrics) {
    const names = labels.map(({ name }) => name);
    if (type !== "histogram") known.set(name, names);
    else {
      known.set(`${name}_bucket`, [...names, "le"]);
      known.set(`${name}_sum`, names);
      known.set(`${name}_count`, names);
    }
  }
  return known;
}

/**
 * What in a query names no metric of the table, or a label that none of its
 * metrics has; empty if all of it is there.
 */
export function unknownNames(
  query: string,
  metrics: readonly Metric[],
): string[] {
  const known = knownSeries(metrics);
  const text = query.replaceAll(QUOTED, '""').replaceAll(TEMPLATE, "1m");
  const unknown: string[] = [];
  const inQuery = new Set(TARGET_LABELS);
  let count = 0;
  for (const [, name = "", matchers = ""] of text.matchAll(SERIES)) {
    count++;
    const labels = known.get(name);
    if (labels === undefined) {
      unknown.push(name);
      continue;
    }
    for (const label of labels) inQuery.add(label);
    for (const matcher of matchers.split(",").filter((part) => part.trim())) {
      const label = /^\s*(\w+)/.exec(matcher)?.[1] ?? matcher;
      if (!labels.includes(label) && !TARGET_LABELS.includes(label)) {
        unknown.push(`${name}{${label}}`);
      }
    }
  }
  if (count === 0) unknown.push(`no metric in ${query}`);
  for (const [, list = ""] of text.matchAll(GROUPING)) {
    for (const label of list.split(",").map((part) => part.trim())) {
      if (label !== "" && !inQuery.has(label)) unknown.push(`by (${label})`);
    }
  }
  return unknown;
}
