import { formatAddress } from "../config/address.ts";
import type { ClientConnection } from "../connection/client_connection.ts";
import { sleep } from "../connection/sleep.ts";
import type { TlsFacts } from "../connection/tls_layer.ts";
import type { Log } from "../log/log.ts";
import type { BinlogStore } from "../store/binlog_store.ts";
import { executedText } from "../store/executed_text.ts";
import { originOf, type SourceIdentity } from "../store/source_identity.ts";
import { Backoff } from "./backoff.ts";
import { beginDump } from "./begin_dump.ts";
import { Candidates, FOLLOWED_META } from "./candidates.ts";
import type { SourceAttempt } from "./source_attempt.ts";
import { checkIdentity } from "./check_identity.ts";
import { connectSource } from "./connect_source.ts";
import { DumpHistory } from "./dump_history.ts";
import { planDump } from "./dump_plan.ts";
import type { FollowerContext } from "./log_follower.ts";
import { SourceAcks } from "./source_acks.ts";
import { SourceDump } from "./source_dump.ts";
import type { SourceOptions } from "./source_options.ts";
import { SourceSession } from "./source_session.ts";
import { SyncerCounters } from "./syncer_counters.ts";
import type { SyncerDeps } from "./syncer_deps.ts";
import {
  duplicateServerId,
  type SyncerFault,
  type SyncerPhase,
} from "./syncer_fault.ts";
import type {
  SyncerProgress,
  SyncerState,
  SyncerStatus,
} from "./syncer_status.ts";

/** See `SyncerDeps.idleCheckMs`. */
const IDLE_CHECK_MS = 60_000;

/** See `SyncerDeps.endCheckMs`. */
const END_CHECK_MS = 30_000;

/** See `SourceOptions.switchAfterMs`. */
const SWITCH_AFTER_MS = 30_000;

/**
 * Follows the source: connects, finds where the log goes on, and appends what
 * comes, for as long as it runs. It gives up only when trying again can't
 * change the answer; then its state is `failed` and its reason says why.
 */
export class Syncer {
  readonly #store: BinlogStore;
  readonly #deps: SyncerDeps;
  readonly #log: Log;
  #options: SourceOptions | undefined;
  #candidates: Candidates | undefined;
  #state: SyncerState = "stopped";
  #since: number;
  #fault: SyncerFault | undefined;
  #faultAt: number | undefined;
  /** The dump that is being received. */
  #dump: SourceDump | undefined;
  #history: DumpHistory;
  #phase: SyncerPhase = "connecting";
  #backoff: Backoff;
  #nextAttemptAt: number | undefined;
  #connectedAt: number | undefined;
  #identity: SourceIdentity | undefined;
  /** How the connection of now is secured. */
  #tls: TlsFacts | undefined;
  #abort: AbortController | undefined;
  #loop: Promise<void> | undefined;
  #bytesReceived = 0;
  #heardAt = 0;
  readonly #acks: SourceAcks;
  readonly #counters = new SyncerCounters();
  #attempt: SourceAttempt | undefined;

  /**
   * @param store where the log goes
   * @param deps log, clock and randomness
   */
  constructor(store: BinlogStore, deps: SyncerDeps) {
    this.#store = store;
    this.#deps = deps;
    this.#log = deps.log;
    this.#backoff = new Backoff(deps);
    this.#history = new DumpHistory(store);
    this.#since = deps.now();
    const { log, now, gate } = deps;
    this.#acks = new SourceAcks({ store, log, now, gate });
  }

  /** True from `start` until `stop`, or until it failed for good. */
  get running(): boolean {
    return this.#loop !== undefined && this.#state !== "failed";
  }

