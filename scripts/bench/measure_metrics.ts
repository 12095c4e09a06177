import { BenchError } from "./bench_error.ts";
import { IdleReplicaProcess } from "./idle_replica_process.ts";
import { KingbusProcess } from "./kingbus_process.ts";
import { below, type PartResult } from "./measurement.ts";
import { percentile, sampleOf } from "./sample.ts";
import { startSmallSource } from "./small_source.ts";

/** The project's target: for one scrape, in the median. */
const SCRAPE_TARGET_MS = 20;

/** Scrapes of one run; those before them let the compiler warm up. */
const SCRAPES = 40;
const WARM_UP = 10;

/** Far less often than the idle replicas' heartbeats, as Prometheus does. */
const PAUSE_MS = 100;

/** What the measurement needs. */
export interface MetricsMeasure {
  readonly runs: number;
  /** Entry point of kingbus. */
  readonly main: string;
  /** Folder for the store. */
  readonly folder: string;
  /** How many replicas. */
  readonly replicas: number;
  readonly progress: (what: string) => void;
}

interface MetricsRun {
  readonly medianMs: number;
  readonly slowMs: number;
  /** Time on any core that kingbus used for one. */
  readonly cpuMs: number;
  readonly series: number;
  readonly bytes: number;
}

/** `GET /metrics` with many replicas connected, each with its series. */
export async function measureMetrics(
  measure: MetricsMeasure,
): Promise<PartResult> {
  const { folder, main, progress, replicas } = measure;
  progress("starting a source of its own");
  await using source = await startSmallSource();
  const runs: MetricsRun[] = [];
  for (let run = 1; run <= measure.runs; run++) {
    progress(`metrics, run ${run} of ${measure.runs}`);
    await using kingbus = await KingbusProcess.start({
      main,
      dataDir: await Deno.makeTempDir({ dir: folder }),
      server: {
        "connections-max": replicas + 100,
        tls: { mode: "disabled" },
      },
    });
    await kingbus.follow(source);
    await kingbus.caughtUp(source.log);
    await using _replicas = await IdleReplicaProcess.start({
      server: { hostname: kingbus.hostname, port: kingbus.port },
      replicas,
      executed: source.executed,
      heartbeatMs: 30_000,
      tls: false,
    });
    runs.push(await scrapeOften(kingbus, replicas));
  }
  const median = sampleOf(runs.map(({ medianMs }) => medianMs));
  const name = `GET /metrics with ${replicas} replicas`;
  return {
    title: `metrics: a scrape with ${replicas} replicas`,
    measurements: [
      { name, unit: "ms", sample: median },
      {
        name: "of 20 the slowest",
        unit: "ms",
        sample: sampleOf(runs.map(({ slowMs }) => slowMs)),
      },
      {
        name: "processor time of kingbus for one",
        unit: "ms",
        sample: sampleOf(runs.map(({ cpuMs }) => cpuMs)),
      },
      {
        name: "series",
        unit: "",
        sample: sampleOf(runs.map(({ series }) => series)),
      },
      {
        name: "text",
        unit: "kB",
        sample: sampleOf(runs.map(({ bytes }) => bytes / 1e3)),
      },
    ],
    verdicts: [below(name, median.median, SCRAPE_TARGET_MS, "ms")],
    notes: [
      "from the request to the answer's last byte, in another process on this machine",
    ],
  };
}

async function scrapeOften(
  kingbus: KingbusProcess,
  replicas: number,
): Promise<MetricsRun> {
  const url = `${kingbus.adminUrl}/metrics`;
  const durations: number[] = [];
  let text = "";
  let before = await kingbus.usage();
  for (let scrape = 0; scrape < WARM_UP + SCRAPES; scrape++) {
    if (scrape === WARM_UP) before = await kingbus.usage();
    const start = performance.now();
    const answer = await fetch(url);
    text = await answer.text();
    if (scrape >= WARM_UP) durations.push(performance.now() - start);
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
  const after = await kingbus.usage();
  const lines = text.split("\n").filter((line) => /^[a-z]/.test(line));
  const lags = lines.filter((line) =>
    line.startsWith("kingbus_replica_lag_seconds{")
  );
  if (lags.length !== replicas) {
    throw new BenchError(`${lags.length} of ${replicas} replicas have series`);
  }
  return {
    medianMs: percentile(durations, 50),
    slowMs: percentile(durations, 95),
    cpuMs: 1000 * (after.cpuSeconds - before.cpuSeconds) / SCRAPES,
    series: lines.length,
    bytes: text.length,
  };
}
