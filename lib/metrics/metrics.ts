import type { MetricsControl, MetricsPage } from "../admin/control.ts";
import {
  type AdminRefusalObserver,
  NOTHING_REFUSED,
} from "../admin/connection_refusals.ts";
import type { AdminRequestObserver } from "../admin/request_observer.ts";
import { describeError } from "../log/describe_error.ts";
import type { Log } from "../log/log.ts";
import {
  type CommitObserver,
  NOTHING_APPENDED,
} from "../store/commit_observer.ts";
import { AdminRequestCounts } from "./admin_request_counts.ts";
import { METRICS } from "./metric_list.ts";
import type { MetricRegistry, Observation } from "./metric_registry.ts";
import { prefersOpenMetrics } from "./prefers_open_metrics.ts";
import { REPLICA_SERIES_MAX, ReplicaSeriesLister } from "./replica_series.ts";
import { type MetricSources, type Scrape, takeScrape } from "./scrape.ts";

/** How often it is looked how late timers are. */
const DELAY_PERIOD_MS = 500;

/** Values kept until prom-client is loaded, soon after the start. */
const PENDING_MAX = 10_000;

const NO_LABELS = {};

/**
 * What `GET /metrics` answers. Nearly all of it is read when asked for from what
 * the parts know anyway; of commits and requests it is told.
 *
 * prom-client is loaded once everything is up: it takes longer than all else
 * that a start does.
 */
export class Metrics implements MetricsControl, AsyncDisposable {
  readonly #log: Log;
  readonly #requests = new AdminRequestCounts();
  readonly #replicas = new ReplicaSeriesLister();
  #ingest = NOTHING_APPENDED;
  #adminRefusals = NOTHING_REFUSED;
  #sources: MetricSources | undefined;
  #registry: MetricRegistry | undefined;
  #loading: Promise<MetricRegistry> | undefined;
  #pending: Observation[] = [];
  #timer: ReturnType<typeof setInterval> | undefined;
  /** Looked at by all who ask at the same time. */
  #scraping: Promise<Scrape> | undefined;
  #saidUnlisted = false;

  /** @param log told when there are more replicas than get series */
  constructor(log: Log) {
    this.#log = log;
  }

  /** Takes what a commit of the log has brought. */
  readonly onCommit: CommitObserver = (commit) => {
    const { bytes, events, transactions } = this.#ingest;
    this.#ingest = {
      bytes: bytes + commit.bytes,
      events: events + commit.events,
      transactions: transactions + commit.transactions,
    };
    this.#observe("kingbus_commit_duration_seconds", commit.seconds);
    this.#observe("kingbus_commit_bytes", commit.bytes);
  };

  /** Takes a request that the admin API has answered. */
  readonly onRequest: AdminRequestObserver = (request) => {
    const route = this.#requests.count(request);
    const name = "kingbus_admin_request_duration_seconds";
    this.#observe(name, request.seconds, { route });
  };

  /** Takes a connection that the admin API has refused. */
  readonly onRefused: AdminRefusalObserver = (reason) => {
    const count = this.#adminRefusals[reason] + 1;
    this.#adminRefusals = { ...this.#adminRefusals, [reason]: count };
  };

  /** Begins, once everything is up. */
  start(sources: MetricSources): void {
    this.#sources = sources;
    let due = performance.now() + DELAY_PERIOD_MS;
    this.#timer = setInterval(() => {
      const now = performance.now();
      const late = Math.max(0, now - due);
      due = now + DELAY_PERIOD_MS;
      this.#observe("kingbus_event_loop_delay_seconds", late / 1000);
    }, DELAY_PERIOD_MS);
    this.#load().catch((error) =>
      this.#log.error("can't show metrics", { error: describeError(error) })
    );
  }

  /** Ends; nothing of it is left then. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#sources = undefined;
    await Promise.allSettled([this.#loading, this.#scraping]);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** See `MetricsControl.page`. */
  async page(accept: string): Promise<MetricsPage | undefined> {
    const registry = await this.#load();
    const sources = this.#sources;
    if (sources === undefined) return undefined;
    const scrape = await (this.#scraping ??= this.#scrape(sources));
    return await registry.page(scrape, prefersOpenMetrics(accept));
  }

  async #scrape(sources: MetricSources): Promise<Scrape> {
    try {
      const scrape = await takeScrape(sources, {
        ingest: this.#ingest,
        adminRequests: this.#requests.samples(),
        adminRefusals: this.#adminRefusals,
      }, this.#replicas);
      this.#sayUnlisted(scrape.replicas.unlisted.length);
      return scrape;
    } finally {
      this.#scraping = undefined;
    }
  }

  #sayUnlisted(unlisted: number): void {
    if (unlisted > 0 && !this.#saidUnlisted) {
      this.#log.warn(
        "more replicas than have metrics of their own; the others are counted in kingbus_replicas_unlisted",
        { with_metrics: REPLICA_SERIES_MAX, others: unlisted },
      );
    }
    this.#saidUnlisted = unlisted > 0;
  }

  #load(): Promise<MetricRegistry> {
    return this.#loading ??= this.#open().catch((error) => {
      // Whoever asks next tries again.
      this.#loading = undefined;
      throw error;
    });
  }

  async #open(): Promise<MetricRegistry> {
    const { MetricRegistry } = await import("./metric_registry.ts");
    const registry = new MetricRegistry(METRICS);
    for (const observation of this.#pending) registry.observe(observation);
    this.#pending = [];
    return this.#registry = registry;
  }

  #observe(
    name: string,
    value: number,
    labels: Observation["labels"] = NO_LABELS,
  ): void {
    const observation = { name, value, labels };
    if (this.#registry !== undefined) this.#registry.observe(observation);
    else if (this.#pending.length < PENDING_MAX) {
      this.#pending.push(observation);
    }
  }
}
