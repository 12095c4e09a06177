import { ConnectionError } from "../connection/connection_error.ts";
import { Deadline } from "../connection/deadline.ts";
import type { Log } from "../log/log.ts";
import type { RegisterReplica } from "../protocol/command.ts";
import type { Compression } from "../protocol/compression.ts";
import { PACKET_HEADER_BYTES } from "../protocol/packet.ts";
import type { CommandMemoryShare } from "./command_memory.ts";
import type { DumpProgress } from "./dump_progress.ts";
import type { DumpEnd } from "./dump_run.ts";
import { greetClient } from "./greet_client.ts";
import type { AcceptedLogin } from "./login.ts";
import { noteFault } from "./note_fault.ts";
import type { ReplicaStatus } from "./replica_status.ts";
import type {
  SessionActivityKind,
  SessionProcess,
} from "./session_activity.ts";
import { SessionChannel, type SessionTransport } from "./session_channel.ts";
import { SessionCommands } from "./session_commands.ts";
import type { SessionHost } from "./session_host.ts";
import { SessionReplies } from "./session_replies.ts";
import { SessionState } from "./session_state.ts";

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

/**
 * One client's connection, from its greeting to its end.
 *
 * ```text
 * session  = greeting login command* [dump]
 * login    = accepted | refused, closed
 * command  = payload, reply                 see `SessionCommands`
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
  readonly #state = new SessionState();
  readonly #replies: SessionReplies;
  /** What the client may say; undefined until it has logged in. */
  #commands: SessionCommands | undefined;
  /** True once nothing more is sent: the client is no replica any more. */
  #closing = false;
  /** Since when it has been doing what it does. */
  #activeSinceMs: number;
  #isActive = false;
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
        take: (bytes) =>
          this.#commands === undefined || this.#memory.take(bytes),
        give: (bytes) => {
          if (this.#commands !== undefined) this.#memory.give(bytes);
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
    return this.#commands?.client.login.user;
  }

  /** What the replica registered with, if it has and is connected. */
  get registered(): RegisterReplica | undefined {
    return this.#closing ? undefined : this.#commands?.registered;
  }

  /** Server uuid that the client has said is its own; empty if none. */
  get replicaUuid(): string {
    return this.#commands?.settings.uuid ?? "";
  }

  /** Server id that the running dump was asked with; undefined without one. */
  get dumpServerId(): number | undefined {
    return this.#closing ? undefined : this.#commands?.dump?.request.serverId;
  }

  /** Serves the client until the connection is closed. Never throws. */
  async run(): Promise<void> {
    try {
      const commands = await this.#acceptLogin();
      if (commands !== undefined) await this.#serve(commands);
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
    this.#commands?.dump?.end(reason);
    this.#end.abort(
      new ConnectionError("aborted", `Connection ended: ${reason}`),
    );
  }

  /** Ends the dump, and the session with it; without a dump nothing. */
  endDump(reason: DumpEnd): void {
    if (this.#commands?.dump !== undefined) this.end(reason);
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
    return !this.#closing && this.#commands?.dump?.status.acks !== undefined;
  }

  /** Bytes of a dump that is under way. */
  get dumpedBytes(): bigint {
    return this.#commands?.dumpedBytes ?? 0n;
  }

  /** What it does, for the list of connections. */
  process(): SessionProcess {
    const dump = this.#commands?.dump;
    const { head } = this.#host.store;
    return {
      connectionId: this.connectionId,
      user: this.user,
      remote: this.#channel.remote,
      database: this.#state.database,
      activity: this.#activity(),
      sinceMs: this.#activeSinceMs,
      info: this.#commands?.statement,
      dump: dump && {
        mode: dump.request.mode,
        atEnd: head !== undefined && dump.status.file === head.fileName &&
          dump.status.position >= head.position,
      },
    };
  }

  /** How far its dump has come; undefined while it has none. */
  get dumpProgress(): DumpProgress | undefined {
    const status = this.#closing ? undefined : this.#commands?.dump?.status;
    return status && {
      connectionId: this.connectionId,
      bytesSent: Number(status.bytesSent),
      unsentSince: status.unsentSince,
    };
  }

  /** The replica's status; undefined for a client that is none. */
  status(): ReplicaStatus | undefined {
    if (this.#commands === undefined || this.#closing) return undefined;
    const { client, dump, registered, settings } = this.#commands;
    const { login, tls, compression } = client;
    const isReplica = dump !== undefined || registered !== undefined ||
      settings.uuid !== "";
    if (!isReplica) return undefined;
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
      tls,
      compression: compression?.algorithm,
      acks: dump?.status.acks && { ...dump.status.acks },
      program: login.attributes.get("program_name") ?? "",
      clientVersion: login.attributes.get("_client_version") ?? "",
    };
  }

  #activity(): SessionActivityKind {
    if (this.#commands === undefined) return "login";
    if (this.#commands.dump !== undefined) return "dump";
    return this.#isActive ? "query" : "sleep";
  }

  /** Sees the login through; undefined if there is nothing more to do. */
  async #acceptLogin(): Promise<SessionCommands | undefined> {
    const accepted = await greetClient(
      this.#channel,
      this.connectionId,
      this.#host,
      this.#end.signal,
    );
    if (accepted === undefined) return undefined;
    const compression = compressionOf(accepted);
    const commands = this.#begin(accepted, compression);
    if (compression !== undefined) {
      await this.#channel.compress(compression, this.#host.compressor);
    }
    return commands;
  }

  /** Takes the client for logged in; answers what it may say from now on. */
  #begin(
    { login, tls }: AcceptedLogin,
    compression: Compression | undefined,
  ): SessionCommands {
    const { connectionId } = this;
    const { host } = this.#channel;
    this.#log = this.#log.child({ user: login.user });
    const commands = new SessionCommands({
      client: { connectionId, host, login, tls, compression },
      host: this.#host,
      channel: this.#channel,
      replies: this.#replies,
      state: this.#state,
      memory: this.#memory,
      log: this.#log,
      signal: this.#end.signal,
      received: () => this.#bytesReceived,
      kill: (target, queryOnly) => this.#host.kill(target, this, queryOnly),
      endSelf: () => this.end("killed"),
      supersede: () => this.#host.supersede(this),
    });
    this.#commands = commands;
    this.#host.loggedIn(this);
    this.#state.begin(login);
    this.#channel.reader.maxPayloadBytes = COMMAND_BYTES_MAX;
    this.#log.debug("client logged in", () => ({
      program: login.attributes.get("program_name"),
      clientVersion: login.attributes.get("_client_version"),
    }));
    return commands;
  }

  /** Answers commands until the client leaves or a dump has ended. */
  async #serve(commands: SessionCommands): Promise<void> {
    while (!this.#end.signal.aborted) {
      const payload = await this.#readCommand();
      if (payload === null) return;
      this.#host.counters.questions += 1;
      this.#received(payload.length + PACKET_HEADER_BYTES);
      await this.#host.turns.command.take();
      this.#setActive(true);
      const goesOn = await commands.answer(payload);
      this.#setActive(false);
      if (!goesOn) return;
    }
  }

  #setActive(isActive: boolean): void {
    this.#isActive = isActive;
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

  /** Tells the client why its session ends, where it can still be told. */
  async #fail(error: unknown): Promise<void> {
    if (this.#end.signal.aborted) return;
    const fault = noteFault(error, {
      host: this.#host,
      remoteHost: this.#channel.host,
      isLoggedIn: this.#commands !== undefined,
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

/** What the client has asked its connection to be compressed with, if it has. */
function compressionOf(
  { login: { compression } }: AcceptedLogin,
): Compression | undefined {
  return compression && {
    ...compression,
    level: Math.min(compression.level, COMPRESSION_LEVEL_MAX),
  };
}
