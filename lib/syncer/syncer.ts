import { formatAddress } from "../config/address.ts";
import type { ClientConnection } from "../connection/client_connection.ts";
import { ConnectionError } from "../connection/connection_error.ts";
import { sleep } from "../connection/sleep.ts";
import type { TlsFacts } from "../connection/tls_layer.ts";
import type { Log } from "../log/log.ts";
import { describeError } from "../log/describe_error.ts";
import { ErrorCode } from "../protocol/error_code.ts";
import { ServerError } from "../protocol/server_error.ts";
import { encodeSemiSyncAck, type SemiSyncAck } from "../protocol/semi_sync.ts";
import type { BinlogStore } from "../store/binlog_store.ts";
import { executedText } from "../store/executed_text.ts";
import { originOf, type SourceIdentity } from "../store/source_identity.ts";
import { Backoff, SETTLED_MS } from "./backoff.ts";
import { beginDump } from "./begin_dump.ts";
import { Candidates, FOLLOWED_META } from "./candidates.ts";
import type { SourceAttempt } from "./source_attempt.ts";
import { checkIdentity } from "./check_identity.ts";
import { connectSource } from "./connect_source.ts";
import { planDump, type TornFile } from "./dump_plan.ts";
import { BEHIND, IdleCheck } from "./idle_check.ts";
import { type FollowerContext, LogFollower } from "./log_follower.ts";
import { SourceAcknowledger } from "./source_acknowledger.ts";
import { SourceAside } from "./source_aside.ts";
import { SourceError } from "./source_error.ts";
import { SilenceWatch } from "./silence_watch.ts";
import { SourceEnd } from "./source_end.ts";
import type { SourceOptions } from "./source_options.ts";
import { SourceSession } from "./source_session.ts";
import { SyncerCounters } from "./syncer_counters.ts";
import type { SyncerDeps } from "./syncer_deps.ts";
import {
  diagnose,
  duplicateServerId,
  type SyncerFault,
  type SyncerPhase,
} from "./syncer_fault.ts";
import type {
  SyncerProgress,
  SyncerSemiSync,
  SyncerState,
  SyncerStatus,
} from "./syncer_status.ts";

/** See `SyncerDeps.idleCheckMs`. */
const IDLE_CHECK_MS = 60_000;

/** See `SyncerDeps.endCheckMs`. */
const END_CHECK_MS = 30_000;

/**
 * So many dumps in a row that the source ends soon after their begin mean that
 * another replica has our ids: MySQL before 5.7 does not say so.
 */
