import type { Log } from "../log/log.ts";
import {
  Command,
  decodeRegisterReplica,
  type RegisterReplica,
} from "../protocol/command.ts";
import { ErrorCode } from "../protocol/error_code.ts";
import { ProtocolError } from "../protocol/protocol_error.ts";
import type { CommandMemoryShare } from "./command_memory.ts";
import type { DumpRequest } from "./dump_handler.ts";
import { decodeDumpRequest, mariadbDumpRequest } from "./dump_request.ts";
import { DumpRun } from "./dump_run.ts";
import { type ReplicaSettings, replicaSettingsOf } from "./replica_settings.ts";
import type { ServerFacts } from "./server_facts.ts";
import type { SessionChannel } from "./session_channel.ts";
import type { SessionClient } from "./session_client.ts";
import type { KillOutcome, SessionHost } from "./session_host.ts";
import type { SessionReplies } from "./session_replies.ts";
import type { SessionState } from "./session_state.ts";
import { SessionStatements } from "./session_statements.ts";
import { denied, hasRight, REPLICATE } from "./statement_right.ts";

/** A dump's request of more than this waits for others of its like. */
const LARGE_DUMP_BYTES = 64 * 1024;
/** What is charged for a GTID set, times its encoded size. */
const DECODED_TIMES = 4;
/** Longest default schema kept of a COM_INIT_DB. */
const DATABASE_BYTES_MAX = 256;

/** What the commands of a session work with. */
export interface SessionCommandsParts {
  readonly client: SessionClient;
  readonly host: SessionHost;
  readonly channel: SessionChannel;
  readonly replies: SessionReplies;
  readonly state: SessionState;
  /** For what a dump has been asked with. */
  readonly memory: CommandMemoryShare;
  readonly log: Log;
  /** Fires when the session is to end. */
  readonly signal: AbortSignal;
  /** Bytes that came from the client so far. */
  received(): bigint;
  /** Ends another session, or its dump alone. */
  kill(connectionId: bigint, queryOnly: boolean): KillOutcome;
  /** Ends this session. */
  endSelf(): void;
  /** A dump begins: the older ones of the same replica are to end. */
  supersede(): void;
}

/**
 * What a client may say once it is logged in:
 *
 * ```text
 * command = payload, reply          an error reply keeps the session
 *         | malformed payload       throws
 *         | COM_QUIT                over
 *         | dump                    over, or an error reply
 * ```
 */
export class SessionCommands {
  readonly client: SessionClient;
  readonly #parts: SessionCommandsParts;
  readonly #statements: SessionStatements;
  #registered: RegisterReplica | undefined;
  #dump: DumpRun | undefined;
  #isDumping = false;