  /**
   * Begins to follow; answers once the loop runs, not once it is connected.
   *
   * @throws {TypeError} when it runs already
   */
  async start(options: SourceOptions): Promise<void> {
    if (this.running) throw new TypeError("The syncer runs already");
    await this.stop();
    this.#options = options;
    this.#identity = undefined;
    this.#fault = undefined;
    this.#backoff = new Backoff(this.#deps);
    this.#history = new DumpHistory(this.#store);
    this.#abort = new AbortController();
    this.#candidates = await this.#candidatesOf(options);
    this.#enter("connecting");
    this.#loop = this.#run(options, this.#candidates, this.#abort.signal);
  }

  /** Stops; what came before is durable then. Does nothing when stopped. */
  async stop(): Promise<void> {
    this.#abort?.abort();
    await this.#loop;
    this.#loop = undefined;
    this.#fault = undefined;
    this.#backoff = new Backoff(this.#deps);
    this.#enter("stopped");
  }

  /** What it has counted since the process began. */
  get counters(): Readonly<SyncerCounters> {
    return this.#counters;
  }

  /** How much has come; cheap enough to be asked every second. */
  progress(): SyncerProgress {
    return { bytesReceived: this.#bytesReceived, ...this.#lag() };
  }

  /** How it is doing, now. */
  status(): SyncerStatus {
    const head = this.#store.head;
    const options = this.#options;
    const identity = this.#identity;
    return {
      state: this.#state,
      ...(this.#fault === undefined
        ? {}
        : { cause: this.#fault.cause, reason: this.#fault.reason }),
      ...(this.#fault === undefined ? {} : dateAs("faultAt", this.#faultAt)),
      attempts: this.#backoff.attempts,
      ...dateAs("nextAttemptAt", this.#nextAttemptAt),
      ...dateAs("connectedAt", this.#connectedAt),
      ...(options === undefined ? {} : {
        source: {
          address: formatAddress(this.#candidates?.current ?? options),
          user: options.user,
          serverId: identity?.serverId ?? "",
          uuid: identity?.uuid ?? "",
          version: identity?.version ?? "",
          tls: this.#tls,
          compression: options.compression?.algorithm,
        },
      }),
      candidates: this.#candidates?.status() ?? [],
      since: new Date(this.#since),
      currentGtid: head?.lastGtid ?? "",
      file: head?.fileName ?? "",
      position: head?.position ?? 0,
      ...this.#sourcePosition(),
      ...executedText(this.#store),
      ...this.progress(),
      ...(this.#heardAt === 0 ? {} : { heardAt: new Date(this.#heardAt) }),
      ...(options?.semiSync === true ? { semiSync: this.#acks.status() } : {}),
    };
  }

  #sourcePosition(): { sourceFile: string; sourcePosition: number } {
    if (this.#dump !== undefined) {
      const { fileName, position } = this.#dump.sourcePosition;
      return { sourceFile: fileName, sourcePosition: Number(position) };
    }
    const { head, files } = this.#store;
    const file = files.at(-1);
    return {
      sourceFile: file?.sourceName ?? "",
      // where a spliced file's events are at the source only the dump shows
      sourcePosition: file?.spliced === true ? 0 : head?.position ?? 0,
    };
  }

  #lag(): Pick<SyncerProgress, "secondsBehind" | "bytesBehind"> {
    if (this.#state !== "following" || this.#dump === undefined) return {};
    const { head } = this.#store;
    const { bytesBehind, caughtUp } = this.#dump;
    const bytes = bytesBehind === undefined ? {} : { bytesBehind };
    if (caughtUp) return { secondsBehind: 0, ...bytes };
    // Nothing is durable yet of what comes, or nothing that says when it was.
    const newestS = head?.lastTimestamp ?? 0;
    if (newestS === 0) return bytes;
    const heardS = Math.floor(this.#heardAt / 1000);
    const secondsBehind = Math.max(0, heardS - newestS);
    return { secondsBehind, ...bytes };
  }

  async #candidatesOf(options: SourceOptions): Promise<Candidates> {
    const addresses = [options, ...options.candidates ?? []].map(
      ({ hostname, port }) => ({ hostname, port }),
    );
    const followed = await this.#store.getMeta(FOLLOWED_META);
    return new Candidates({
      addresses,
      followed: typeof followed === "string" ? followed : undefined,
      switchAfterMs: options.switchAfterMs ?? SWITCH_AFTER_MS,
      now: this.#deps.now,
    });
  }

  async #run(
    options: SourceOptions,
    candidates: Candidates,
    signal: AbortSignal,
  ): Promise<void> {
    while (!signal.aborted) {
      this.#phase = "connecting";
      this.#history.begin();
      const tried = { ...options, ...candidates.current };
      this.#attempt = this.#deps.attempt?.(formatAddress(tried));
      try {
        await this.#follow(tried, signal);
      } catch (error) {
        if (signal.aborted) break;
        const goesOn = await this.#goOnAfter(error, tried, candidates, signal);
        if (!goesOn) return;
      }
    }
    this.#attempt?.stopped();
  }

  /** After a fault: waits, or goes to another source; false when it is over. */
  async #goOnAfter(
    error: unknown,
    tried: SourceOptions,
    candidates: Candidates,
    signal: AbortSignal,
  ): Promise<boolean> {
    const fault = this.#faultOf(error, tried);
    const { cause, reason } = fault;
    this.#counters.faults[cause]++;
    this.#attempt?.failed(cause, reason);
    const { retry, waitMsMax } = isSourcesFault(fault)
      ? candidates.failed(fault)
      : { retry: fault.retry, waitMsMax: Infinity };
    const source = formatAddress(tried);
    if (formatAddress(candidates.current) !== source) {
      this.#identity = undefined;
      this.#history = new DumpHistory(this.#store);
    }
    // Of many, the one that is followed is the one to tell of.
    this.#fault = isSourcesFault(fault) ? candidates.fault ?? fault : fault;
    this.#faultAt = this.#deps.now();
    if (retry === "never") {
      this.#backoff.gaveUp();
      this.#enter("failed");
      this.#log.error("stopped following the source", {
        source,
        cause,
        reason,
      });
      return false;
    }
    const what = cause === "disk" ? "can't write the log" : "lost the source";
    this.#log.warn(what, { source, cause, reason });
    if (retry === "now") {
      const candidate = formatAddress(candidates.current);
      this.#log.warn("trying another source", { source: candidate });
      this.#enter("connecting");
      return true;
    }
    const waitMs = Math.min(this.#backoff.failed(retry), waitMsMax);
    await this.#pause(waitMs, signal);
    return true;
  }

  #faultOf(error: unknown, context: SourceOptions): SyncerFault {
    return this.#history.faultOf(error, {
      phase: this.#phase,
      context,
      flavour: this.#identity?.flavour,
      settled: this.#backoff.settled,
    });
  }

  async #pause(waitMs: number, signal: AbortSignal): Promise<void> {
    this.#log.info("trying again", { wait_ms: Math.round(waitMs) });
    this.#nextAttemptAt = this.#deps.now() + waitMs;
    this.#enter("waiting");
    await (this.#deps.sleep ?? sleep)(waitMs, signal);
    this.#nextAttemptAt = undefined;
    if (!signal.aborted) this.#enter("connecting");
  }

  /** One connection: ends only by throwing, or when `signal` fires. */
  async #follow(options: SourceOptions, signal: AbortSignal): Promise<void> {
    // A disk that was full may have space again.
    if (this.#store.failure !== undefined) await this.#store.recover();
    const connection = await connectSource(options, signal);
    this.#phase = "preparing";
    this.#tls = connection.tls;
    const close = () => connection.close();
    signal.addEventListener("abort", close);
    try {
      // It may have fired before it was listened to.
      signal.throwIfAborted();
      const context = await this.#begin(connection, options, signal);
      this.#phase = "dumping";
      await this.#receive(connection, options, context, signal);
    } finally {
      this.#tls = undefined;
      signal.removeEventListener("abort", close);
      connection.close();
      // Whatever lies behind the last boundary will be sent again.
      if (this.#store.failure === undefined) {
        await this.#store.writer.rollback();
      }
    }
  }

  /** Begins a dump; answers what its follower has to know. */
  async #begin(
    connection: ClientConnection,
    options: SourceOptions,
    signal: AbortSignal,
  ): Promise<FollowerContext> {
    const session = new SourceSession(connection);
    const identity = await session.identify();
    this.#identity = identity;
    checkIdentity(identity, options);
    await this.#checkAlone(session, options);
    const plan = await planDump(session, identity, {
      store: this.#store,
      start: options.start,
      readTimeoutMs: options.readTimeoutMs,
      tornAt: this.#history.tornAt,
      aside: async (use) => {
        await using other = await connectSource(options, signal);
        return await use(new SourceSession(other));
      },
    });
    const begun = await beginDump(session, {
      store: this.#store,
      log: this.#log,
      options,
      identity,
      plan,
    });
    return { ...begun, numbered: connection.numbered };
  }

  /** What the files of the source have as their server; empty if not known. */
  get #origin(): string {
    return this.#identity === undefined ? "" : originOf(this.#identity);
  }

  /**
   * After another replica with our ids was noticed: makes sure that it is gone.
   * A dump would end the other's, and MySQL 8 replicas then stop for good. Not
   * asked before, since a connection of our own that broke may still be listed.
   */
  async #checkAlone(
    session: SourceSession,
    options: SourceOptions,
  ): Promise<void> {
    if (this.#fault?.cause !== "duplicate-server-id") return;
    const host = await session.registered(options);
    if (host === undefined) return;
    throw duplicateServerId(
      options,
      `A replica on ${host} is registered at the source with the ids of kingbus`,
    );
  }

  /** Receives the dump that was begun, to its end. */
  async #receive(
    connection: ClientConnection,
    options: SourceOptions,
    context: FollowerContext,
    signal: AbortSignal,
  ): Promise<void> {
    const { writer } = this.#store;
    const { closedFiles } = context;
    const dump = new SourceDump({
      store: this.#store,
      log: this.#log,
      options,
      origin: this.#origin,
      context: {
        ...context,
        closedFiles: this.#history.closedFiles(closedFiles),
      },
      idleCheckMs: this.#deps.idleCheckMs ?? IDLE_CHECK_MS,
      endCheckMs: this.#deps.endCheckMs ?? END_CHECK_MS,
      heard: (bytes) => this.#heard(bytes),
      taken: () => this.#candidates?.followed(),
      heartbeat: () => this.#counters.heartbeats++,
      replyWanted: () => {
        const { fileName, position } = writer;
        this.#acks.wanted(fileName, position, dump.sourcePosition);
      },
    });
    using _acks = context.semiSync ? this.#acks.over(connection) : undefined;
    this.#dump = dump;
    try {
      await dump.receive(connection, signal);
    } finally {
      this.#dump = undefined;
      this.#history.dumpOver(dump);
    }
  }

  #heard(bytes: number): void {
    this.#bytesReceived += bytes;
    this.#heardAt = this.#deps.now();
    if (this.#state === "following") return;
    this.#fault = undefined;
    this.#counters.connections++;
    this.#attempt?.following();
    this.#connectedAt = this.#heardAt;
    this.#backoff.connected();
    this.#enter("following");
  }

  #enter(state: SyncerState): void {
    if (this.#state === state) return;
    this.#state = state;
    this.#since = this.#deps.now();
  }
}

function dateAs<Name extends string>(
  name: Name,
  at: number | undefined,
): Partial<Record<Name, Date>> {
  return at === undefined ? {} : { [name]: new Date(at) } as Record<Name, Date>;
}

/** False for faults of the store or our own, which no other source mends. */
function isSourcesFault({ cause }: SyncerFault): boolean {
  return cause !== "disk" && cause !== "fenced" && cause !== "store" &&
    cause !== "internal";
}
