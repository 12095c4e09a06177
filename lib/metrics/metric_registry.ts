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

type Labels = MetricSample["labels"];

const NO_LABELS: Labels = {};

/** What has a meaning in the value of a label. */
const SPECIAL = /[\\"\n]/g;

/**
 * The metrics as prom-client has them, which writes the text of both formats.
 * What others keep is read from a `Scrape`; histograms are kept here.
 *
 * The series of replicas are written here: there are thousands of them, and
 * their labels are the same objects from one scrape to the next, so that the
 * text of these is made once.
 */
export class MetricRegistry {
  readonly #text = new Registry();
  readonly #openMetrics = new Registry<
    typeof Registry.OPENMETRICS_CONTENT_TYPE
  >();
  readonly #many: ReadMetric[] = [];
  readonly #histograms = new Map<string, Histogram>();
  readonly #labelTexts = new WeakMap<Labels, string>();
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
      } else if (metric.subject === "replica") {
        this.#many.push(metric);
      } else {
        this.#register(metric, metric.name, this.#text);
        this.#register(metric, openMetricsName(metric), this.#openMetrics);
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
      const replicas = this.#many.map((metric) =>
        this.#write(metric, openMetrics ? openMetricsName(metric) : metric.name)
      );
      return {
        contentType: registry.contentType,
        text: replicas.join("") + await text,
      };
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
    // into it, and removed again when it is not known any more.
    registered.get = () =>
      Promise.resolve({
        name: family,
        help,
        type,
        aggregator: "sum",
        values: [...this.#samples(metric)],
      } as unknown as Awaited<ReturnType<typeof registered.get>>);
  }

  #samples({ read }: ReadMetric): Iterable<MetricSample> {
    const values = this.#scrape && read(this.#scrape);
    if (values === undefined) return [];
    return typeof values === "number"
      ? [{ value: values, labels: NO_LABELS }]
      : values;
  }

  #write(metric: ReadMetric, family: string): string {
    const { name, type, help } = metric;
    let text = `# HELP ${family} ${help}\n# TYPE ${family} ${type}\n`;
    for (const { value, labels } of this.#samples(metric)) {
      text += `${name}${this.#labelText(labels)} ${value}\n`;
    }
    return text;
  }

  #labelText(labels: Labels): string {
    const known = this.#labelTexts.get(labels);
    if (known !== undefined) return known;
    const parts = Object.entries(labels).map(([name, value]) =>
      `${name}="${value.replace(SPECIAL, escapeSpecial)}"`
    );
    const text = parts.length === 0 ? "" : `{${parts.join(",")}}`;
    this.#labelTexts.set(labels, text);
    return text;
  }
}

/** OpenMetrics has a counter's name without the suffix of its samples. */
function openMetricsName({ name, type }: ReadMetric): string {
  return type === "counter" ? name.replace(/_total$/, "") : name;
}

function escapeSpecial(special: string): string {
  return special === "\n" ? "\\n" : `\\${special}`;
}
