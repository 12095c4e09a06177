import { assert, assertEquals } from "@std/assert";
import {
  type AdminRefusalReason,
  NOTHING_REFUSED,
} from "../../../lib/admin/connection_refusals.ts";
import type { ReplicaReport } from "../../../lib/admin/control.ts";
import { openLog } from "../../../lib/log/log.ts";
import { METRICS } from "../../../lib/metrics/metric_list.ts";
import { Metrics } from "../../../lib/metrics/metrics.ts";
import type { MetricSources } from "../../../lib/metrics/scrape.ts";
import { REPLICA_SERIES_MAX } from "../../../lib/metrics/replica_series.ts";
import {
  DUMP_OUTCOMES,
  type DumpOutcome,
} from "../../../lib/server/dump_outcome.ts";
import {
  noRefusals,
  type RefusalReason,
} from "../../../lib/server/refusal_log.ts";
import { RunTotals } from "../../../lib/server/run_totals.ts";
import {
  ServiceCounters,
  SESSION_ERROR_KINDS,
  type SessionErrorKind,
} from "../../../lib/server/service_counters.ts";
import { openMemoryStore } from "../../../lib/store/memory_store.ts";
import {
  SYNCER_CAUSES,
  type SyncerCause,
} from "../../../lib/syncer/syncer_cause.ts";
import { SyncerCounters } from "../../../lib/syncer/syncer_counters.ts";
import { ScrapedMetrics } from "../../support/scraped_metrics.ts";
import {
  BUSY_RETENTION,
  MemoryRetentionControl,
  MemoryServerControl,
  MemorySyncerControl,
  NODE,
} from "../admin/memory_controls.ts";

/** Metrics of a node that is not there, and how often it was looked at. */
class MadeMetrics implements AsyncDisposable {
  readonly lines: string[] = [];
  readonly server = new MemoryServerControl();
  readonly retention = new MemoryRetentionControl();
  readonly service = new ServiceCounters();
  readonly refusals = noRefusals();
  readonly source = new SyncerCounters();
  readonly metrics: Metrics;
  readonly sources: MetricSources;
  readonly #store: AsyncDisposable;
  looks = 0;
  freeDisk: () => Promise<number> = () => Promise.resolve(12345);

  private constructor(store: MetricSources["store"] & AsyncDisposable) {
    const log = openLog({
      level: "info",
      format: "text",
      write: (line) => this.lines.push(line),
    });
    this.#store = store;
    this.metrics = new Metrics(log);
    const totals = new RunTotals(["Com_select"]);
    this.sources = {
      node: () => {
        this.looks++;
        return NODE;
      },
      progress: () => ({ bytesReceived: 77 }),
      syncer: new MemorySyncerControl(),
      server: this.server,
      retention: this.retention,
      source: this.source,
      binlogServer: {
        counters: this.service,
        totals: () => totals.now(),
        connectionCounts: () => ({
          connections: 3,
          refusals: this.refusals,
        }),
      },
      connectionsMax: 1000,
      store,
      freeDisk: () => this.freeDisk(),
      logLines: () => log.lines,
    };
  }

  static async open(): Promise<MadeMetrics> {
    return new MadeMetrics(await openMemoryStore());
  }

  async scrape(): Promise<ScrapedMetrics> {
    const page = await this.metrics.page("");
    assert(page !== undefined);
    return new ScrapedMetrics(page.text);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.metrics.close();
    await this.#store[Symbol.asyncDispose]();
  }
}

Deno.test("Metrics has nothing to show before the start and after the end", async () => {
  await using made = await MadeMetrics.open();
  assertEquals(await made.metrics.page(""), undefined);
  made.metrics.start(made.sources);
  assert(await made.metrics.page("") !== undefined);
  await made.metrics.close();
  assertEquals(await made.metrics.page(""), undefined);
});

Deno.test("Metrics counts what it was told before prom-client was there", async () => {
  await using made = await MadeMetrics.open();
  const { metrics } = made;
  metrics.onCommit({ seconds: 0.02, bytes: 100, events: 5, transactions: 1 });
  metrics.onCommit({ seconds: 0.3, bytes: 50, events: 2, transactions: 1 });
  metrics.onRequest({
    method: "BREW",
    route: undefined,
    status: 405,
    seconds: 0.1,
  });
  metrics.start(made.sources);
  const scraped = await made.scrape();
  assertEquals(scraped.value("kingbus_ingest_bytes_total"), 150);
  assertEquals(scraped.value("kingbus_ingest_events_total"), 7);
  assertEquals(scraped.value("kingbus_ingest_transactions_total"), 2);
  const bucket = "kingbus_commit_duration_seconds_bucket";
  assertEquals(scraped.value(bucket, { le: "0.025" }), 1);
  assertEquals(scraped.value(bucket, { le: "+Inf" }), 2);
  assertEquals(
    scraped.value("kingbus_admin_requests_total", {
      method: "other",
      route: "other",
      status: "405",
    }),
    1,
  );
  assertEquals(scraped.value("kingbus_source_received_bytes_total"), 77);
});

