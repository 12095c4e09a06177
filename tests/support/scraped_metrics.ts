import { waitUntil } from "../../scripts/test_servers/wait_until.ts";

/** A line of the text format: name, labels, value. */
const SAMPLE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/;
const LABEL = /(\w+)="((?:\\.|[^"\\])*)"/g;

/** One sample of a scrape. */
export interface ScrapedSample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** What `GET /metrics` answered. */
export class ScrapedMetrics {
  readonly text: string;
  readonly samples: readonly ScrapedSample[];

  /** @param text in Prometheus's text format */
  constructor(text: string) {
    this.text = text;
    this.samples = text.split("\n")
      .filter((line) => line !== "" && !line.startsWith("#")).map(parseSample);
  }

  /** Scrapes the admin API at a URL. */
  static async of(adminUrl: string): Promise<ScrapedMetrics> {
    const answer = await fetch(`${adminUrl}/metrics`);
    const text = await answer.text();
    if (!answer.ok) throw new TypeError(`${answer.status}: ${text}`);
    return new ScrapedMetrics(text);
  }

  /** Scrapes until a condition holds. */
  static until(
    adminUrl: string,
    what: string,
    condition: (metrics: ScrapedMetrics) => boolean,
  ): Promise<ScrapedMetrics> {
    return waitUntil(what, async () => {
      const metrics = await ScrapedMetrics.of(adminUrl);
      return condition(metrics) && metrics;
    }, { deadlineMs: 60_000, intervalMs: 50 });
  }

  /** The samples of a metric that have these labels, and maybe others. */
  all(
    name: string,
    labels: Readonly<Record<string, string>> = {},
  ): ScrapedSample[] {
    return this.samples.filter((sample) =>
      sample.name === name &&
      Object.entries(labels).every(([label, value]) =>
        sample.labels[label] === value
      )
    );
  }

  /** The value of the only such sample; undefined if there is none. */
  value(
    name: string,
    labels: Readonly<Record<string, string>> = {},
  ): number | undefined {
    const found = this.all(name, labels);
    if (found.length > 1) throw new TypeError(`${name} has ${found.length}`);
    return found[0]?.value;
  }
}

function parseSample(line: string): ScrapedSample {
  const [, name, labels = "", value] = SAMPLE.exec(line) ?? [];
  if (name === undefined) throw new TypeError(`No sample: ${line}`);
  return {
    name,
    value: Number(value?.replace("Inf", "Infinity")),
    labels: Object.fromEntries(
      [...labels.matchAll(LABEL)].map(([, label = "", text = ""]) => [
        label,
        text.replaceAll(
          /\\(.)/g,
          (_, escaped: string) => escaped === "n" ? "\n" : escaped,
        ),
      ]),
    ),
  };
}
