import { adminRoutes } from "./admin/admin_routes.ts";
import { type OpenAdmin, openAdmin } from "./admin/open_admin.ts";
import { adminUrl } from "./admin/admin_url.ts";
import type {
  NodeInfo,
  RetentionControl,
  ServerControl,
  SyncerControl,
} from "./admin/control.ts";
import { type Address, isWildcard } from "./config/address.ts";
import type { Options } from "./config/options.ts";
import { type Live, openLive } from "./admin/live/open_live.ts";
import { RecentWarnings } from "./admin/live/recent_warnings.ts";
import { ReplicaRates } from "./admin/live/replica_rates.ts";
import { ServerController } from "./admin/intent/server_controller.ts";
import { SqlSource } from "./admin/sql_source.ts";
import { SyncerController } from "./admin/intent/syncer_controller.ts";
import { formatMariadbGtidPosition } from "./gtid/mariadb_gtid_position.ts";
import type { Log } from "./log/log.ts";
import { watchLog } from "./log/watch_log.ts";
import { freeDisk } from "./retention/free_disk.ts";
import { Metrics } from "./metrics/metrics.ts";
import { ReplicaNeeds } from "./retention/replica_needs.ts";
import { Retention } from "./retention/retention.ts";
import { RetentionError } from "./retention/retention_error.ts";
import { BinlogServer } from "./server/binlog_server.ts";
import { AckGate } from "./semi_sync/ack_gate.ts";
import { LogDumpHandler } from "./server/dump.ts";
import type { LogPurger } from "./server/log_purger.ts";
import { loadOwnIdentity, type OwnIdentity } from "./server/server_identity.ts";
import type { BinlogStore } from "./store/binlog_store.ts";
import { databasePath } from "./store/kv/database_path.ts";
import { openKvStore } from "./store/kv/open_kv_store.ts";
import { RETRY_MS_MAX } from "./syncer/backoff.ts";
import { CredentialsKeeper } from "./tls/credentials_keeper.ts";
import { ensureOwnCertificate } from "./tls/own_certificate.ts";
import { tlsShortfall } from "./tls/tls_runtime.ts";
import { type WantedTls, warnOfShortfall } from "./tls/warn_of_shortfall.ts";
import type { SyncerProgress } from "./syncer/syncer_status.ts";
import { Syncer } from "./syncer/syncer.ts";
import type { SyncerCounters } from "./syncer/syncer_counters.ts";
import type { Telemetry } from "./telemetry/telemetry.ts";
import { VERSION } from "./version.ts";

/** A running kingbus. Closing it drains it; nothing of it is left then. */
export interface App extends AsyncDisposable {
  /** Reads certificates and the admin API's tokens again. Never throws. */
  reloadSecrets(): Promise<void>;
  /** Where the admin API listens, with the port that was chosen. */
  readonly adminListen: Address;
  /** Where replicas connect, `host:port`; where they would when stopped. */
  readonly serverListen: string;
  /** The log that is kept and served. */
  readonly store: BinlogStore;
  readonly syncer: SyncerControl;
  readonly server: ServerControl;
  readonly retention: RetentionControl;
  /**
   * Drains: stops following and makes what came durable, ends the replicas'
   * dumps between two events, then closes the admin API and the store.
   */
  close(): Promise<void>;
}

/**
 * Starts kingbus: the store, the admin API (so that a slow start can be
 * watched), the binlog server, and the syncer. The last two run if they ran, or
 * were meant to, when kingbus was last stopped; see `chooseIntent()`.
 *
 * What was opened is closed again when a later part can't be.
 *
 * @param telemetry watches it; undefined: nobody does
 * @throws {StoreError} when the store can't be opened, `locked` above all.
 * @throws {ControlError} when the binlog server can't listen.
 * @throws {AdminListenError} when the admin API can't listen.
 */
