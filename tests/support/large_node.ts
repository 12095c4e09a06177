import { AdminApi } from "../../lib/admin/admin_api.ts";
import type { WatchedNode } from "../../lib/admin/admin_parts.ts";
import { adminRoutes } from "../../lib/admin/admin_routes.ts";
import type { ReplicaReport } from "../../lib/admin/control.ts";
import type { ListedFile } from "../../lib/admin/file_status.ts";
import { everyInterval } from "../../lib/admin/live/every.ts";
import { LiveFeed } from "../../lib/admin/live/live_feed.ts";
import type { LiveSample } from "../../lib/admin/live/live_sample.ts";
import { liveStatus } from "../../lib/admin/live/live_snapshot.ts";
import { RecentWarnings } from "../../lib/admin/live/recent_warnings.ts";
import { formatAddress } from "../../lib/config/address.ts";
import { GtidSet } from "../../lib/gtid/gtid_set.ts";
import { silentLog } from "../../lib/log/log.ts";
import {
  MemoryRetentionControl,
  MemoryServerControl,
  MemorySyncerControl,
  NO_METRICS,
  NODE,
} from "../unit/admin/memory_controls.ts";

/** How large a {@linkcode LargeNode} is. */
export interface LargeNodeSize {
  readonly replicas: number;
  readonly files: number;
  /** Text of its executed GTID set. */
  readonly executed: string;
  /** How long one stream of its status goes on, in ms, if not as usual. */
  readonly readMsMax?: number;
}

const SAMPLE_MS = 2000;

/**
 * The admin API of a node that is larger than what a test can set up: all of it
 * is real but for the syncer, the server and the store that it reports of.
 * Something of every replica changes each second.
 */
export class LargeNode implements AsyncDisposable {
  readonly #api: AdminApi;
  readonly #feed: LiveFeed;
  /** Streams that are read. */
  get readers(): number {
    return this.#feed.readers;
  }
  /** Where its page is. */
  readonly url: string;

  private constructor(api: AdminApi, feed: LiveFeed, url: string) {
    this.#api = api;
    this.#feed = feed;
    this.url = url;
  }

  /** Begins to listen. */
  static async open(size: LargeNodeSize): Promise<LargeNode> {
    const watched = watchedNode(size);
    const warnings = new RecentWarnings(Date.now);
    const samples = Array.from({ length: 300 }, (_, at) => sampleAt(at - 300));
    let taken = samples.length;
    const feed = new LiveFeed({
      sampler: {
        get taken() {
          return ++taken;
        },
        get newest() {
          return sampleAt(0);
        },
        history: () => ({ interval_ms: SAMPLE_MS, samples }),
      },
      warnings,
      status: () => liveStatus(watched, warnings),
      monotonicMs: () => performance.now(),
      every: everyInterval,
      readMsMax: size.readMsMax,
      log: silentLog(),
    });
    const api = new AdminApi({
      routes: adminRoutes({
        ...watched,
        live: {
          feed,
          warnings,
          sampler: { history: () => ({ interval_ms: SAMPLE_MS, samples }) },
        },
        metrics: NO_METRICS,
      }),
      log: silentLog(),
    });
    const address = await api.listen({ hostname: "127.0.0.1", port: 0 });
    return new LargeNode(api, feed, `http://${formatAddress(address)}/`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#feed[Symbol.dispose]();
    await this.#api.close();
  }
}

function watchedNode(size: LargeNodeSize): WatchedNode {
  const syncer = new MemorySyncerControl();
  const log = { ...syncer.report().log, executed: size.executed };
  syncer.current = { wanted: true, state: "following", log };
  const server = new MemoryServerControl();
  const startedAt = Date.now();
  Object.defineProperty(server.current, "replicas", {
    enumerable: true,
    get: () => replicasAt(size.replicas, Date.now() - startedAt),
  });
  const files = filesOf(size.files);
  return {
    syncer,
    server,
    retention: new MemoryRetentionControl(),
    files: () => files,
    node: () => ({
      ...NODE,
      stored: { files: files.length, bytes: files.length * 2 ** 30 },
    }),
  };
}

function replicasAt(count: number, ageMs: number): ReplicaReport[] {
  return Array.from({ length: count }, (_, index) => ({
    connectionId: String(index + 1),
    remote: `10.0.${index >> 8}.${index & 255}:50000`,
    user: "repl",
    serverId: String(index + 1000),
    uuid: `22222222-71ca-11e1-9e33-${String(index).padStart(12, "0")}`,
    hostName: `replica-${index}`,
    port: 3306,
    state: "dumping",
    mode: "gtid",
    file: "binlog.010000",
    position: 4 + ageMs + index,
    lagBytes: index,
    lagSeconds: 0,
    bytesPerSecond: index * 100,
    connectedAt: new Date(1_700_000_000_000 + index * 1000),
    heartbeatMs: 30_000,
    bytesSent: BigInt(ageMs * index),
    program: "mysqld",
    clientVersion: "9.7.4",
  }));
}

function filesOf(count: number): ListedFile[] {
  const previousGtids = GtidSet.parse("");
  return Array.from({ length: count }, (_, index) => ({
    name: `binlog.${String(index + 1).padStart(6, "0")}`,
    size: 2 ** 30,
    closed: index < count - 1,
    serverUuid: "3e11fa47-71ca-11e1-9e33-c80aa9429562",
    firstTimestamp: 1_700_000_000 + index * 60,
    lastTimestamp: 1_700_000_059 + index * 60,
    mariadbStart: undefined,
    previousGtids,
  }));
}

/** @param ago samples ago, negative */
function sampleAt(ago: number): LiveSample {
  return {
    at: new Date(Date.now() + ago * SAMPLE_MS).toISOString(),
    ingest_bytes_per_second: 1_000_000 * (2 + Math.sin(ago / 20)),
    sent_bytes_per_second: 3_000_000 * (2 + Math.sin(ago / 20)),
    lag_seconds: 0,
    lag_bytes: 0,
    replica_lag_seconds: 1,
  };
}
