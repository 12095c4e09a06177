import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { MetricsPage } from "../admin/control.ts";
import type { Metric, MetricSample, ReadMetric } from "./metric.ts";
import type { Scrape } from "./scrape.ts";

/** A value for the histogram of that name. */
export interface Observation {
  readonly name: string;
  readonly value: number;
  readonly labels: Readonly<Record<string, string>>;
}

/** A sample as prom-client takes it. */
interface SharedSample {
  readonly value: number;
  readonly sharedLabels: MetricSample["labels"];
}

const NO_LABELS = {};

/**
 * The metrics as prom-client has them, which writes the text of both formats.
 * What others keep is read from a `Scrape`; histograms are kept here.
 */
export class MetricRegistry {
  readonly #text = new Registry();
  readonly #openMetrics = new Registry<
    typeof Registry.OPENMETRICS_CONTENT_TYPE
  >();
  readonly #histograms = new Map<string, Histogram>();
  /** What is being written. */
  #scrape: Scrape | undefined;

  /** @param metrics what there is */
  constructor(metrics: readonly Metric[]) {
    this.#openMetrics.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
    for (const metric of metrics) {
      if (metric.type === "histogram") {
        const { name, help, labels = [] } = metric;
        const histogram = new Histogram({
          name,
          help,
          labelNames: labels.map(({ name }) => name),
          buckets: [...metric.buckets],
          registers: [this.#text, this.#openMetrics],
        });
        this.#histograms.set(name, histogram);
      } else {
        this.#register(metric, metric.name, this.#text);
        // OpenMetrics has a counter's name without the suffix of its samples.
        const family = metric.type === "counter"
          ? metric.name.replace(/_total$/, "")
          : metric.name;
        this.#register(metric, family, this.#openMetrics);
      }
    }
  }

  /** Takes a value into a histogram. */
  observe({ name, value, labels }: Observation): void {
    this.#histograms.get(name)?.observe(labels, value);
  }

  /**
   * All metrics as text.
   *
   * @param scrape what they are read from
   * @param openMetrics the format: OpenMetrics, or Prometheus's older one
   */
  async page(scrape: Scrape, openMetrics: boolean): Promise<MetricsPage> {
    const registry = openMetrics ? this.#openMetrics : this.#text;
    this.#scrape = scrape;
    try {
      // Reads all metrics before it first waits.
      const text = registry.metrics();
      return { contentType: registry.contentType, text: await text };
    } finally {
      this.#scrape = undefined;
    }
  }

  #register(
    metric: ReadMetric,
    family: string,
    registry: Registry | Registry<typeof Registry.OPENMETRICS_CONTENT_TYPE>,
  ): void {
    const { type, name, help, labels = [] } = metric;
    const configuration = {
      name,
      help,
      labelNames: labels.map(({ name }) => name),
      registers: [registry],
    };
    const registered = type === "counter"
      ? new Counter(configuration)
      : new Gauge(configuration);
    // In the place of the values it would keep itself: nothing has to be put
    // into it, and removed again when a replica has gone.
    registered.get = () =>
      Promise.resolve({
        name: family,
        help,
        type,
        aggregator: "sum",
        values: this.#samples(metric),
      } as unknown as Awaited<ReturnType<typeof registered.get>>);
  }

  /**
   * The samples as prom-client's own histograms give theirs: it makes the text
   * of labels that are the same object once, which is most of the work for
   * replicas.
   */
  #samples({ read }: ReadMetric): SharedSample[] {
    if (this.#scrape === undefined) return [];
    const values = read(this.#scrape);
    if (values === undefined) return [];
    const samples = typeof values === "number"
      ? [{ value: values, labels: NO_LABELS }]
      : values;
    return Array.from(
      samples,
      ({ value, labels }) => ({ value, sharedLabels: labels }),
    );
  }
}
