import { ConnectionError } from "../connection/connection_error.ts";
import { Deadline } from "../connection/deadline.ts";
import type { TlsFacts } from "../connection/tls_layer.ts";
import type { Log } from "../log/log.ts";
import type { Right } from "../config/right.ts";
import type { Compression } from "../protocol/compression.ts";
import {
  Command,
  decodePrepare,
  decodeQuery,
  decodeRegisterReplica,
  type RegisterReplica,
} from "../protocol/command.ts";
import { ErrorCode } from "../protocol/error_code.ts";
import { PACKET_HEADER_BYTES } from "../protocol/packet.ts";
import { ProtocolError } from "../protocol/protocol_error.ts";
import type { Login } from "../protocol/server_auth.ts";
import type { DumpProgress } from "./dump_progress.ts";
import { type DumpEnd, DumpRun } from "./dump_run.ts";
import { decodeDumpRequest, mariadbDumpRequest } from "./dump_request.ts";
import type { CommandMemoryShare } from "./command_memory.ts";
import { greetClient } from "./greet_client.ts";
import { logFactsOf } from "./log_facts.ts";
import { noteFault } from "./note_fault.ts";
import { readResult } from "./read_result.ts";
import { replicaSettingsOf } from "./replica_settings.ts";
import type { ReplicaStatus } from "./replica_status.ts";
import { SessionChannel, type SessionTransport } from "./session_channel.ts";
import type { PurgeTarget } from "./log_purger.ts";
import { openStatementText, type SessionProcess } from "./session_activity.ts";
import type { SessionHost } from "./session_host.ts";
import { SessionReplies } from "./session_replies.ts";
import { SessionState } from "./session_state.ts";
import { steerSource } from "./source_steering.ts";
import { answerStatement, errorResult } from "./statement.ts";
import type { StatementContext } from "./statement_context.ts";
import { StatementFault } from "./statement_error.ts";
import { purgeWarnings, unknownTarget } from "./statement_purge.ts";
import { denied, hasRight, REPLICATE } from "./statement_right.ts";
import { prepareRefusal } from "./statement_table.ts";
import type { StatementResult } from "./statement_result.ts";

/** Largest payload of a login. */
const LOGIN_BYTES_MAX = 128 * 1024;
/**
 * Largest payload of a command. The longest is a dump's with its GTID set: this
 * holds 65,000 intervals, or 26,000 servers, and takes about a tenth of a second
 * to read, which everybody else waits for.
 */
const COMMAND_BYTES_MAX = 1024 * 1024;
/**
 * Highest level of zstd: with 12 and more a buffer of 256 KiB takes tens of
 * milliseconds, and a binlog gets no smaller.
 */
const COMPRESSION_LEVEL_MAX = 9;
/** A dump's request of more than this waits for others of its like. */
const LARGE_DUMP_BYTES = 64 * 1024;
/** What is charged for a GTID set, times its encoded size. */
const DECODED_TIMES = 4;
/** Longest default schema kept of a COM_INIT_DB. */
const DATABASE_BYTES_MAX = 256;

/**
 * One client's connection, from its greeting to its end.
 *
 * ```text
 * session  = greeting login command* [dump]
 * login    = accepted | refused, closed
 * command  = payload, reply                 an error reply keeps the session
 *          | malformed payload, ERR, closed
 *          | COM_QUIT, closed
 * dump     = event* (EOF | ERR | nothing), closed
 * ```
 *
 * Whatever a client sends, nothing worse can come of it than the end of its own
 * session.
 */
export class Session {
  readonly connectionId: number;
  readonly #host: SessionHost;
  readonly #channel: SessionChannel;
  readonly #connectedAtMs: number;
  readonly #memory: CommandMemoryShare;
  #log: Log;
  /** Fires when the session is to end. */
  readonly #end = new AbortController();
  #login: Login | undefined;
  #tls: TlsFacts | undefined;
  #compression: Compression | undefined;
  #dump: DumpRun | undefined;
  /** True once nothing more is sent: the client is no replica any more. */
  #closing = false;

