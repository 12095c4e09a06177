import { Compressor } from "../connection/compressor.ts";
import { formatAddress } from "../config/address.ts";
import { quietTcpTransport } from "../connection/transport.ts";
import {
  grantedRights,
  type Right,
  RIGHTS_BY_DEFAULT,
} from "../config/right.ts";
import { describeError } from "../log/describe_error.ts";
import type { Log } from "../log/log.ts";
import type { CompressionAlgorithm } from "../protocol/compression.ts";
import { ErrorCode } from "../protocol/error_code.ts";
import { ProtocolError } from "../protocol/protocol_error.ts";
import { encodeErr } from "../protocol/response.ts";
import {
  type Account,
  accountFromPassword,
  type RsaKeyPair,
} from "../protocol/server_auth.ts";
import { VERSION } from "../version.ts";
import { acceptConnections } from "./accept_loop.ts";
import { CommandMemory } from "./command_memory.ts";
import type { DumpHandler } from "./dump_handler.ts";
import type { LogPurger } from "./log_purger.ts";
import type { DumpProgress } from "./dump_progress.ts";
import { FactsCache } from "./facts_cache.ts";
import { PendingLogins } from "./pending_logins.ts";
import type { RefusalLog } from "./refusal_log.ts";
import type { ReplicaStatus } from "./replica_status.ts";
import { generateRsaKeyPair } from "./rsa_key_pair.ts";
import { type CounterValues, ServerCounters } from "./server_counters.ts";
import type { ServerFacts } from "./server_facts.ts";
import type { OwnIdentity } from "./server_identity.ts";
import type { ServerAccount, ServerOptions } from "./server_options.ts";
import type { ServerStore } from "./server_store.ts";
import type { ServerTls } from "./server_tls.ts";
import type { ServiceCounters } from "./service_counters.ts";
import { Session } from "./session.ts";
import { SessionChannel, type SessionTransport } from "./session_channel.ts";
import type { SessionProcess } from "./session_activity.ts";
import type { SourceControl } from "./source_control.ts";
import type {
  ReplicaFacts,
  SemiSyncTally,
  ServerTally,
} from "./statement_context.ts";
import { STATEMENTS } from "./statement_list.ts";
import { SlowLane } from "./slow_lane.ts";
import { Turns } from "./turns.ts";
import type {
  KillOutcome,
  ServerEnvironment,
  SessionHost,
  SessionLimits,
} from "./session_host.ts";

const DEFAULT_VERSION = "8.4.0-kingbus";
const DEFAULT_MACHINE_NAME = "kingbus";
const DEFAULT_IDLE_TIMEOUT_MS = 28_800_000;
/** As MySQL's `net_read_timeout` has it by default. */
const DEFAULT_UNFINISHED_TIMEOUT_MS = 30_000;
const DEFAULT_WRITE_TIMEOUT_MS = 60_000;
const DEFAULT_DRAIN_TIMEOUT_MS = 5000;

/** Threads that compress; each takes some 25 MB once it is needed. */
const COMPRESSORS_MAX = 4;

/** Clients over the limit that are being told so; more are just cut off. */
const REFUSING_MAX = 64;
/**
 * Clients that are not logged in yet, at once; one more takes the place of
 * another, see `PendingLogins`. A login takes some milliseconds, so that so many
 * are there in an attack only.
 */
const PENDING_LOGINS_MAX = 256;
/**
 * What is done for those who do not dump in one turn of the dumps, see `Turns`.
 * A dump that sends has some thousand turns a second.
 */
const ACCEPTS_PER_TURN = 0.5;
const LOGINS_PER_TURN = 0.5;
const COMMANDS_PER_TURN = 0.25;
/** Between two dumps with GTID sets that take long to read. */
const LARGE_DUMP_PAUSE_MS = 1000;
/** For what all logged-in clients together have begun to send. */
const COMMAND_MEMORY_BYTES = 32 * 1024 * 1024;
/** How long a session may take to notice that its connection was cut. */
const CUT_MS = 2000;
const CONNECTION_ID_MAX = 0xffff_ffff;