export async function openApp(
  options: Options,
  logged: Log,
  telemetry?: Telemetry,
): Promise<App> {
  const warnings = new RecentWarnings(Date.now);
  const log = watchLog(logged, warnings.add);
  const metrics = new Metrics(log.child({ part: "metrics" }));
  await using opened = new AsyncDisposableStack();
  const store = opened.use(
    await openKvStore({
      path: databasePath(options.dataDir),
      tailBytes: options.store.tailMemoryBytes,
      cacheBytes: options.store.cacheMemoryBytes,
      onCommit: metrics.onCommit,
    }),
  );
  const own = await loadOwnIdentity(store, {
    serverId: options.server.serverId,
    randomUuid: () => crypto.randomUUID(),
    randomU32: () => crypto.getRandomValues(new Uint32Array(1))[0]!,
  });
  const node = new Node(options, own, store);
  const gate = new AckGate({
    replicas: options.server.waitForReplicas,
    timeoutMs: options.server.waitTimeoutMs,
    log: log.child({ part: "semi-sync" }),
    now: Date.now,
  });
  const { binlogServer, retention } = await openServing({
    options,
    log,
    store,
    gate,
    telemetry,
    // asked once somebody is connected, which is after all is open
    syncer: (): SyncerControl => controllers.syncer,
  });
  const rates = new ReplicaRates(() => performance.now());
  const keeper = await openCertificates(options, log);
  if (keeper !== undefined) opened.use(keeper);
  const controllers: Controllers = await openControllers({
    options,
    keeper,
    log,
    own,
    store,
    node,
    binlogServer,
    rates,
    gate,
    telemetry,
  });
  const { server, syncer } = controllers;
  const watched = {
    ...controllers,
    retention,
    files: () => store.files,
    node: () => node.info(),
  };
  const live = opened.use(openLive({
    source: controllers.progress,
    server: () => binlogServer.progress(),
    rates,
    warnings,
    admin: watched,
    log: log.child({ part: "admin" }),
  }));
  opened.use(metrics);
  const admin = opened.use(
    await openAdmin({
      options: options.admin,
      routes: adminRoutes({ ...watched, live, metrics }),
      machineName: Deno.hostname(),
      onRequest: metrics.onRequest,
      onRefused: metrics.onRefused,
      log,
    }),
  );
  node.adminListen = admin.address;
  opened.defer(() => server.close());
  await server.resume();
  opened.use(retention);
  retention.start();
  opened.defer(() => syncer.close());
  await syncer.resume();
  sayHow(options, controllers, node.adminListen, log);
  metrics.start({
    ...watched,
    source: controllers.counters,
    binlogServer,
    connectionsMax: options.server.connectionsMax,
    store,
    freeDisk: () => freeDisk(options.dataDir),
    logLines: () => log.lines,
  });
  return new RunningApp(opened.move(), {
    ...controllers,
    admin,
    keeper,
    retention,
    store,
    node,
    live,
  });
}

/** The certificates of the binlog server, made if none is given. */
async function openCertificates(
  options: Options,
  log: Log,
): Promise<CredentialsKeeper | undefined> {
  const { tls, listen } = options.server;
  const part = log.child({ part: "tls" });
  const shortfall = tlsShortfall();
  if (shortfall !== undefined) {
    warnOfShortfall(shortfall, wantedTls(options), part);
    return undefined;
  }
  if (tls.mode === "disabled") return undefined;
  if (tls.files.certificate !== undefined) {
    return await CredentialsKeeper.open({ files: tls.files, log: part });
  }
  const { files, made } = await ensureOwnCertificate({
    dataDir: options.dataDir,
    name: options.name,
    hosts: hostsOf(listen),
  });
  if (made) {
    part.info(
      "no certificate is configured, so one was made: replicas can verify it with the file ca (SOURCE_SSL_CA)",
      { ...files },
    );
  }
  const { certificate, key } = files;
  return await CredentialsKeeper.open({
    // Whom clients are trusted by is not for us to make up.
    files: { certificate, key, ca: tls.files.ca },
    log: part,
  });
}

/** What the configuration wants of TLS, but for the admin API. */
function wantedTls({ server, follow }: Options): WantedTls[] {
  return [
    { key: "server.tls.mode", mode: server.tls.mode },
    { key: "source.tls.mode", mode: follow.tls.mode },
  ];
}

