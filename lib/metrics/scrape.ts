import type {
  NodeInfo,
  RetentionControl,
  ServerControl,
  ServerReport,
  SyncerControl,
  SyncerReport,
} from "../admin/control.ts";
import type { AdminRefusalCounts } from "../admin/connection_refusals.ts";
import { checkReadiness, type ReadinessCheck } from "../admin/readiness.ts";
import type { LogLevel } from "../log/log.ts";
import type { RetentionReport } from "../retention/retention.ts";
import type { BinlogServer } from "../server/binlog_server.ts";
import type { RefusalCounts } from "../server/refusal_log.ts";
import type { TotalCounts } from "../server/run_totals.ts";
import type { ServiceCounters } from "../server/service_counters.ts";
import type {
  BinlogStore,
  DiskUse,
  StoredFile,
  StoreHead,
} from "../store/binlog_store.ts";
import type { AppendCounts } from "../store/commit_observer.ts";
import type { MetricSample } from "./metric.ts";
import type { SyncerCounters } from "../syncer/syncer_counters.ts";
import type { SyncerProgress } from "../syncer/syncer_status.ts";
import { type ProcessUse, readProcessUse } from "./process_use.ts";
import type {
  ReplicaSeriesList,
  ReplicaSeriesLister,
} from "./replica_series.ts";

/** What metrics are read from. */
export interface MetricSources {
  readonly node: () => NodeInfo;
  /** How much has come from the source. */
  readonly progress: () => Pick<SyncerProgress, "bytesReceived">;
  readonly syncer: Pick<SyncerControl, "report">;
  readonly server: Pick<ServerControl, "report">;
  readonly retention: Pick<RetentionControl, "report">;
  /** What the syncer has counted. */
  readonly source: Readonly<SyncerCounters>;
  readonly binlogServer: Pick<
    BinlogServer,
    "connectionCounts" | "counters" | "totals"
  >;
  /** The most clients there may be. */
  readonly connectionsMax: number;
  readonly store: Pick<BinlogStore, "head" | "files" | "failure" | "diskUse">;
  /** Bytes that can still be written to the disk of the store. */
  readonly freeDisk: () => Promise<number>;
  /** How many lines were logged, by level. */
  readonly logLines: () => Readonly<Record<LogLevel, number>>;
}

/** How the disk is; what could not be found out in time is undefined. */
export interface DiskFacts {
  readonly freeBytes: number | undefined;
  readonly use: DiskUse | undefined;
}

/** Everything that metrics are read from, at one moment. */
export interface Scrape {
  readonly node: NodeInfo;
  readonly checks: readonly ReadinessCheck[];
  readonly syncer: SyncerReport;
  readonly source: Readonly<SyncerCounters>;
  /** Bytes that came from the source. */
  readonly receivedBytes: number;
  readonly server: ServerReport;
  readonly connections: number;
  readonly connectionsMax: number;
  readonly refusals: RefusalCounts;
  readonly service: Readonly<ServiceCounters>;
  readonly totals: TotalCounts;
  readonly replicas: ReplicaSeriesList;
  readonly retention: RetentionReport;
  readonly files: readonly StoredFile[];
  readonly head: StoreHead | undefined;
  /** Whether the log can be written. */
  readonly writable: boolean;
  /** What was made durable since the process began. */
  readonly ingest: AppendCounts;
  /** Requests that the admin API has answered. */
  readonly adminRequests: readonly MetricSample[];
  /** Connections that the admin API has refused. */
  readonly adminRefusals: AdminRefusalCounts;
  readonly disk: DiskFacts;
  readonly logLines: Readonly<Record<LogLevel, number>>;
  readonly process: ProcessUse;
}

/** A disk that does not answer holds up a scrape no longer than this. */
const DISK_TIMEOUT_MS = 500;

/** What metrics count themselves, because they are told of it. */
export type OwnCounts = Pick<
  Scrape,
  "ingest" | "adminRequests" | "adminRefusals"
>;

/** Looks at everything once. */
export async function takeScrape(
  sources: MetricSources,
  own: OwnCounts,
  lister: ReplicaSeriesLister,
): Promise<Scrape> {
  // Asked while all else is looked at, which is done at one go.
  const disk = diskFacts(sources);
  const node = sources.node();
  const syncer = sources.syncer.report();
  const server = sources.server.report();
  const retention = sources.retention.report();
  const { binlogServer, connectionsMax, logLines } = sources;
  const { head, files, failure } = sources.store;
  return {
    ...own,
    ...binlogServer.connectionCounts(),
    node,
    checks: checkReadiness(node, syncer, server),
    syncer,
    source: sources.source,
    receivedBytes: sources.progress().bytesReceived,
    server,
    connectionsMax,
    service: binlogServer.counters,
    totals: binlogServer.totals(),
    replicas: lister.list(server.replicas, retention.replicas),
    retention,
    files,
    head,
    writable: failure === undefined,
    disk: await disk,
    logLines: logLines(),
    process: readProcessUse(),
  };
}

async function diskFacts(sources: MetricSources): Promise<DiskFacts> {
  const [freeBytes, use] = await Promise.all([
    inTime(sources.freeDisk()),
    inTime(sources.store.diskUse()),
  ]);
  return { freeBytes, use };
}

/** What it resolves to; undefined if it fails, or does not in time. */
async function inTime<Value>(
  asked: Promise<Value>,
): Promise<Value | undefined> {
  const { promise: late, resolve } = Promise.withResolvers<undefined>();
  const timer = setTimeout(resolve, DISK_TIMEOUT_MS, undefined);
  try {
    return await Promise.race([asked, late]);
  } catch {
    // Its series is missing then: the log says what is wrong with the disk.
    return undefined;
  } finally {
    clearTimeout(timer);
  }
}