/** All names that statements are counted under. */
export const STATEMENT_COUNTERS: readonly string[] = STATEMENTS.flatMap((
  { counters },
) => counters);

/** How it stands with the replicas that are waited for. */
export type AcknowledgingState = Omit<SemiSyncTally, "clients">;

/** What a run of the server is made with. */
export interface ServerRunParts {
  readonly store: ServerStore;
  readonly dumpHandler: DumpHandler;
  readonly purger?: LogPurger | undefined;
  readonly sourceControl?: SourceControl | undefined;
  readonly acknowledging?: (() => AcknowledgingState) | undefined;
  readonly log: Log;
  readonly environment: ServerEnvironment;
  readonly refusals: RefusalLog;
  readonly service: ServiceCounters;
  readonly own: OwnIdentity;
  /** Listening; closed by `stop`. */
  readonly listener: Deno.TcpListener;
}

/** One run of the binlog server, from its start to its stop: who is connected. */
export class ServerRun implements SessionHost {
  readonly store: ServerStore;
  readonly dumpHandler: DumpHandler;
  readonly purger: LogPurger | undefined;
  readonly sourceControl: SourceControl | undefined;
  readonly counters = new ServerCounters(STATEMENT_COUNTERS);
  readonly service: ServiceCounters;
  readonly limits: SessionLimits;
  readonly environment: ServerEnvironment;
  readonly semiSync: boolean;
  readonly tls: ServerTls | undefined;
  readonly compression: readonly CompressionAlgorithm[];
  readonly compressor: Compressor;
  readonly turns = {
    login: new Turns(LOGINS_PER_TURN),
    command: new Turns(COMMANDS_PER_TURN),
  };
  readonly slowLane: SlowLane;
  readonly commandMemory = new CommandMemory(COMMAND_MEMORY_BYTES);
  /** Address listened on. */
  readonly listen: string;
  readonly #log: Log;
  readonly #refusals: RefusalLog;
  readonly #options: ServerOptions;
  readonly #listener: Deno.TcpListener;
  readonly #accounts: ReadonlyMap<string, Account>;
  /** What each account may do, by its name. */
  readonly #rights: ReadonlyMap<string, ReadonlySet<Right>>;
  readonly #rsaKeyPair: Promise<RsaKeyPair | undefined>;
  /** Sessions by connection id, with the promise of their end. */
  readonly #sessions = new Map<
    number,
    { session: Session; ended: Promise<void> }
  >();
  readonly #pending = new PendingLogins<Session>();
  #loggedIn = 0;
  /** Keeps a flood of new connections from taking all of the event loop. */
  readonly #acceptTurns = new Turns(ACCEPTS_PER_TURN);
  readonly #refusing = new Set<Promise<void>>();
  readonly #stopping = new AbortController();
  readonly #accepting: Promise<void>;
  readonly #acknowledging: (() => AcknowledgingState) | undefined;
  readonly #startedAtMs: number;
  #lastConnectionId = 0;
  readonly #facts: FactsCache;

