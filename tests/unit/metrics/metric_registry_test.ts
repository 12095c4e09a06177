import { assert, assertEquals } from "@std/assert";
import type { ReplicaReport } from "../../../lib/admin/control.ts";
import type { Metric } from "../../../lib/metrics/metric.ts";
import { METRICS } from "../../../lib/metrics/metric_list.ts";
import { MetricRegistry } from "../../../lib/metrics/metric_registry.ts";
import { ReplicaSeriesLister } from "../../../lib/metrics/replica_series.ts";
import type { Scrape } from "../../../lib/metrics/scrape.ts";
import { ScrapedMetrics } from "../../support/scraped_metrics.ts";

/** A scrape of which a test's metrics read nothing. */
const NOTHING = {} as Scrape;

const COUNTER: Metric = {
  name: "kingbus_made_total",
  type: "counter",
  subject: "node",
  help: "Made for a test.",
  labels: [{ name: "kind", values: "any" }],
  read: () => [{ value: 3, labels: { kind: 'a"} 1\nb\\' } }],
};

Deno.test("MetricRegistry escapes labels, whatever is in them", async () => {
  const registry = new MetricRegistry([COUNTER]);
  const { text, contentType } = await registry.page(NOTHING, false);
  assertEquals(contentType, "text/plain; version=0.0.4; charset=utf-8");
  assertEquals(
    text,
    '# HELP kingbus_made_total Made for a test.\n# TYPE kingbus_made_total counter\nkingbus_made_total{kind="a\\"} 1\\nb\\\\"} 3\n',
  );
  const { samples } = new ScrapedMetrics(text);
  assertEquals(samples[0]?.labels, { kind: 'a"} 1\nb\\' });
  // Those of replicas are written apart, and are the same.
  const replicas = new MetricRegistry([{ ...COUNTER, subject: "replica" }]);
  for (const openMetrics of [false, true]) {
    const one = await registry.page(NOTHING, openMetrics);
    const other = await replicas.page(NOTHING, openMetrics);
    const lines = ({ text }: { text: string }) => text.split(/\n+/);
    assertEquals(lines(other), lines(one));
  }
});

Deno.test("MetricRegistry gives both formats in turns, each with its names", async () => {
  const registry = new MetricRegistry([COUNTER, {
    name: "kingbus_made_seconds",
    type: "histogram",
    subject: "node",
    help: "Made for a test.",
    labels: [{ name: "kind", values: "any" }],
    buckets: [1, 2],
  }]);
  const name = "kingbus_made_seconds";
  registry.observe({ name, value: 1.5, labels: { kind: "x" } });
  const texts: string[] = [];
  for (const openMetrics of [false, true, false, true]) {
    texts.push((await registry.page(NOTHING, openMetrics)).text);
  }
  assertEquals(texts[2], texts[0]);
  assertEquals(texts[3], texts[1]);
  assert(texts[0]!.includes("# TYPE kingbus_made_total counter\n"));
  assert(
    texts[1]!.includes("# TYPE kingbus_made counter\nkingbus_made_total{"),
  );
  assert(texts[1]!.endsWith("# EOF\n"));
  for (const text of texts) {
    assert(text.includes('kingbus_made_seconds_bucket{le="2",kind="x"} 1'));
    assert(text.includes('kingbus_made_seconds_sum{kind="x"} 1.5'));
  }
});

Deno.test("MetricRegistry shows no series for what is not known", async () => {
  const registry = new MetricRegistry([{
    name: "kingbus_made_bytes",
    type: "gauge",
    subject: "node",
    help: "Made for a test.",
    read: () => undefined,
  }]);
  const { text } = await registry.page(NOTHING, false);
  assertEquals(new ScrapedMetrics(text).samples, []);
});

Deno.test("a thousand replicas are written within a moment, and go with their connections", async () => {
  const replicas = Array.from({ length: 1000 }, (_, index): ReplicaReport => ({
    connectionId: String(index + 1),
    remote: `10.0.0.2:${1024 + index}`,
    user: "repl",
    serverId: String(3_100_000_000 + index),
    uuid: `4b494e47-0000-1111-8000-${String(index).padStart(12, "0")}`,
    hostName: "",
    port: 0,
    state: "dumping",
    mode: "gtid",
    file: "binlog.000001",
    position: 1234 + index,
    lagBytes: index,
    lagSeconds: 0,
    bytesPerSecond: 0,
    connectedAt: new Date(1_700_000_000_000),
    heartbeatMs: 30_000,
    bytesSent: 5n,
    program: "",
    clientVersion: "",
  }));
  const lister = new ReplicaSeriesLister();
  const scrapeOf = (some: readonly ReplicaReport[]): Scrape =>
    ({
      server: { replicas: some },
      files: [{ name: "binlog.000001" }],
      replicas: lister.list(some, []),
    }) as unknown as Scrape;
  const registry = new MetricRegistry(
    METRICS.filter(({ subject }) => subject === "replica"),
  );
  const durations: number[] = [];
  let text = "";
  for (let scrape = 0; scrape < 20; scrape++) {
    const began = performance.now();
    ({ text } = await registry.page(scrapeOf(replicas), false));
    durations.push(performance.now() - began);
  }
  const all = new ScrapedMetrics(text);
  assertEquals(all.all("kingbus_replica_lag_bytes").length, 1000);
  assertEquals(
    all.value("kingbus_replica_lag_bytes", { replica: replicas[7]!.uuid }),
    7,
  );
  // Some 2 ms where nothing else runs; this is for a machine where much does.
  const median = durations.toSorted((a, b) => a - b)[10]!;
  assert(median < 250, `${median} ms`);
  ({ text } = await registry.page(scrapeOf(replicas.slice(0, 3)), false));
  const few = new ScrapedMetrics(text).samples.filter(({ labels }) =>
    labels.replica !== undefined
  );
  assertEquals(new Set(few.map(({ labels }) => labels.replica)).size, 3);
});