Deno.test("Metrics shows how often each kind of fault and refusal was counted", async () => {
  await using made = await MadeMetrics.open();
  const { metrics, refusals, service, source } = made;
  metrics.start(made.sources);
  const kinds: {
    readonly name: string;
    readonly label: string;
    readonly values: readonly string[];
    readonly count: (value: string, times: number) => void;
  }[] = [
    {
      name: "kingbus_admin_connections_refused_total",
      label: "reason",
      values: Object.keys(NOTHING_REFUSED),
      count: (reason, times) => {
        for (let n = 0; n < times; n++) {
          metrics.onRefused(reason as AdminRefusalReason);
        }
      },
    },
    {
      name: "kingbus_connections_refused_total",
      label: "reason",
      values: Object.keys(noRefusals()),
      count: (reason, times) => refusals[reason as RefusalReason] = times,
    },
    {
      name: "kingbus_session_errors_total",
      label: "kind",
      values: SESSION_ERROR_KINDS,
      count: (kind, times) =>
        service.sessionErrors[kind as SessionErrorKind] = times,
    },
    {
      name: "kingbus_dumps_ended_total",
      label: "reason",
      values: DUMP_OUTCOMES,
      count: (reason, times) =>
        service.dumpsEnded[reason as DumpOutcome] = times,
    },
    {
      name: "kingbus_source_errors_total",
      label: "cause",
      values: SYNCER_CAUSES,
      count: (cause, times) => source.faults[cause as SyncerCause] = times,
    },
  ];
  for (const { name, label, values, count } of kinds) {
    values.forEach((value, index) => count(value, index + 1));
    const shown = (await made.scrape()).all(name);
    assertEquals(
      shown.map(({ labels, value }) => [labels[label], value]),
      values.map((value, index) => [value, index + 1]),
      name,
    );
    const metric = METRICS.find((one) => one.name === name)!;
    const { values: listed } = metric.labels![0]!;
    if (label === "cause") continue;
    for (const value of values) assert(listed.includes(`\`${value}\``), value);
  }
});

Deno.test("Metrics looks once for all who ask at the same time", async () => {
  await using made = await MadeMetrics.open();
  made.metrics.start(made.sources);
  await made.scrape();
  const before = made.looks;
  await Promise.all(Array.from({ length: 20 }, () => made.scrape()));
  assertEquals(made.looks, before + 1);
});

Deno.test("a disk that does not answer leaves its series out, and the rest comes", async () => {
  await using made = await MadeMetrics.open();
  made.metrics.start(made.sources);
  assertEquals((await made.scrape()).value("kingbus_disk_free_bytes"), 12345);
  const { promise, resolve } = Promise.withResolvers<number>();
  made.freeDisk = () => promise;
  const scraped = await made.scrape();
  assertEquals(scraped.value("kingbus_disk_free_bytes"), undefined);
  assertEquals(scraped.value("kingbus_connections"), 3);
  made.freeDisk = () => Promise.reject(new TypeError("no disk"));
  assertEquals((await made.scrape()).value("kingbus_connections"), 3);
  resolve(0);
});

Deno.test("replicas over the limit are counted, the last of them told, and the log says so once", async () => {
  await using made = await MadeMetrics.open();
  made.metrics.start(made.sources);
  const [one] = made.server.report().replicas;
  const replicas = Array.from(
    { length: REPLICA_SERIES_MAX + 5 },
    (_, index): ReplicaReport => ({
      ...one!,
      state: "dumping",
      connectionId: String(index + 1),
      uuid: "",
      serverId: String(index + 1),
      lagSeconds: index,
    }),
  );
  made.server.current = { ...made.server.current, replicas };
  for (let scrape = 0; scrape < 3; scrape++) await made.scrape();
  const scraped = await made.scrape();
  assertEquals(scraped.value("kingbus_replicas_unlisted"), 5);
  const lag = "kingbus_replica_lag_seconds";
  assertEquals(scraped.all(lag).length, REPLICA_SERIES_MAX + 1);
  assertEquals(
    scraped.value(lag, { replica: "(others)" }),
    REPLICA_SERIES_MAX + 4,
  );
  const said = made.lines.filter((line) => line.includes("more replicas"));
  assertEquals(said.length, 1);
});

Deno.test("what retention has to say is there, times in seconds", async () => {
  await using made = await MadeMetrics.open();
  made.retention.current = BUSY_RETENTION;
  made.metrics.start(made.sources);
  const scraped = await made.scrape();
  const values = Object.fromEntries(
    scraped.samples.filter(({ name }) => name.startsWith("kingbus_retention_"))
      .map(({ name, labels, value }) => [
        name.slice("kingbus_retention_".length) +
        (labels.replica === "reports" ? " reports" : labels.replica ?? ""),
        value,
      ]),
  );
  const other = "33333333-71ca-11e1-9e33-c80aa9429562";
  assertEquals(values, {
    purged_files_total: 5,
    purged_bytes_total: 9000,
    last_purge_timestamp_seconds: 1_700_000_002,
    last_check_timestamp_seconds: 1_700_000_003,
    failures_total: 0,
    held_back_files: 1,
    held_back_bytes: 100,
    held_back_timestamp_seconds: 1_700_000_001,
    limit_bytes: 20 * 2 ** 30,
    limit_age_seconds: 7 * 86_400,
    limit_files: 100,
    limit_free_disk_bytes: 2 ** 30,
    "replica_connected reports": 0,
    [`replica_connected${other}`]: 1,
    "replica_lost reports": 0,
    [`replica_lost${other}`]: 0,
  });
});