  /** Answers nothing yet. */
  constructor(parts: SessionCommandsParts) {
    this.client = parts.client;
    this.#parts = parts;
    this.#statements = new SessionStatements({
      ...parts,
      traffic: () => ({ received: parts.received(), sent: this.bytesSent }),
    });
  }

  /** What the replica registered with, if it has. */
  get registered(): RegisterReplica | undefined {
    return this.#registered;
  }

  /** The dump that was begun, which may be over. */
  get dump(): DumpRun | undefined {
    return this.#dump;
  }

  /** What the replica has set up; that of a dump was read when it began. */
  get settings(): ReplicaSettings {
    return this.#dump?.settings ??
      replicaSettingsOf(this.#parts.state.userVariables);
  }

  /** The statement that is being answered, as others may see it. */
  get statement(): string | undefined {
    return this.#statements.underWay;
  }

  /** Bytes of replies and of the dump so far. */
  get bytesSent(): bigint {
    return this.#parts.replies.bytes + (this.#dump?.status.bytesSent ?? 0n);
  }

  /** Bytes of a dump that is under way, which the server has not counted yet. */
  get dumpedBytes(): bigint {
    return this.#isDumping ? this.#dump?.status.bytesSent ?? 0n : 0n;
  }

  /**
   * Answers one command; false if the session is over with it.
   *
   * @throws {ProtocolError} if it is malformed, or takes too much memory
   * @throws {ConnectionError} if the client does not take the answer
   */
  async answer(payload: Uint8Array): Promise<boolean> {
    const { client: { login }, host, replies, state } = this.#parts;
    const command = payload[0];
    switch (command) {
      case undefined:
        throw new ProtocolError(
          ErrorCode.ER_MALFORMED_PACKET,
          "Malformed communication packet: a command without its first byte",
        );
      case Command.QUIT:
        return false;
      case Command.BINLOG_DUMP:
      case Command.BINLOG_DUMP_GTID:
        return !(await this.#sendLog(payload));
      case Command.QUERY:
        await this.#statements.query(payload);
        return true;
      case Command.INIT_DB:
        state.apply({ database: decodeDatabase(payload) });
        await replies.ok();
        return true;
      case Command.REGISTER_SLAVE:
        await this.#register(payload);
        return true;
      case Command.PING:
        await replies.ok();
        return true;
      case Command.STATISTICS:
        await replies.send(new TextEncoder().encode(host.statistics()));
        return true;
      case Command.SET_OPTION:
        await replies.end(login.capabilities);
        return true;
      case Command.STMT_PREPARE:
        await this.#statements.prepare(payload);
        return true;
      case Command.STMT_CLOSE:
      case Command.STMT_SEND_LONG_DATA:
        // these two have no answer, not even an error
        return true;
      case Command.RESET_CONNECTION:
        // as after the login, except for the default schema
        state.reset(login.charset);
        this.#registered = undefined;
        await replies.ok();
        return true;
      default:
        await this.#unknownCommand();
        return true;
    }
  }

  async #unknownCommand(): Promise<void> {
    await this.#parts.replies.errorCode(
      ErrorCode.ER_UNKNOWN_COM,
      "Unknown command",
    );
  }

  async #register(payload: Uint8Array): Promise<void> {
    const { client, log, replies } = this.#parts;
    if (!hasRight(REPLICATE, this.#statements.rights)) {
      // what a server without the privilege answers, which a replica retries on
      return await replies.errorCode(
        ErrorCode.ER_ACCESS_DENIED,
        `Access denied for user '${client.login.user}'@'%' (using password: YES)`,
      );
    }
    this.#registered = decodeRegisterReplica(payload);
    const { serverId } = this.#registered;
    log.debug("replica registered", { serverId });
    await replies.ok();
  }

  /** Sends the log for as long as it is wanted; false if it was refused. */
  async #sendLog(payload: Uint8Array): Promise<boolean> {
    const { host, signal } = this.#parts;
    const facts = await host.facts();
    if (!await this.#maySendLog(payload, facts)) return false;
    // What a dump has been asked with it needs until it ends, and a set that is
    // decoded takes some times as much.
    if (!this.#parts.memory.keep(payload.length * DECODED_TIMES)) {
      throw new ProtocolError(
        ErrorCode.ER_OUT_OF_RESOURCES,
        "Too many dumps with large GTID sets run at once; try again",
      );
    }
    if (payload.length > LARGE_DUMP_BYTES) await host.slowLane.enter();
    const dump = this.#newDump(payload, facts);
    this.#dump = dump;
    this.#isDumping = true;
    // A session that was ended while the request was being read.
    if (signal.aborted) dump.end("shutdown");
    this.#parts.supersede();
    host.service.dumpsBegun += 1;
    await dump.run(host.dumpHandler);
    host.service.dumpsEnded[dump.outcome] += 1;
    this.#isDumping = false;
    host.counters.bytesSent += dump.status.bytesSent;
    return true;
  }

  /** Whether a dump may begin; if not, the client has been told. */
  async #maySendLog(
    payload: Uint8Array,
    { flavour, version }: ServerFacts,
  ): Promise<boolean> {
    const { log, replies } = this.#parts;
    if (flavour === "mariadb" && payload[0] === Command.BINLOG_DUMP_GTID) {
      // MariaDB does not have that command.
      await this.#unknownCommand();
      return false;
    }
    if (hasRight(REPLICATE, this.#statements.rights)) return true;
    log.warn("dump refused: the account may not replicate", {
      needed: "rights: [replicate]",
    });
    await replies.error(denied(REPLICATE, version));
    return false;
  }

  #newDump(
    payload: Uint8Array,
    { flavour, serverId }: ServerFacts,
  ): DumpRun {
    const { client, host, channel, state, log } = this.#parts;
    const asked = replicaSettingsOf(state.userVariables, state.settings);
    const request = this.#requestOf(payload, flavour, asked);
    return new DumpRun({
      channel,
      connectionId: client.connectionId,
      log: log.child({
        replicaServerId: request.serverId,
        ...asked.uuid === "" ? {} : { replicaUuid: asked.uuid },
      }),
      request,
      settings: { ...asked, semiSync: asked.semiSync && host.semiSync },
      flavour,
      registered: this.#registered,
      serverId: Number(serverId),
      writeTimeoutMs: host.limits.writeTimeoutMs,
      drainTimeoutMs: host.limits.drainTimeoutMs,
    });
  }

  #requestOf(
    payload: Uint8Array,
    flavour: ServerFacts["flavour"],
    asked: ReplicaSettings,
  ): DumpRequest {
    const began = performance.now();
    const request = decodeDumpRequest(payload);
    this.#parts.host.turns.command.spent(performance.now() - began);
    return flavour === "mariadb" ? mariadbDumpRequest(request, asked) : request;
  }
}

function decodeDatabase(payload: Uint8Array): string {
  return new TextDecoder().decode(payload.subarray(1, 1 + DATABASE_BYTES_MAX));
}
