import {
  ControlError,
  type KickedReplica,
  type LogReport,
  type MetricsControl,
  type NodeInfo,
  type RetentionControl,
  type ServerControl,
  type ServerReport,
  type ServerStartRequest,
  type SyncerChange,
  type SyncerControl,
  type SyncerReport,
  type SyncerStartRequest,
} from "../../../lib/admin/control.ts";
import type { LiveParts } from "../../../lib/admin/admin_parts.ts";
import type { ListedFile } from "../../../lib/admin/file_status.ts";
import {
  idleRetention,
  stoppedSyncer,
} from "../../../lib/admin/stopped_reports.ts";
import { GtidSet } from "../../../lib/gtid/gtid_set.ts";
import type {
  PurgeOptions,
  PurgeOutcome,
  PurgeTarget,
  RetentionReport,
} from "../../../lib/retention/retention.ts";

const LOG: LogReport = {
  currentGtid: "3e11fa47-71ca-11e1-9e33-c80aa9429562:23",
  file: "binlog.000042",
  position: 157,
  executed: "3e11fa47-71ca-11e1-9e33-c80aa9429562:1-23",
  purged: "",
  lastEventAt: new Date(1_700_000_000_000),
};

/** A syncer that only remembers what it was told. */
export class MemorySyncerControl implements SyncerControl {
  request: SyncerStartRequest | undefined;
  started = 0;
  changes: SyncerChange[] = [];
  failWith: unknown;
  current: Partial<SyncerReport> = {};
  #wanted = false;

  start(request: SyncerStartRequest | undefined): Promise<void> {
    if (this.failWith !== undefined) return Promise.reject(this.failWith);
    if (this.#wanted) {
      const error = new ControlError(
        "conflict",
        "kingbus: server already started",
      );
      return Promise.reject(error);
    }
    this.#wanted = true;
    this.started++;
    this.request = request;
    return Promise.resolve();
  }

  stop(): Promise<void> {
    this.#wanted = false;
    return Promise.resolve();
  }

  change(change: SyncerChange): Promise<void> {
    if (this.failWith !== undefined) return Promise.reject(this.failWith);
    this.changes.push(change);
    return Promise.resolve();
  }

  report(): SyncerReport {
    return {
      ...stoppedSyncer(LOG),
      wanted: this.#wanted,
      state: this.#wanted ? "following" : "stopped",
      target: {
        address: "127.0.0.1:3306",
        user: "kb",
        serverId: 1001,
        uuid: "11111111-71ca-11e1-9e33-c80aa9429562",
      },
      heartbeatMs: 5000,
      sourceFile: "binlog.000042",
      sourcePosition: 157,
      secondsBehind: 0,
      bytesBehind: 0,
      ...this.current,
    };
  }
}

/** A binlog server that only remembers what it was told. */
export class MemoryServerControl implements ServerControl {
  readonly kicked: string[] = [];
  request: ServerStartRequest | undefined;
  current: Partial<ServerReport> = {};
  #wanted = true;

  start(request: ServerStartRequest | undefined): Promise<void> {
    this.#wanted = true;
    this.request = request;
    return Promise.resolve();
  }

  stop(): Promise<void> {
    this.#wanted = false;
    return Promise.resolve();
  }

  kick(connectionId: string): Promise<KickedReplica | undefined> {
    this.kicked.push(connectionId);
    return Promise.resolve(
      this.report().replicas.find((replica) =>
        replica.connectionId === connectionId
      ),
    );
  }

  report(): ServerReport {
    return {
      wanted: this.#wanted,
      state: this.#wanted ? "running" : "stopped",
      reason: undefined,
      listen: "127.0.0.1:3390",
      users: ["repl"],
      replicas: [{
        connectionId: "18446744073709551615",
        remote: "10.0.0.2:51234",
        user: "repl",
        serverId: "4294967295",
        uuid: "22222222-71ca-11e1-9e33-c80aa9429562",
        hostName: "replica-1",
        port: 65535,
        state: "dumping",
        mode: "gtid",
        file: "binlog.000042",
        position: 120,
        lagBytes: 37,
        lagSeconds: 2,
        bytesPerSecond: 1234,
        connectedAt: new Date(1_700_000_000_000),
        heartbeatMs: 30_000,
        bytesSent: 2n ** 60n,
        program: "mysqld",
        clientVersion: "9.7.4",
        tls: { version: "TLSv1.3", cipher: "TLS_AES_256_GCM_SHA384" },
      }],
      log: LOG,
      ...this.current,
    };
  }
}

