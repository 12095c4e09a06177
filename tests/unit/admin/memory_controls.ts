import {
  ControlError,
  type LogReport,
  type NodeInfo,
  type ServerControl,
  type ServerReport,
  type ServerStartRequest,
  type SyncerControl,
  type SyncerReport,
  type SyncerStartRequest,
} from "../../../lib/admin/control.ts";

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

  report(): SyncerReport {
    return {
      wanted: this.#wanted,
      state: this.#wanted ? "following" : "stopped",
      cause: undefined,
      reason: undefined,
      since: undefined,
      attempts: 0,
      nextAttemptAt: undefined,
      connectedAt: undefined,
      heardAt: undefined,
      target: {
        address: "127.0.0.1:3306",
        user: "kb",
        serverId: 1001,
        uuid: "11111111-71ca-11e1-9e33-c80aa9429562",
      },
      source: undefined,
      semiSync: { wanted: false, link: undefined, gate: undefined },
      log: LOG,
      ...this.current,
    };
  }
}

/** A binlog server that only remembers what it was told. */
export class MemoryServerControl implements ServerControl {
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
        connectedAt: new Date(1_700_000_000_000),
        heartbeatMs: 30_000,
        bytesSent: 2n ** 60n,
        program: "mysqld",
        clientVersion: "9.7.4",
      }],
      log: LOG,
      ...this.current,
    };
  }
}

/** A node with an id that does not fit a JavaScript number. */
export const NODE: NodeInfo = {
  id: 0xfedcba9876543210n,
  name: "node-1",
  version: "0.1.0",
  startedAt: new Date(1_700_000_000_000),
  adminUrls: ["http://127.0.0.1:9595"],
  draining: undefined,
  stored: { files: 2, bytes: 4096 },
};