/** The names and addresses that a server on this machine has for sure. */
function hostsOf(listen: Address): string[] {
  const { hostname } = listen;
  const own = isWildcard(hostname) ? [] : [hostname];
  return [
    ...new Set(["localhost", Deno.hostname(), "127.0.0.1", "::1", ...own]),
  ];
}

/**
 * The binlog server, and what removes old files: it keeps what the server's
 * replicas need, and removes what their accounts ask it to.
 */
async function openServing(parts: {
  options: Options;
  log: Log;
  store: BinlogStore;
  gate: AckGate;
  telemetry: Telemetry | undefined;
  syncer: () => SyncerControl;
}): Promise<{ binlogServer: BinlogServer; retention: Retention }> {
  const { options, log, store, gate, syncer } = parts;
  const settings = options.retention;
  const needs = await ReplicaNeeds.open(store, settings.replicas, Date.now);
  const dumpHandler = new LogDumpHandler(store, {
    gate,
    onBegin: (uuid, { file, position }) =>
      retention.began(uuid, {
        fileNumber: file.number,
        fileName: file.name,
        position,
      }),
  });
  const binlogServer: BinlogServer = new BinlogServer({
    store,
    dumpHandler: parts.telemetry?.dumps(dumpHandler) ?? dumpHandler,
    purger: { purge: (target) => purgeBySql(retention, target) },
    sourceControl: new SqlSource({
      syncer,
      connectRetryMs: RETRY_MS_MAX,
      kept: () => ({
        bytes: bytesOf(store.files),
        retrieved: () => keptGtids(store),
        mariadbPosition: formatMariadbGtidPosition(
          store.head?.mariadb?.position() ?? [],
        ),
      }),
    }),
    acknowledging: () => {
      const { state, ...counts } = gate.status();
      return { degraded: state === "degraded", ...counts };
    },
    log: log.child({ part: "server" }),
  });
  const retention: Retention = new Retention({
    store,
    settings,
    needs,
    connected: () => binlogServer.status().replicas,
    freeDisk: () => freeDisk(options.dataDir),
    now: Date.now,
    log: log.child({ part: "retention" }),
  });
  return { binlogServer, retention };
}

function bytesOf(files: BinlogStore["files"]): number {
  return files.reduce((bytes, { size }) => bytes + size, 0);
}

/** GTIDs of the transactions in the files that are kept, as text. */
function keptGtids({ head }: BinlogStore): string {
  return head === undefined ? "" : head.mariadb?.toString() ??
    head.executed.subtract(head.purged).toLines();
}

async function purgeBySql(
  retention: Retention,
  target: Parameters<LogPurger["purge"]>[0],
): ReturnType<LogPurger["purge"]> {
  try {
    return await retention.purge(target);
  } catch (error) {
    const isUnknown = error instanceof RetentionError &&
      error.kind === "unknown-file";
    if (isUnknown) return undefined;
    throw error;
  }
}

interface Controllers {
  readonly syncer: SyncerController;
  readonly server: ServerController;
  /** How much has come from the source. */
  readonly progress: () => SyncerProgress;
  /** What the syncer has counted. */
  readonly counters: Readonly<SyncerCounters>;
}

async function openControllers(parts: {
  options: Options;
  keeper: CredentialsKeeper | undefined;
  log: Log;
  own: OwnIdentity;
  store: BinlogStore;
  node: Node;
  binlogServer: BinlogServer;
  rates: ReplicaRates;
  gate: AckGate;
  telemetry: Telemetry | undefined;
}): Promise<Controllers> {
  const { options, log, own, store, node, binlogServer, gate } = parts;
  const nodeName = options.name;
  const server = await ServerController.open({
    server: binlogServer,
    store,
    rates: parts.rates,
    now: Date.now,
    configured: options.server,
    tls: parts.keeper && {
      required: options.server.tls.mode === "required",
      clientCertificate: options.server.tls.clientCertificate,
      files: parts.keeper.files,
      credentials: () => parts.keeper!.current,
    },
    nodeName,
    log,
  });
  const follower = new Syncer(store, {
    gate,
    attempt: parts.telemetry?.attempt,
    log: log.child({ part: "syncer" }),
    now: Date.now,
    random: Math.random,
  });
  const syncer = await SyncerController.open({
    syncer: follower,
    store,
    configured: options.source,
    follow: options.follow,
    own,
    nodeName,
    ownAddresses: () => [server.listen, node.adminListen],
    gate: () => gate.status(),
    log,
  });
  return {
    syncer,
    server,
    progress: () => follower.progress(),
    counters: follower.counters,
  };
}

