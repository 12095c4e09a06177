import { ClientConnection } from "../../lib/connection/client_connection.ts";
import type { ConnectOptions } from "../../lib/connection/client_connection.ts";
import { GtidSet } from "../../lib/gtid/gtid_set.ts";
import { type Log, silentLog } from "../../lib/log/log.ts";
import { AckGate, type AckGateStatus } from "../../lib/semi_sync/ack_gate.ts";
import { BinlogServer } from "../../lib/server/binlog_server.ts";
import { LogDumpHandler } from "../../lib/server/dump.ts";
import type { ReplicaStatus } from "../../lib/server/replica_status.ts";
import type { ServerOptions } from "../../lib/server/server_options.ts";
import type { BinlogStore, StoreHead } from "../../lib/store/binlog_store.ts";
import { openKvStore } from "../../lib/store/kv/open_kv_store.ts";
import { sleep } from "../../lib/connection/sleep.ts";
import type { SourceOptions } from "../../lib/syncer/source_options.ts";
import { Syncer } from "../../lib/syncer/syncer.ts";
import type { SyncerCause } from "../../lib/syncer/syncer_cause.ts";
import type {
  SyncerState,
  SyncerStatus,
} from "../../lib/syncer/syncer_status.ts";
import { REPLICATION_ACCOUNT } from "../../scripts/test_servers/mysql56.ts";
import { TestServerError } from "../../scripts/test_servers/test_server_error.ts";
import { waitUntil } from "../../scripts/test_servers/wait_until.ts";

/** A server that kingbus can follow or a client can dial. */
export interface ServerAddress {
  readonly hostname?: string;
  readonly port: number;
}

/** How a test's kingbus differs from the usual. */
export interface TestKingbusOptions {
  readonly server?: Partial<ServerOptions>;
  readonly log?: Log;
  /** The syncer's pauses take so much less time than they should; 1 if absent. */
  readonly hurry?: number;
  /** How long the source may be idle before it is asked why, in ms. */
  readonly idleCheckMs?: number;
  /** How often a source that sends is asked where its log ends, in ms. */
  readonly endCheckMs?: number;
  /** What the syncer follows its source with, besides address and account. */
  readonly source?: Partial<SourceOptions>;
  /** Replicas that have to acknowledge before kingbus does; none if absent. */
  readonly wait?: { readonly replicas: number; readonly timeoutMs: number };
}

/** Server id that a test's kingbus has towards its source. */
export const KINGBUS_SERVER_ID = 4711;

/** UUID that a test's kingbus has towards its source. */
export const KINGBUS_UUID = "4b494e47-4255-1111-8000-000000004711";

/**
 * A kingbus of its own for a test: a Deno KV store in a temporary folder, a
 * binlog server on a free port, and a syncer that follows what it is told to.
 * All of it goes with the test; the port and the data stay over a restart.
 */
export class TestKingbus implements AsyncDisposable {
  readonly #folder: string;
  readonly #options: TestKingbusOptions;
  readonly #log: Log;
  #store!: BinlogStore;
  #syncer!: Syncer;
  #server!: BinlogServer;
  #gate!: AckGate;
  #following: SourceOptions | undefined;
  #port = 0;
  #running = false;

  private constructor(folder: string, options: TestKingbusOptions) {
    this.#folder = folder;
    this.#options = options;
    this.#log = options.log ?? silentLog();
  }

  /** Starts one that follows nothing yet. */
  static async start(options: TestKingbusOptions = {}): Promise<TestKingbus> {
    const folder = await Deno.makeTempDir({ prefix: "kingbus-test-" });
    const kingbus = new TestKingbus(folder, options);
    await kingbus.#open();
    return kingbus;
  }

  /** Starts one that follows a source from its oldest file. */
  static async following(
    source: ServerAddress,
    options: TestKingbusOptions = {},
  ): Promise<TestKingbus> {
    const kingbus = await TestKingbus.start(options);
    await kingbus.follow(source);
    return kingbus;
  }

  /** Path of its store's database. */
  get databasePath(): string {
    return `${this.#folder}/kingbus.db`;
  }

  /** Port of the binlog server. */
  get port(): number {
    return this.#port;
  }

  /** The log it keeps. */
  get store(): BinlogStore {
    return this.#store;
  }

  /** What follows the source. */
  get syncer(): Syncer {
    return this.#syncer;
  }

  /** What serves replicas. */
  get server(): BinlogServer {
    return this.#server;
  }

  /** The log's visible end. */
  get head(): StoreHead {
    const { head } = this.#store;
    if (head === undefined) throw new TypeError("The log is empty");
    return head;
  }

  /** How it waits for replicas. */
  get gate(): AckGateStatus {
    return this.#gate.status();
  }

  /** GTIDs of the log as text; empty while it has none. */
  get executed(): string {
    return this.#store.head?.executed.toString() ?? "";
  }

  /** How the syncer does. */
  get status(): SyncerStatus {
    return this.#syncer.status();
  }

  /** Connected replicas. */
  get replicas(): ReplicaStatus[] {
    return this.#server.status().replicas;
  }

