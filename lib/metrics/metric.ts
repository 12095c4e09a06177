import type { Scrape } from "./scrape.ts";

/** Sections that docs/metrics.md puts metrics in, in that order. */
export const METRIC_SUBJECTS = [
  "node",
  "source",
  "log",
  "retention",
  "replicas",
  "replica",
  "admin",
  "process",
] as const;

/** One of {@linkcode METRIC_SUBJECTS}. */
export type MetricSubject = typeof METRIC_SUBJECTS[number];

/** A label of a metric. */
export interface MetricLabel {
  readonly name: string;
  /** What its values are: all of them, where there are only a few. */
  readonly values: string;
}

/** One value of a metric, and what tells it from the metric's others. */
export interface MetricSample {
  readonly value: number;
  readonly labels: Readonly<Record<string, string>>;
}

interface MetricFacts {
  /** As Prometheus has it: `kingbus_…`, base unit last, `_total` if it counts. */
  readonly name: string;
  readonly subject: MetricSubject;
  /** One line: what it is, and its unit where the name does not say. */
  readonly help: string;
  readonly labels?: readonly MetricLabel[];
}

/** A metric whose value something in kingbus keeps: it is read when asked for. */
export interface ReadMetric extends MetricFacts {
  readonly type: "counter" | "gauge";
  /**
   * Its value; undefined while there is none, and then there is no series. With
   * labels: all its samples.
   */
  readonly read: (
    scrape: Scrape,
  ) => number | undefined | Iterable<MetricSample>;
}

/** A metric that something in kingbus tells of each time it happens. */
export interface ObservedMetric extends MetricFacts {
  readonly type: "histogram";
  /** Upper bounds of the buckets, ascending; the last one, infinity, is left out. */
  readonly buckets: readonly number[];
}

/** A metric that `GET /metrics` shows. */
export type Metric = ReadMetric | ObservedMetric;

/** The samples of a metric with one label, from a record by its values. */
export function* samplesOf(
  label: string,
  values: Readonly<Record<string, number>>,
): Iterable<MetricSample> {
  for (const [name, value] of Object.entries(values)) {
    yield { value, labels: { [label]: name } };
  }
}

/** Seconds since 1970 of a time; undefined for none. */
export function unixSeconds(at: Date | undefined): number | undefined {
  return at === undefined ? undefined : at.getTime() / 1000;
}