const REPLICA_UUID = "22222222-71ca-11e1-9e33-c80aa9429562";

/** Retention that only remembers what it was told. */
export class MemoryRetentionControl implements RetentionControl {
  asked: [PurgeTarget, PurgeOptions | undefined][] = [];
  failWith: unknown;
  outcome: PurgeOutcome = {
    removed: [{ name: "binlog.000040", size: 1024 }, {
      name: "binlog.000041",
      size: 2048,
    }],
    bytes: 3072,
    asked: 2,
    firstKept: "binlog.000042",
    keptActive: false,
    heldBy: [],
  };
  current: Partial<RetentionReport> = {};

  purge(target: PurgeTarget, options?: PurgeOptions): Promise<PurgeOutcome> {
    if (this.failWith !== undefined) return Promise.reject(this.failWith);
    this.asked.push([target, options]);
    return Promise.resolve(this.outcome);
  }

  report(): RetentionReport {
    return {
      ...idleRetention({
        bytesMax: undefined,
        ageMaxMs: undefined,
        filesMax: undefined,
        freeDiskBytesMin: undefined,
        checkIntervalMs: 30_000,
        replicas: [],
      }),
      ...this.current,
    };
  }
}

/** Retention with all there is to say about it. */
export const BUSY_RETENTION: Partial<RetentionReport> = {
  settings: {
    bytesMax: 20 * 2 ** 30,
    ageMaxMs: 7 * 86_400_000,
    filesMax: 100,
    freeDiskBytesMin: 2 ** 30,
    checkIntervalMs: 30_000,
    replicas: [],
  },
  checkedAt: new Date(1_700_000_003_000),
  failure: "no such disk",
  freeBytes: 3 * 2 ** 29,
  lastPurge: {
    at: new Date(1_700_000_002_000),
    limits: ["size", "age"],
    files: 2,
    bytes: 3072,
    first: "binlog.000040",
    last: "binlog.000041",
  },
  purgedFiles: 5,
  purgedBytes: 9000,
  heldBack: {
    limits: ["free-disk"],
    files: 1,
    bytes: 100,
    since: new Date(1_700_000_001_000),
    by: [{
      kind: "declared",
      uuid: REPLICA_UUID,
      name: "reports",
      connectionId: undefined,
      fileNumber: 42,
      fileName: "binlog.000042",
      position: 120,
      since: new Date(1_700_000_001_000),
    }, {
      kind: "connected",
      uuid: "",
      name: "10.0.0.2:51234",
      connectionId: "7",
      fileNumber: 42,
      fileName: "binlog.000042",
      position: 157,
      since: new Date(1_700_000_001_000),
    }],
  },
  replicas: [{
    uuid: REPLICA_UUID,
    name: "reports",
    connected: false,
    lost: false,
    from: { fileNumber: 42, fileName: "binlog.000042", position: 120 },
    notedAtMs: 1_700_000_000_000,
  }, {
    uuid: "33333333-71ca-11e1-9e33-c80aa9429562",
    name: "33333333-71ca-11e1-9e33-c80aa9429562",
    connected: true,
    lost: false,
    from: undefined,
    notedAtMs: undefined,
  }],
};

/** The log's files. */
export function listFiles(): ListedFile[] {
  return [{
    name: "binlog.000042",
    size: 157,
    closed: false,
    serverUuid: "3e11fa47-71ca-11e1-9e33-c80aa9429562",
    firstTimestamp: 1_700_000_000,
    lastTimestamp: 0,
    mariadbStart: undefined,
    previousGtids: GtidSet.parse("3e11fa47-71ca-11e1-9e33-c80aa9429562:1-20"),
  }];
}

/** A node with an id that does not fit a JavaScript number. */
export const NODE: NodeInfo = {
  id: 0xfedcba9876543210n,
  name: "node-1",
  version: "0.1.0",
  startedAt: new Date(1_700_000_000_000),
  hasAdminToken: false,
  adminUrls: ["http://127.0.0.1:9595"],
  draining: undefined,
  stored: { files: 2, bytes: 4096 },
};

/** Nothing to watch, and nobody who does. */
export const QUIET_LIVE: LiveParts = {
  sampler: { history: () => ({ interval_ms: 2000, samples: [] }) },
  warnings: { list: () => [] },
  feed: { open: () => "closed" },
};

/** Metrics that are not there yet. */
export const NO_METRICS: MetricsControl = {
  page: () => Promise.resolve(undefined),
};