  /** Follows a source, from its oldest file if nothing else is said. */
  async follow(
    source: ServerAddress,
    options: Partial<SourceOptions> = {},
  ): Promise<void> {
    this.#following = {
      hostname: source.hostname ?? "127.0.0.1",
      port: source.port,
      ...REPLICATION_ACCOUNT,
      serverId: KINGBUS_SERVER_ID,
      uuid: KINGBUS_UUID,
      name: "kingbus",
      start: "oldest",
      heartbeatMs: 500,
      readTimeoutMs: 20_000,
      connectTimeoutMs: 10_000,
      ...this.#options.source,
      ...options,
    };
    await this.#syncer.start(this.#following);
  }

  /** Stops the binlog server and the syncer, and closes the store. */
  async stop(): Promise<void> {
    if (!this.#running) return;
    this.#running = false;
    await this.#server.stop();
    await this.#syncer.stop();
    await this.#store.close();
  }

  /** Starts again on the same data and port what was stopped. */
  async resume(): Promise<void> {
    await this.#open();
    if (this.#following !== undefined) {
      await this.#syncer.start(this.#following);
    }
  }

  /** Logs in to the binlog server, as the replication account. */
  connect(options: Partial<ConnectOptions> = {}): Promise<ClientConnection> {
    return ClientConnection.connect({
      hostname: "127.0.0.1",
      port: this.#port,
      ...REPLICATION_ACCOUNT,
      ...options,
    });
  }

  /** Waits until the log has all these GTIDs. */
  async waitUntilHas(executed: string): Promise<void> {
    const wanted = GtidSet.parse(executed);
    await this.#waitUntil(`kingbus had ${executed}`, () => {
      return this.#store.head?.executed.containsSet(wanted) ?? false;
    });
  }

  /** Waits until the log's visible end is there or later. */
  async waitUntilAt(fileName: string, position: number): Promise<void> {
    await this.#waitUntil(`kingbus was at ${fileName}:${position}`, () => {
      const { head } = this.#store;
      return head !== undefined &&
        (head.fileName > fileName ||
          head.fileName === fileName && head.position >= position);
    });
  }

  /** Waits until the syncer is in this state; answers its status then. */
  async waitUntilState(state: SyncerState): Promise<SyncerStatus> {
    return await waitUntil(
      `the syncer was ${state}`,
      () => this.status.state === state ? this.status : false,
    );
  }

  /**
   * Waits until something keeps the syncer from its source, and is counted;
   * answers its status then. Anything that makes it fail for good ends the wait.
   */
  async waitUntilCause(cause: SyncerCause): Promise<SyncerStatus> {
    const describe = () => Deno.inspect(this.status);
    return await waitUntil(`the syncer had cause ${cause}`, () => {
      const { status } = this;
      const isCounted = this.#syncer.counters.faults[cause] > 0;
      if (status.cause === cause && status.state !== "connecting") {
        if (isCounted) return status;
        throw new TypeError(`A fault was not counted: ${describe()}`);
      }
      if (status.state !== "failed") return false;
      throw new TypeError(`The syncer failed otherwise: ${describe()}`);
    }).catch((error: Error) => {
      throw new TypeError(`${error.message}: ${describe()}`, { cause: error });
    });
  }

  /** Waits until so many replicas are being sent the log. */
  async waitUntilDumping(count: number): Promise<ReplicaStatus[]> {
    return await waitUntil(`${count} replicas were dumping`, () => {
      const dumping = this.replicas.filter(({ state }) => state === "dumping");
      return dumping.length === count ? dumping : false;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await Deno.remove(this.#folder, { recursive: true });
  }

  /** Waits, but not for what a failed syncer will never do. */
  async #waitUntil(what: string, condition: () => boolean): Promise<void> {
    const describe = () => Deno.inspect(this.status);
    try {
      await waitUntil(what, () => {
        if (condition()) return true;
        if (this.status.state !== "failed") return false;
        throw new TypeError(`The syncer failed before ${what}: ${describe()}`);
      });
    } catch (cause) {
      if (!(cause instanceof TestServerError)) throw cause;
      throw new TypeError(`${cause.message}: ${describe()}`, { cause });
    }
  }

  async #open(): Promise<void> {
    const log = this.#log;
    this.#store = await openKvStore({ path: this.databasePath });
    const { replicas = 0, timeoutMs = 0 } = this.#options.wait ?? {};
    this.#gate = new AckGate({ replicas, timeoutMs, log, now: Date.now });
    this.#syncer = new Syncer(this.#store, {
      gate: this.#gate,
      log,
      now: Date.now,
      random: Math.random,
      ...(this.#options.idleCheckMs === undefined
        ? {}
        : { idleCheckMs: this.#options.idleCheckMs }),
      ...(this.#options.endCheckMs === undefined
        ? {}
        : { endCheckMs: this.#options.endCheckMs }),
      sleep: (waitMs, signal) => {
        const { hurry = 1 } = this.#options;
        return sleep(waitMs / hurry, signal);
      },
    });
    this.#server = new BinlogServer({
      store: this.#store,
      dumpHandler: new LogDumpHandler(this.#store, { gate: this.#gate }),
      log,
    });
    await this.#server.start({
      hostname: "127.0.0.1",
      accounts: [{
        name: REPLICATION_ACCOUNT.user,
        password: REPLICATION_ACCOUNT.password,
      }],
      identity: "own",
      connectionsMax: 50,
      loginTimeoutMs: 5000,
      drainTimeoutMs: 2000,
      ...this.#options.server,
      port: this.#port,
    });
    const { listen } = this.#server.status();
    this.#port = Number(listen.slice(listen.lastIndexOf(":") + 1));
    this.#running = true;
  }
}