  constructor(parts: ServerRunParts, options: ServerOptions) {
    this.store = parts.store;
    this.dumpHandler = parts.dumpHandler;
    this.purger = parts.purger;
    this.sourceControl = parts.sourceControl;
    this.#acknowledging = parts.acknowledging;
    this.environment = parts.environment;
    this.service = parts.service;
    this.semiSync = options.semiSync !== undefined;
    this.tls = options.tls;
    this.compression = options.compression ?? [];
    this.compressor = new Compressor(
      Math.min(Math.max(navigator.hardwareConcurrency - 1, 1), COMPRESSORS_MAX),
      (reason) =>
        this.#log.warn(
          "can't compress in threads, so it is done between other work: kingbus must be allowed to read its own files (--allow-read)",
          { reason },
        ),
    );
    this.#log = parts.log;
    this.#refusals = parts.refusals;
    this.#facts = new FactsCache(parts.store, {
      identity: options.identity,
      own: parts.own,
      defaultVersion: options.version ?? DEFAULT_VERSION,
      versionComment: `kingbus ${VERSION}`,
      hostName: options.machineName ?? DEFAULT_MACHINE_NAME,
      port: parts.listener.addr.port,
      connectionsMax: options.connectionsMax,
      semiSync: options.semiSync,
      tls: options.tls,
      compression: options.compression ?? [],
    });
    this.#listener = parts.listener;
    this.#options = options;
    this.limits = {
      loginTimeoutMs: options.loginTimeoutMs,
      unfinishedTimeoutMs: options.unfinishedTimeoutMs ??
        DEFAULT_UNFINISHED_TIMEOUT_MS,
      idleTimeoutMs: options.idleTimeoutMs ?? DEFAULT_IDLE_TIMEOUT_MS,
      writeTimeoutMs: options.writeTimeoutMs ?? DEFAULT_WRITE_TIMEOUT_MS,
      drainTimeoutMs: options.drainTimeoutMs ?? DEFAULT_DRAIN_TIMEOUT_MS,
    };
    const accounts = options.accounts.map(accountOf);
    this.#accounts = new Map(
      accounts.map((account) => [account.name, account]),
    );
    this.#rights = new Map(
      options.accounts.map(({ name, rights = RIGHTS_BY_DEFAULT }) => [
        name,
        grantedRights(rights),
      ]),
    );
    this.#rsaKeyPair = accounts.some(needsRsa)
      ? generateRsaKeyPair()
      : Promise.resolve(undefined);
    // whoever logs in is told of a failure; until then it is nobody's
    this.#rsaKeyPair.catch(() => {});
    this.slowLane = new SlowLane(LARGE_DUMP_PAUSE_MS, this.#stopping.signal);
    this.#startedAtMs = parts.environment.nowMs();
    const { hostname, port } = parts.listener.addr;
    this.listen = formatAddress({ hostname, port });
    this.#accepting = acceptConnections(
      parts.listener,
      (conn) => this.#open(conn),
      this.#log,
      this.#stopping.signal,
    );
    this.#log.info("binlog server listens", { listen: this.listen });
  }

  /** Clients connected. */
  get connections(): number {
    return this.#sessions.size;
  }

  /** Stops listening and ends every session; what does not end in time is cut. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#listener.close();
    await this.#accepting;
    const sessions = [...this.#sessions.values()];
    for (const { session } of sessions) session.end("shutdown");
    const ended = Promise.all([
      ...sessions.map(({ ended }) => ended),
      ...this.#refusing,
    ]).then(() => true);
    const { drainTimeoutMs } = this.limits;
    const cutTimer = setTimeout(() => {
      for (const { session } of this.#sessions.values()) session.cut();
    }, drainTimeoutMs);
    const { promise: late, resolve } = Promise.withResolvers<boolean>();
    const lateTimer = setTimeout(() => resolve(false), drainTimeoutMs + CUT_MS);
    if (!await Promise.race([ended, late])) {
      this.#log.error("sessions do not end; leaving them behind", {
        connections: this.#sessions.size,
      });
    }
    clearTimeout(cutTimer);
    clearTimeout(lateTimer);
    this.compressor[Symbol.dispose]();
    this.#log.info("binlog server stopped", { listen: this.listen });
  }

  /** How far the dumps under way have come. */
  dumps(): DumpProgress[] {
    const dumps: DumpProgress[] = [];
    for (const { session } of this.#sessions.values()) {
      const { dumpProgress } = session;
      if (dumpProgress !== undefined) dumps.push(dumpProgress);
    }
    return dumps;
  }

  /**
   * Ends the connection of a replica, as KILL does; resolves when it is gone,
   * with what it was.
   */
  async kick(connectionId: number): Promise<ReplicaStatus | undefined> {
    const found = this.#sessions.get(connectionId);
    const status = found?.session.status();
    if (found === undefined || status === undefined) return undefined;
    found.session.end("killed");
    // A dump that can't end between two events is cut by itself, others here.
    const cutTimer = setTimeout(
      () => void found.session.cut(),
      this.limits.drainTimeoutMs,
    );
    await found.ended;
    clearTimeout(cutTimer);
    return status;
  }

  /** The connected replicas, in the order they came. */
  replicaStatuses(): ReplicaStatus[] {
    return [...this.#sessions.values()]
      .map(({ session }) => session.status())
      .filter((status) => status !== undefined);
  }

  facts(): Promise<ServerFacts> {
    return this.#facts.now();
  }

  loggedIn(session: Session): void {
    this.#pending.delete(session);
    this.#loggedIn += 1;
    this.service.logins += 1;
  }

  account(user: string): Account | undefined {
    return this.#accounts.get(user);
  }

  rightsOf(user: string): ReadonlySet<Right> {
    return this.#rights.get(user) ?? new Set();
  }

  rsaKeyPair(): Promise<RsaKeyPair | undefined> {
    return this.#rsaKeyPair;
  }

  refused(...refusal: Parameters<RefusalLog["refused"]>): void {
    this.#refusals.refused(...refusal);
  }

  kill(connectionId: bigint, by: Session, queryOnly: boolean): KillOutcome {
    const target = connectionId > BigInt(CONNECTION_ID_MAX)
      ? undefined
      : this.#sessions.get(Number(connectionId))?.session;
    if (target === undefined || target.closing) return "unknown";
    const mayKill = target.user === by.user ||
      by.user !== undefined && this.rightsOf(by.user).has("admin");
    if (!mayKill) return "denied";
    // a statement is answered before a KILL QUERY could come to it
    if (queryOnly) target.endDump("killed");
    else target.end("killed");
    return "killed";
  }

  supersede(session: Session): void {
    const serverId = session.dumpServerId;
    const uuid = session.replicaUuid;
    // without either it is a tool such as mysqlbinlog, of which many may run
    if (uuid === "" && serverId === 0) return;
    for (const { session: other } of this.#sessions.values()) {
      if (other === session || other.dumpServerId === undefined) continue;
      const same = uuid === ""
        ? other.replicaUuid === "" && other.dumpServerId === serverId
        : other.replicaUuid === uuid;
      if (!same) continue;
      this.#log.warn("replica connected once more; ending its older dump", {
        older: other.connectionId,
        newer: session.connectionId,
        replicaServerId: serverId,
        replicaUuid: uuid,
      });
      other.endDump("superseded");
    }
  }

  replicas(): readonly ReplicaFacts[] {
    const replicas: ReplicaFacts[] = [];
    for (const { session } of this.#sessions.values()) {
      const { registered } = session;
      if (registered === undefined) continue;
      replicas.push({
        serverId: registered.serverId.toString(),
        hostName: registered.hostName,
        port: registered.port,
        uuid: session.replicaUuid,
      });
    }
    return replicas;
  }

  statistics(): string {
    const uptimeS = Math.floor(
      (this.environment.nowMs() - this.#startedAtMs) / 1000,
    );
    const { questions } = this.counters;
    const average = (questions / Math.max(uptimeS, 1)).toFixed(3);
    return `Uptime: ${uptimeS}  Threads: ${this.#sessions.size}  ` +
      `Questions: ${questions}  Slow queries: 0  Opens: 0  ` +
      `Flush tables: 0  Open tables: 0  Queries per second avg: ${average}`;
  }

  processes(): readonly SessionProcess[] {
    return [...this.#sessions.values()]
      .filter(({ session }) => !session.closing)
      .map(({ session }) => session.process());
  }

  /** What it has counted, dumps under way included. */
  counts(): CounterValues {
    const bytesSent = this.counters.bytesSent + this.#bytesDumping();
    return { ...this.counters, bytesSent };
  }

  tally(): ServerTally {
    const sessions = [...this.#sessions.values()]
      .map(({ session }) => session)
      .filter(({ closing }) => !closing);
    const running = sessions.filter(({ active }) => active);
    const clients = running.filter(({ acknowledges }) => acknowledges);
    return {
      startedAtMs: this.#startedAtMs,
      connected: sessions.length,
      running: running.length,
      counters: this.counts(),
      refusals: this.#refusals.counts,
      semiSync: this.semiSync
        ? { clients: clients.length, ...this.#acknowledgingState() }
        : undefined,
    };
  }

  /** Bytes of dumps under way; those of others are counted already. */
  #bytesDumping(): bigint {
    let bytes = 0n;
    for (const { session } of this.#sessions.values()) {
      bytes += session.dumpedBytes;
    }
    return bytes;
  }

  #acknowledgingState(): AcknowledgingState {
    return this.#acknowledging?.() ?? {
      degraded: false,
      timeouts: 0,
      acknowledged: 0,
      unacknowledged: 0,
    };
  }

  async #open(conn: Deno.TcpConn): Promise<void> {
    await this.#acceptTurns.take();
    const transport = sessionTransport(conn);
    // it vanished between connecting and being accepted
    if (transport === undefined) return;
    this.counters.connections += 1;
    if (this.#stopping.signal.aborted) {
      transport.close();
      return;
    }
    if (this.#loggedIn >= this.#options.connectionsMax) {
      this.#refuse(transport);
      return;
    }
    this.#makeRoom();
    const connectionId = this.#nextConnectionId();
    const log = this.#log.child({
      connection: connectionId,
      remote: transport.remote,
    });
    const session = new Session(connectionId, transport, this, log);
    const ended = session.run()
      .catch((error) => {
        log.error("session failed", { error: describeError(error) });
        transport.close();
      })
      .finally(() => this.#forget(session));
    this.#sessions.set(connectionId, { session, ended });
    this.counters.connected(this.#sessions.size);
    this.#pending.add(session);
  }

  #forget(session: Session): void {
    this.#sessions.delete(session.connectionId);
    this.#pending.delete(session);
    if (session.user !== undefined) this.#loggedIn -= 1;
  }

  /** Makes room for one more client that is not logged in. */
  #makeRoom(): void {
    const free = this.#options.connectionsMax - this.#loggedIn;
    while (this.#pending.count >= Math.min(free, PENDING_LOGINS_MAX)) {
      const crowding = this.#pending.evict();
      if (crowding === undefined) return;
      void crowding.cut();
      this.refused(
        "too-many-logins",
        crowding.host,
        "Made room for another connection before it was logged in",
      );
    }
  }

  /** Connection ids count up and, after 2^32-1, leave out those in use. */
  #nextConnectionId(): number {
    do {
      this.#lastConnectionId = this.#lastConnectionId % CONNECTION_ID_MAX + 1;
    } while (this.#sessions.has(this.#lastConnectionId));
    return this.#lastConnectionId;
  }

  /** Tells a client that there are too many, before any greeting. */
  #refuse(transport: SessionTransport): void {
    const fault = new ProtocolError(
      ErrorCode.ER_CON_COUNT_ERROR,
      "Too many connections",
    );
    const channel = new SessionChannel(transport, {
      maxPayloadBytes: 0,
      writeTimeoutMs: this.limits.loginTimeoutMs,
    });
    this.refused("too-many-connections", channel.host, fault.message);
    if (this.#refusing.size >= REFUSING_MAX) {
      channel.cut();
      return;
    }
    // no capabilities are agreed on yet, so that no SQLSTATE is sent
    const told = channel.send(encodeErr(fault, 0))
      .then(() => channel.close(), () => channel.cut())
      .finally(() => this.#refusing.delete(told));
    this.#refusing.add(told);
  }
}

/** The transport of an accepted connection; undefined if it is gone already. */
function sessionTransport(conn: Deno.TcpConn): SessionTransport | undefined {
  try {
    return { ...quietTcpTransport(conn), closeWrite: () => conn.closeWrite() };
  } catch {
    conn.close();
    return undefined;
  }
}

function accountOf(account: ServerAccount): Account {
  if (!("password" in account)) return account;
  const { name, password, requireTls } = account;
  return { ...accountFromPassword(name, password), requireTls };
}

/** Whether `caching_sha2_password` has to ask for the password itself. */
function needsRsa(account: Account): boolean {
  return account.doubleSha256 === undefined;
}