/** Who this node is, as the admin API tells it. */
class Node {
  readonly #options: Options;
  readonly #own: OwnIdentity;
  readonly #store: BinlogStore;
  readonly #startedAt = new Date();
  adminListen: Address;
  /** Why it is about to end. */
  draining: string | undefined;

  constructor(options: Options, own: OwnIdentity, store: BinlogStore) {
    this.#options = options;
    this.#own = own;
    this.#store = store;
    this.adminListen = options.admin.listen;
  }

  info(): NodeInfo {
    const { files } = this.#store;
    return {
      // As durable as the uuid, and 64 bits of it as the original's ids have.
      id: BigInt(`0x${this.#own.uuid.replaceAll("-", "").slice(0, 16)}`),
      name: this.#options.name,
      version: VERSION,
      startedAt: this.#startedAt,
      hasAdminToken: this.#options.admin.adminToken !== undefined,
      adminUrls: [adminUrl(this.adminListen, this.#options.admin.tls)],
      draining: this.draining,
      stored: {
        files: files.length,
        bytes: bytesOf(files),
      },
    };
  }
}

interface AppParts extends Controllers {
  readonly admin: OpenAdmin;
  readonly keeper: CredentialsKeeper | undefined;
  readonly retention: Retention;
  readonly store: BinlogStore;
  readonly node: Node;
  readonly live: Live;
}

class RunningApp implements App {
  readonly #opened: AsyncDisposableStack;
  readonly #parts: AppParts;

  constructor(opened: AsyncDisposableStack, parts: AppParts) {
    this.#opened = opened;
    this.#parts = parts;
  }

  async reloadSecrets(): Promise<void> {
    await this.#parts.keeper?.reload();
    await this.#parts.admin.reload();
  }

  get adminListen(): Address {
    return this.#parts.node.adminListen;
  }

  get serverListen(): string {
    return this.#parts.server.report().listen;
  }

  get store(): BinlogStore {
    return this.#parts.store;
  }

  get syncer(): SyncerControl {
    return this.#parts.syncer;
  }

  get server(): ServerControl {
    return this.#parts.server;
  }

  get retention(): RetentionControl {
    return this.#parts.retention;
  }

  async close(): Promise<void> {
    this.#parts.node.draining = "stopping";
    this.#parts.live.feed[Symbol.dispose]();
    await this.#opened.disposeAsync();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** Says where it is reached, and what it needs that it was not given. */
function sayHow(
  options: Options,
  { syncer, server }: Controllers,
  adminListen: Address,
  log: Log,
): void {
  log.info("kingbus is up", {
    version: VERSION,
    name: options.name,
    replicas_connect_to: server.report().listen,
    admin: adminUrl(adminListen, options.admin.tls),
    data: options.dataDir,
  });
  if (syncer.report().target === undefined) {
    log.info(
      "no source yet: start with --source-address HOST:PORT --source-user USER --source-password-file FILE, set source: in the configuration, or run kingbus source start --address HOST:PORT --user USER --password-file FILE",
    );
  } else if (!syncer.report().wanted) {
    log.info(
      "the syncer was stopped on purpose; kingbus source start follows the source again",
    );
  }
  if (!server.report().wanted) {
    log.info(
      "the server was stopped on purpose; kingbus server start serves replicas again",
    );
  } else if (server.users.length === 0) {
    log.warn(
      "no account yet, so every login is refused: set server.users in the configuration, or run kingbus server stop, then kingbus server start --user NAME --password-file FILE",
    );
  }
}