const QUICK_ENDS_MAX = 3;

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
  /** What takes the events of the dump under way. */
  #follower: LogFollower | undefined;
  /** What knows how much is to come in it. */
  #end: SourceEnd | undefined;
  #phase: SyncerPhase = "connecting";
  #backoff: Backoff;
  #nextAttemptAt: number | undefined;
  #connectedAt: number | undefined;
  /** Where a file ended in the last dump that the source did not say had ended. */
  #unendedAt: LogFollower["unendedAt"];
  /** A file of the source that is torn, if the last dump ended with that. */
  #tornAt: TornFile | undefined;
  /** Whether the source said that the dump is over, which never is for us. */
  #saidEnd = false;
  /** Dumps in a row that it ended like that soon after their begin. */
  #quickEnds = 0;
  #identity: SourceIdentity | undefined;
  /** How the connection of now is secured. */
  #tls: TlsFacts | undefined;
  #abort: AbortController | undefined;
  #loop: Promise<void> | undefined;
  #bytesReceived = 0;
  #heardAt = 0;
  #acks = 0;
  #lastAck: SemiSyncAck | undefined;
  /** Of a connection that is a semi-synchronous one. */
  #acknowledger: SourceAcknowledger | undefined;
  readonly #counters = new SyncerCounters();
  #attempt: SourceAttempt | undefined;
  /** False while the disk is waited for, which is not the source's fault. */
  #awaitsSource = true;

  /**
   * @param store where the log goes
   * @param deps log, clock and randomness
   */
  constructor(store: BinlogStore, deps: SyncerDeps) {
    this.#store = store;
    this.#deps = deps;
    this.#log = deps.log;
    this.#backoff = new Backoff(deps);
    this.#since = deps.now();
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
    this.#quickEnds = 0;
    this.#unendedAt = undefined;
    this.#tornAt = undefined;
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
      ...(options?.semiSync === true ? { semiSync: this.#semiSync() } : {}),
    };
  }

  #sourcePosition(): { sourceFile: string; sourcePosition: number } {
    if (this.#follower !== undefined) {
      const { fileName, position } = this.#follower.sourcePosition;
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
    if (this.#state !== "following" || this.#follower === undefined) return {};
    const { head } = this.#store;
    const bytesBehind = this.#end?.bytesBehind;
    const bytes = bytesBehind === undefined ? {} : { bytesBehind };
    if (this.#follower.caughtUp) return { secondsBehind: 0, ...bytes };
    // Nothing is durable yet of what comes, or nothing that says when it was.
    const newestS = head?.lastTimestamp ?? 0;
    if (newestS === 0) return bytes;
    const heardS = Math.floor(this.#heardAt / 1000);
    const secondsBehind = Math.max(0, heardS - newestS);
    return { secondsBehind, ...bytes };
  }

  #semiSync(): SyncerSemiSync {
    return {
      active: this.#acknowledger !== undefined,
      acks: this.#acks,
      file: this.#lastAck?.fileName ?? "",
      position: Number(this.#lastAck?.position ?? 0n),
      waiting: this.#acknowledger?.waiting ?? 0,
    };
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
      this.#saidEnd = false;
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
    // Of many, the one that is followed is the one to tell of.
    this.#fault = isSourcesFault(fault) ? candidates.fault ?? fault : fault;
    this.#faultAt = this.#deps.now();
    const source = formatAddress(tried);
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
      this.#identity = undefined;
      this.#unendedAt = undefined;
      this.#enter("connecting");
      return true;
    }
    const waitMs = Math.min(this.#backoff.failed(retry), waitMsMax);
    await this.#pause(waitMs, signal);
    return true;
  }

  /** What the error means, alone and with those before it. */
  #faultOf(error: unknown, options: SourceOptions): SyncerFault {
    const fault = this.#noteTorn(
      error,
      diagnose(error, this.#phase, options),
    );
    const lastedMs = this.#backoff.connectedMs;
    const isQuickEnd = this.#saidEnd && lastedMs !== undefined &&
      lastedMs < SETTLED_MS;
    this.#quickEnds = isQuickEnd ? this.#quickEnds + 1 : 0;
    if (this.#quickEnds < QUICK_ENDS_MAX) return fault;
    const said =
      `The source has ended ${this.#quickEnds} dumps in a row within seconds of their begin, and gave no error`;
    return diagnose(duplicateServerId(options, said), this.#phase, options);
  }

  /**
   * After a crash MariaDB can leave a file that ends inside an event, and never
   * sends what is there of it: it answers an error. What comes next is in the
   * next file then, whose Gtid_list shows whether anything is missing.
   */
  #noteTorn(error: unknown, fault: SyncerFault): SyncerFault {
    const before = this.#tornAt;
    this.#tornAt = undefined;
    const newest = this.#store.files.at(-1);
    if (
      !isTornFile(error) || this.#phase !== "dumping" ||
      this.#identity?.flavour !== "mariadb" || newest === undefined
    ) return fault;
    const { position } = this.#store.writer;
    const at = { fileName: newest.sourceName, position };
    // The next file is torn, too, or it was not that.
    if (before?.fileName === at.fileName && before.position === position) {
      return fault;
    }
    this.#tornAt = at;
    return {
      ...fault,
      reason:
        `${fault.reason}; kingbus has all transactions of the file that are whole, and goes on with the next one if that says that it follows them`,
      retry: "soon",
    };
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
    using acknowledger = this.#acknowledgerOf(connection);
    try {
      const context = await this.#dump(connection, options, signal);
      this.#acknowledger = context.semiSync ? acknowledger : undefined;
      this.#phase = "dumping";
      await this.#receive(connection, options, context, signal);
    } finally {
      this.#acknowledger = undefined;
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
  async #dump(
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
      tornAt: this.#tornAt,
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

  #acknowledgerOf(connection: ClientConnection): SourceAcknowledger {
    return new SourceAcknowledger({
      store: this.#store,
      gate: this.#deps.gate,
      now: this.#deps.now,
      send: async (ack) => {
        try {
          await connection.writer.write(encodeSemiSyncAck(ack), 0);
        } catch (error) {
          this.#log.debug("could not acknowledge", () => ({
            reason: describeError(error),
          }));
          // Whoever reads from it finds out and begins anew.
          connection.close();
          return false;
        }
        this.#acks++;
        this.#lastAck = ack;
        return true;
      },
    });
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

  async #receive(
    connection: ClientConnection,
    options: SourceOptions,
    context: FollowerContext,
    signal: AbortSignal,
  ): Promise<void> {
    const { writer } = this.#store;
    const follower = new LogFollower(
      this.#store.writer,
      this.#origin,
      {
        fileStarted: (name) => this.#log.debug("file", { file: name }),
        heartbeat: () => this.#counters.heartbeats++,
        replyWanted: () => {
          const { fileName, position } = writer;
          const ack = follower.sourcePosition;
          this.#acknowledger?.wanted(fileName, position, ack);
        },
      },
      { ...context, closedFiles: this.#closedFiles(context) },
    );
    this.#follower = follower;
    this.#awaitsSource = true;
    using watch = new SilenceWatch({
      timeoutMs: options.readTimeoutMs,
      received: () => this.#bytesReceived,
      awaitsSource: () => this.#awaitsSource,
      onSilent: () => connection.close(),
    });
    const aside = new SourceAside({
      store: this.#store,
      log: this.#log,
      options,
      origin: this.#origin,
    });
    let stale: string | undefined;
    await using _check = new IdleCheck({
      periodMs: this.#deps.idleCheckMs ?? IDLE_CHECK_MS,
      progress: () => `${writer.fileName}:${writer.position}`,
      ask: (signal) => aside.stale(context.splice !== undefined, signal),
      onStale: (why) => {
        stale = why;
        connection.close();
      },
    });
    await using end = new SourceEnd({
      periodMs: this.#deps.endCheckMs ?? END_CHECK_MS,
      isCaughtUp: () => follower.caughtUp,
      position: () => follower.sourcePosition,
      ask: (signal) => aside.files(signal),
      onEnd: () => follower.endReached(),
    });
    this.#end = end;
    try {
      for (;;) {
        const chunk = await connection.reader.readChunk();
        if (chunk === null || signal.aborted) break;
        this.#heard(chunk.length);
        follower.push(chunk);
        this.#candidates?.followed();
        if (follower.ended) break;
        const room = writer.ready();
        if (room === undefined) continue;
        this.#awaitsSource = false;
        await room;
        this.#awaitsSource = true;
      }
    } catch (error) {
      // The watch ends a read by closing the connection under it.
      const isOurs = watch.fired || stale !== undefined;
      if (!isOurs || !(error instanceof ConnectionError)) throw error;
    } finally {
      this.#follower = undefined;
      this.#end = undefined;
      this.#unendedAt = follower.unendedAt;
    }
    if (signal.aborted) return;
    if (stale !== undefined) {
      throw new SourceError(
        "lost",
        stale === BEHIND
          ? `The source's log goes on behind ${writer.fileName} position ${writer.position}, yet it sends nothing but heartbeats: asking for the log anew`
          : `The source sends heartbeats, but asked for its log it says otherwise, so it is asked anew: ${stale}`,
      );
    }
    this.#saidEnd = follower.ended;
    if (watch.fired) {
      throw new SourceError(
        "silent",
        `The source sent nothing for ${options.readTimeoutMs} ms, not even a heartbeat: it hangs, or the network between lost the connection without a word`,
      );
    }
    throw new SourceError(
      "lost",
      follower.atPacketEnd
        ? "The source ended the dump (it was shut down, or its dump thread was killed)"
        : "The connection to the source ended in the middle of a packet",
    );
  }

  /**
   * The files that may end where the source says. One that ended there before,
   * and is ours as the dump's begin shows, is one of them, whatever size is
   * listed for it.
   */
  #closedFiles(
    { closedFiles }: FollowerContext,
  ): ReadonlyMap<string, number> | undefined {
    const ended = this.#unendedAt;
    if (ended === undefined || closedFiles === undefined) return closedFiles;
    return new Map([...closedFiles, [ended.fileName, ended.position]]);
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

/** Whether a MariaDB server said that its file ends inside an event. */
function isTornFile(error: unknown): boolean {
  return error instanceof ServerError &&
    error.code === ErrorCode.ER_SOURCE_FATAL_ERROR_READING_BINLOG &&
    /truncated in the middle of event/.test(error.message);
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