  #registered: RegisterReplica | undefined;
  readonly #state = new SessionState();
  readonly #replies: SessionReplies;
  /** Since when it has been doing what it does. */
  #activeSinceMs: number;
  #isActive = false;
  /** The statement under way, as others may see it. */
  #statement: string | undefined;
  #bytesReceived = 0n;

  constructor(
    connectionId: number,
    transport: SessionTransport,
    host: SessionHost,
    log: Log,
  ) {
    this.connectionId = connectionId;
    this.#host = host;
    this.#log = log;
    this.#connectedAtMs = host.environment.nowMs();
    this.#activeSinceMs = this.#connectedAtMs;
    this.#memory = host.commandMemory.share();
    this.#channel = new SessionChannel(transport, {
      maxPayloadBytes: LOGIN_BYTES_MAX,
      writeTimeoutMs: host.limits.writeTimeoutMs,
      unfinishedTimeoutMs: host.limits.unfinishedTimeoutMs,
      memory: {
        // Logins have room of their own: nobody without an account can take
        // that of others.
        take: (bytes) => this.#login === undefined || this.#memory.take(bytes),
        give: (bytes) => {
          if (this.#login !== undefined) this.#memory.give(bytes);
        },
      },
    });
    this.#replies = new SessionReplies(
      this.#channel,
      this.#state,
      host.counters,
    );
  }

  /** Whether nothing more is sent and only the connection's end is awaited. */
  get closing(): boolean {
    return this.#closing;
  }

  /** Address of the client without its port. */
  get host(): string {
    return this.#channel.host;
  }

  /** Name of the account, once logged in. */
  get user(): string | undefined {
    return this.#login?.user;
  }

  /** What the replica registered with, if it has and is connected. */
  get registered(): RegisterReplica | undefined {
    return this.#closing ? undefined : this.#registered;
  }

  /** Server uuid that the client has said is its own; empty if none. */
  get replicaUuid(): string {
    return (this.#dump?.settings ??
      replicaSettingsOf(this.#state.userVariables)).uuid;
  }

  /** Server id that the running dump was asked with; undefined without one. */
  get dumpServerId(): number | undefined {
    return this.#closing ? undefined : this.#dump?.request.serverId;
  }

  /** Serves the client until the connection is closed. Never throws. */
  async run(): Promise<void> {
    try {
      if (await this.#acceptLogin()) await this.#serve();
    } catch (error) {
      await this.#fail(error);
    }
    this.#closing = true;
    await this.#channel.close();
    this.#memory.release();
    this.#log.debug("connection closed");
  }

  /**
   * Ends the session: a command that is being answered is answered, a dump ends
   * between two events.
   */
  end(reason: DumpEnd): void {
    this.#dump?.end(reason);
    this.#end.abort(
      new ConnectionError("aborted", `Connection ended: ${reason}`),
    );
  }

  /** Ends the dump, and the session with it; without a dump nothing. */
  endDump(reason: DumpEnd): void {
    if (this.#dump !== undefined) this.end(reason);
  }

  /** Closes the connection at once. */
  async cut(): Promise<void> {
    this.end("shutdown");
    await this.#channel.cut();
  }

  /** Whether a command is being answered or the log is being sent. */
  get active(): boolean {
    return this.#isActive;
  }

  /** Whether a dump is sent that the client acknowledges. */
  get acknowledges(): boolean {
    return !this.#closing && this.#dump?.status.acks !== undefined;
  }

  /** Bytes of replies and of the dump so far. */
  get bytesSent(): bigint {
    return this.#replies.bytes + (this.#dump?.status.bytesSent ?? 0n);
  }

  /** Bytes of a dump that is under way. */
  get dumpedBytes(): bigint {
    return this.#isActive ? this.#dump?.status.bytesSent ?? 0n : 0n;
  }

  /** Bytes of commands so far. */
  get bytesReceived(): bigint {
    return this.#bytesReceived;
  }

  /** What it does, for the list of connections. */
  process(): SessionProcess {
    const dump = this.#dump;
    const { head } = this.#host.store;
    return {
      connectionId: this.connectionId,
      user: this.user,
      remote: this.#channel.remote,
      database: this.#state.database,
      activity: this.#login === undefined
        ? "login"
        : dump !== undefined
        ? "dump"
        : this.#isActive
        ? "query"
        : "sleep",
      sinceMs: this.#activeSinceMs,
      info: this.#statement,
      dump: dump && {
        mode: dump.request.mode,
        atEnd: head !== undefined && dump.status.file === head.fileName &&
          dump.status.position >= head.position,
      },
    };
  }

  /** How far its dump has come; undefined while it has none. */
  get dumpProgress(): DumpProgress | undefined {
    const status = this.#closing ? undefined : this.#dump?.status;
    return status && {
      connectionId: this.connectionId,
      bytesSent: Number(status.bytesSent),
      unsentSince: status.unsentSince,
    };
  }

  /** The replica's status; undefined for a client that is none. */
  status(): ReplicaStatus | undefined {
    const login = this.#login;
    const dump = this.#dump;
    // Those of a dump were read when it began.
    const settings = dump?.settings ??
      replicaSettingsOf(this.#state.userVariables);
    const registered = this.#registered;
    const isReplica = dump !== undefined || registered !== undefined ||
      settings.uuid !== "";
    if (login === undefined || this.#closing || !isReplica) return undefined;
    const serverId = dump?.request.serverId ?? registered?.serverId ?? 0;
    return {
      connectionId: this.connectionId.toString(),
      remote: this.#channel.remote,
      user: login.user,
      serverId: serverId.toString(),
      uuid: settings.uuid,
      hostName: registered?.hostName ?? "",
      port: registered?.port ?? 0,
      state: dump === undefined ? "connected" : "dumping",
      mode: dump === undefined
        ? ""
        : dump.request.mode === "position"
        ? "position"
        : "gtid",
      file: dump?.status.file ?? "",
      position: dump?.status.position ?? 0,
      connectedAt: new Date(this.#connectedAtMs),
      heartbeatMs: Number(settings.heartbeatPeriodNs / 1_000_000n),
      bytesSent: dump?.status.bytesSent ?? 0n,
      unsentSince: dump?.status.unsentSince,
      tls: this.#tls,
      compression: this.#compression?.algorithm,
      acks: dump?.status.acks && { ...dump.status.acks },
      program: login.attributes.get("program_name") ?? "",
      clientVersion: login.attributes.get("_client_version") ?? "",
    };
  }

  /** Sees the login through; false if there is nothing more to do. */
  async #acceptLogin(): Promise<boolean> {
    const accepted = await greetClient(
      this.#channel,
      this.connectionId,
      this.#host,
      this.#end.signal,
    );
    if (accepted === undefined) return false;
    this.#tls = accepted.tls;
    this.#begin(accepted.login);
    await this.#compress(accepted.login);
    return true;
  }

  /** Goes on compressed if the client has asked for it. */
  async #compress({ compression }: Login): Promise<void> {
    if (compression === undefined) return;
    this.#compression = {
      ...compression,
      level: Math.min(compression.level, COMPRESSION_LEVEL_MAX),
    };
    await this.#channel.compress(this.#compression, this.#host.compressor);
  }

  #begin(login: Login): void {
    this.#login = login;
    this.#host.loggedIn(this);
    this.#state.begin(login);
    this.#channel.reader.maxPayloadBytes = COMMAND_BYTES_MAX;
    this.#log = this.#log.child({ user: login.user });
    this.#log.debug("client logged in", () => ({
      program: login.attributes.get("program_name"),
      clientVersion: login.attributes.get("_client_version"),
    }));
  }

  /** Answers commands until the client leaves or a dump has ended. */
  async #serve(): Promise<void> {
    while (!this.#end.signal.aborted) {
      const payload = await this.#readCommand();
      if (payload === null) return;
      this.#host.counters.questions += 1;
      this.#received(payload.length + PACKET_HEADER_BYTES);
      await this.#host.turns.command.take();
      this.#setActive(true);
      if (!await this.#handleCommand(payload)) return;
      this.#setActive(false);
    }
  }

  #setActive(isActive: boolean): void {
    this.#isActive = isActive;
    this.#statement = undefined;
    this.#activeSinceMs = this.#host.environment.nowMs();
  }

  #received(bytes: number): void {
    this.#bytesReceived += BigInt(bytes);
    this.#host.counters.bytesReceived += BigInt(bytes);
  }

  async #readCommand(): Promise<Uint8Array | null> {
    using deadline = new Deadline(
      this.#host.limits.idleTimeoutMs,
      "waiting for a command",
      this.#end.signal,
    );
    return await this.#channel.readCommand(deadline.signal);
  }

  /** Handles one command; false if the session ends with it. */
  async #handleCommand(payload: Uint8Array): Promise<boolean> {
    const command = payload[0];
    if (command === undefined) {
      throw new ProtocolError(
        ErrorCode.ER_MALFORMED_PACKET,
        "Malformed communication packet: a command without its first byte",
      );
    }
    if (
      command === Command.BINLOG_DUMP || command === Command.BINLOG_DUMP_GTID
    ) {
      return await this.#handleDump(payload);
    }
    switch (command) {
      case Command.QUIT:
        return false;
      case Command.QUERY:
        await this.#handleQuery(payload);
        return true;
      case Command.INIT_DB:
        this.#state.apply({ database: decodeDatabase(payload) });
        await this.#replies.ok();
        return true;
      case Command.REGISTER_SLAVE:
        await this.#handleRegister(payload);
        return true;
      case Command.PING:
        await this.#replies.ok();
        return true;
      case Command.STATISTICS:
        await this.#replies.send(
          new TextEncoder().encode(this.#host.statistics()),
        );
        return true;
      case Command.SET_OPTION:
        await this.#replies.end(this.#required().capabilities);
        return true;
      case Command.STMT_PREPARE: {
        const text = decodePrepare(payload);
        await this.#sendResult(errorResult(prepareRefusal(text)));
        return true;
      }
      case Command.STMT_CLOSE:
      case Command.STMT_SEND_LONG_DATA:
        // these two have no answer, not even an error
        return true;
      case Command.RESET_CONNECTION:
        this.#reset();
        await this.#replies.ok();
        return true;
      default:
        await this.#replies.errorCode(
          ErrorCode.ER_UNKNOWN_COM,
          "Unknown command",
        );
        return true;
    }
  }

  async #handleQuery(payload: Uint8Array): Promise<void> {
    const text = decodeQuery(payload, this.#required().capabilities);
    this.#statement = openStatementText(text);
    const context = await this.#statementContext();
    const began = performance.now();
    const result = answerStatement(text, context);
    // the leading words alone: what follows them may hold a secret
    this.#log.debug("statement", () => ({
      words: /^\s*\w+(?:\s+\w+)?/.exec(text)?.[0],
      answer: result.kind,
    }));
    // all but an answer that has to be read is encoded before it returns
    const sent = this.#sendResult(result);
    this.#host.turns.command.spent(performance.now() - began);
    await sent;
  }

  async #sendResult(result: StatementResult): Promise<void> {
    if (result.kind !== "rows") this.#state.warnings = [];
    switch (result.kind) {
      case "events":
      case "gtid-positions": {
        const { store } = this.#host;
        const read = await readResult(result, store, this.#end.signal);
        return await this.#sendResult(read);
      }
      case "ok":
        this.#state.apply(result.change);
        return await this.#replies.okWith(result.warnings ?? []);
      case "rows": {
        const { capabilities } = this.#required();
        return await this.#replies.rows(result, capabilities);
      }
      case "error":
        return await this.#replies.error(result);
      case "kill":
        return await this.#kill(result.connectionId, result.queryOnly);
      case "source": {
        const { action } = result;
        const { sourceControl } = this.#host;
        this.#log.info("the source is steered by SQL", { action: action.kind });
        const { version } = await this.#host.facts();
        const answer = await steerSource(action, sourceControl, version);
        return await this.#sendResult(answer);
      }
      case "purge":
        return await this.#purge(result.target);
    }
  }

  async #purge(target: PurgeTarget): Promise<void> {
    const { purger } = this.#host;
    if (purger === undefined) {
      return await this.#replies.errorCode(
        ErrorCode.ER_NOT_SUPPORTED_YET,
        "This version of MySQL doesn't yet support 'PURGE BINARY LOGS'",
      );
    }
    this.#log.info("purge asked for", {
      ..."to" in target
        ? { to: target.to }
        : { before: new Date(target.beforeMs).toISOString() },
    });
    const answer = await purger.purge(target);
    if (answer === undefined) return await this.#replies.error(unknownTarget());
    await this.#replies.okWith(purgeWarnings(answer));
  }

  async #kill(connectionId: bigint, queryOnly: boolean): Promise<void> {
    if (connectionId === BigInt(this.connectionId)) {
      await this.#replies.errorCode(
        ErrorCode.ER_QUERY_INTERRUPTED,
        "Query execution was interrupted",
      );
      if (!queryOnly) this.end("killed");
      return;
    }
    switch (this.#host.kill(connectionId, this, queryOnly)) {
      case "killed":
        return await this.#replies.ok();
      case "unknown":
        return await this.#replies.errorCode(
          ErrorCode.ER_NO_SUCH_THREAD,
          `Unknown thread id: ${connectionId}`,
        );
      case "denied":
        return await this.#replies.errorCode(
          StatementFault.ER_KILL_DENIED.code,
          `You are not owner of thread ${connectionId}`,
        );
    }
  }

  async #handleRegister(payload: Uint8Array): Promise<void> {
    if (!hasRight(REPLICATE, this.#rights)) {
      // what a server without the privilege answers, which a replica retries on
      return await this.#replies.errorCode(
        ErrorCode.ER_ACCESS_DENIED,
        `Access denied for user '${this.user}'@'%' (using password: YES)`,
      );
    }
    this.#registered = decodeRegisterReplica(payload);
    const { serverId } = this.#registered;
    this.#log.debug("replica registered", { serverId });
    await this.#replies.ok();
  }

  /** Dumps; true if there was none, so that the session goes on. */
  async #handleDump(payload: Uint8Array): Promise<boolean> {
    const facts = await this.#host.facts();
    if (
      facts.flavour === "mariadb" && payload[0] === Command.BINLOG_DUMP_GTID
    ) {
      // MariaDB does not have that command.
      await this.#replies.errorCode(
        ErrorCode.ER_UNKNOWN_COM,
        "Unknown command",
      );
      return true;
    }
    if (!hasRight(REPLICATE, this.#rights)) {
      this.#log.warn("dump refused: the account may not replicate", {
        needed: "rights: [replicate]",
      });
      await this.#replies.error(denied(REPLICATE, facts.version));
      return true;
    }
    // What a dump has been asked with it needs until it ends, and a set that is
    // decoded takes some times as much.
    if (!this.#memory.keep(payload.length * DECODED_TIMES)) {
      throw new ProtocolError(
        ErrorCode.ER_OUT_OF_RESOURCES,
        "Too many dumps with large GTID sets run at once; try again",
      );
    }
    if (payload.length > LARGE_DUMP_BYTES) await this.#host.slowLane.enter();
    const asked = replicaSettingsOf(
      this.#state.userVariables,
      this.#state.settings,
    );
    const began = performance.now();
    const decoded = decodeDumpRequest(payload);
    this.#host.turns.command.spent(performance.now() - began);
    const request = facts.flavour === "mariadb"
      ? mariadbDumpRequest(decoded, asked)
      : decoded;
    const settings = {
      ...asked,
      semiSync: asked.semiSync && this.#host.semiSync,
    };
    const log = this.#log.child({
      replicaServerId: request.serverId,
      ...settings.uuid === "" ? {} : { replicaUuid: settings.uuid },
    });
    const dump = new DumpRun({
      channel: this.#channel,
      connectionId: this.connectionId,
      log,
      request,
      settings,
      flavour: facts.flavour,
      registered: this.#registered,
      serverId: Number(facts.serverId),
      writeTimeoutMs: this.#host.limits.writeTimeoutMs,
      drainTimeoutMs: this.#host.limits.drainTimeoutMs,
    });
    this.#dump = dump;
    // A session that was ended while the request was being read.
    if (this.#end.signal.aborted) dump.end("shutdown");
    this.#host.supersede(this);
    this.#host.service.dumpsBegun += 1;
    await dump.run(this.#host.dumpHandler);
    this.#host.service.dumpsEnded[dump.outcome] += 1;
    this.#isActive = false;
    this.#host.counters.bytesSent += dump.status.bytesSent;
    return false;
  }

  async #statementContext(): Promise<StatementContext> {
    const { store, environment } = this.#host;
    const { head } = store;
    return {
      server: await this.#host.facts(),
      session: {
        connectionId: this.connectionId,
        user: this.#required().user,
        host: this.#channel.host,
        database: this.#state.database,
        characterSet: this.#state.characterSet,
        userVariables: this.#state.userVariables,
        settings: this.#state.settings,
        rights: this.#rights,
        link: {
          bytesReceived: this.bytesReceived,
          bytesSent: this.bytesSent,
          tlsVersion: this.#tls?.version ?? "",
          tlsCipher: this.#tls?.cipher ?? "",
        },
        warnings: this.#state.warnings,
        compression: this.#compression,
      },
      nowMs: environment.nowMs(),
      newUuid: () => environment.randomUuid(),
      log: head && logFactsOf(head),
      files: () => store.files,
      replicas: () => this.#host.replicas(),
      processes: () => this.#host.processes(),
      source: () => this.#host.sourceControl?.status(),
      tally: () => this.#host.tally(),
      count: (names) => this.#host.counters.statement(names),
    };
  }

  /** COM_RESET_CONNECTION: as after the login, except for the default schema. */
  #reset(): void {
    this.#state.reset(this.#required().charset);
    this.#registered = undefined;
  }

  get #rights(): ReadonlySet<Right> {
    return this.#host.rightsOf(this.#required().user);
  }

  #required(): Login {
    if (this.#login === undefined) throw new TypeError("Not logged in yet");
    return this.#login;
  }

  /** Tells the client why its session ends, where it can still be told. */
  async #fail(error: unknown): Promise<void> {
    if (this.#end.signal.aborted) return;
    const fault = noteFault(error, {
      host: this.#host,
      remoteHost: this.#channel.host,
      isLoggedIn: this.#login !== undefined,
      log: this.#log,
    });
    if (fault === undefined) return;
    try {
      await this.#replies.error(fault);
    } catch (failed) {
      // The client is gone: nobody is left to be told.
      if (!(failed instanceof ConnectionError)) throw failed;
    }
  }
}

function decodeDatabase(payload: Uint8Array): string {
  return new TextDecoder().decode(payload.subarray(1, 1 + DATABASE_BYTES_MAX));
}
