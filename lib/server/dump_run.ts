import { ConnectionError } from "../connection/connection_error.ts";
import type { Log } from "../log/log.ts";
import { describeError } from "../log/describe_error.ts";
import { ErrorCode } from "../protocol/error_code.ts";
import { ProtocolError } from "../protocol/protocol_error.ts";
import type { RegisterReplica } from "../protocol/command.ts";
import { encodeEof, encodeErr } from "../protocol/response.ts";
import { decodeSemiSyncAck } from "../protocol/semi_sync.ts";
import type {
  DumpHandler,
  DumpRequest,
  DumpSession,
  DumpStatus,
} from "./dump_handler.ts";
import type { Flavour } from "../store/source_identity.ts";
import type { DumpOutcome } from "./dump_outcome.ts";
import { nameInError } from "./dump_start.ts";
import type { ReplicaSettings } from "./replica_settings.ts";
import type { SessionChannel } from "./session_channel.ts";
import { UnfinishedEventError } from "./unfinished_event_error.ts";

/**
 * Why a dump ends before its time:
 * - `killed`: by KILL;
 * - `shutdown`: the server stops;
 * - `superseded`: the same replica has asked for another dump;
 * - `client-gone`: the client closed the connection;
 * - `damaged`: the rest of an event can't be read.
 */
export type DumpEnd =
  | "killed"
  | "shutdown"
  | "superseded"
  | "client-gone"
  | "damaged";

/** An acknowledgement with a file name of `FN_REFLEN`; all else is shorter. */
const REPLY_BYTES_MAX = 1024;

/**
 * How compressed packets are counted behind an event that a semi-synchronous
 * replica acknowledges: only MariaDB's `readSlaveReply` steps over what would
 * be the reply's (as captured of MySQL 9.7 and MariaDB 10.11).
 */
const MYSQL_RESTART_ID = 0;
const MARIADB_RESTART_ID = 1;

/** What a dump runs with. */
export interface DumpRunOptions {
  readonly channel: SessionChannel;
  readonly connectionId: number;
  readonly log: Log;
  readonly request: DumpRequest;
  readonly settings: ReplicaSettings;
  /** Whose log is sent. */
  readonly flavour: Flavour;
  readonly registered: RegisterReplica | undefined;
  readonly serverId: number;
  /** How long the client may take for what is sent in one go. */
  readonly writeTimeoutMs: number;
  /** How long the handler may take to end once it was told to. */
  readonly drainTimeoutMs: number;
}

/**
 * One dump of a session: lets the handler send events, takes what the client
 * sends meanwhile, notices when it is gone, and says the last word.
 */
export class DumpRun {
  readonly request: DumpRequest;
  readonly settings: ReplicaSettings;
  readonly status: DumpStatus = { file: "", position: 0, bytesSent: 0n };
  readonly #options: DumpRunOptions;
  readonly #controller = new AbortController();
  #end: DumpEnd | undefined;
  /** What was wrong with what the client sent. */
  #fault: ProtocolError | undefined;
  #outcome: DumpOutcome = "complete";

  constructor(options: DumpRunOptions) {
    this.#options = options;
    this.request = options.request;
    this.settings = options.settings;
  }

  /** How it ended, once it has. */
  get outcome(): DumpOutcome {
    return this.#outcome;
  }

  /** Ends the dump; the first reason counts. */
  end(reason: DumpEnd): void {
    if (this.#end !== undefined) return;
    this.#end = reason;
    this.#controller.abort(
      new ConnectionError("aborted", `Dump ended: ${reason}`),
    );
  }

  /**
   * Runs the dump to its end and sends its last packet. Never throws; the
   * connection is to be closed afterwards.
   */
  async run(handler: DumpHandler): Promise<void> {
    const { channel, log, request, drainTimeoutMs } = this.#options;
    const session = this.#session();
    const reading = new AbortController();
    const read = this.#options.settings.semiSync
      ? this.#readReplies(session, reading.signal)
      : this.#discardInput(reading.signal);
    let cutTimer: ReturnType<typeof setTimeout> | undefined;
    const onEnd = () => {
      cutTimer = setTimeout(() => channel.cut(), drainTimeoutMs);
    };
    this.#controller.signal.addEventListener("abort", onEnd, { once: true });
    log.info("dump began", {
      mode: request.mode,
      file: request.fileName,
      position: request.position,
    });
    try {
      const last = await this.#lastPacket(handler, session);
      channel.nextSequenceId = session.nextSequenceId;
      if (last !== undefined) await channel.send(last);
    } catch (error) {
      if (!(error instanceof ConnectionError)) throw error;
    } finally {
      this.#controller.signal.removeEventListener("abort", onEnd);
      clearTimeout(cutTimer);
      reading.abort();
      await read;
    }
    log.info("dump ended", {
      reason: this.#fault?.message ?? this.#end ?? "complete",
      file: this.status.file,
      position: this.status.position,
      bytesSent: this.status.bytesSent,
    });
  }

  #session(): DumpSession {
    const {
      channel,
      connectionId,
      log,
      settings,
      registered,
      serverId,
      writeTimeoutMs,
    } = this.#options;
    const restartId = settings.mariadbCapability === 0
      ? MYSQL_RESTART_ID
      : MARIADB_RESTART_ID;
    return {
      connectionId,
      log,
      writer: channel.writer,
      restart: channel.compressed
        ? () => channel.restartCompressed(restartId)
        : undefined,
      settings,
      registered,
      serverId,
      writeTimeoutMs,
      status: this.status,
      signal: this.#controller.signal,
      nextSequenceId: channel.nextSequenceId,
      takeAck: () => {},
    };
  }

  /** Runs the handler; answers what is to be sent after its events, if anything. */
  async #lastPacket(
    handler: DumpHandler,
    session: DumpSession,
  ): Promise<Uint8Array | undefined> {
    try {
      await handler.run(session, this.request);
      return this.#endedPacket() ??
        (this.#end === undefined ? encodeEof() : undefined);
    } catch (error) {
      if (this.#end !== undefined) return this.#endedPacket();
      if (error instanceof ConnectionError) {
        this.#outcome = error.kind === "timeout" ? "too-slow" : "client-gone";
        this.end("client-gone");
        return undefined;
      }
      if (error instanceof UnfinishedEventError) {
        this.#outcome = "damaged";
        this.end("damaged");
        return undefined;
      }
      this.#outcome = error instanceof ProtocolError ? "refused" : "failed";
      return this.#errorPacket(error);
    }
  }

  /** The last packet, if any, of a dump that something else has ended. */
  #endedPacket(): Uint8Array | undefined {
    if (this.#end === undefined) return undefined;
    this.#outcome = this.#fault === undefined
      ? this.#end
      : "bad-acknowledgement";
    return this.#fault === undefined
      ? this.#farewell()
      : this.#errorPacket(this.#fault);
  }

  #errorPacket(error: unknown): Uint8Array {
    const { log } = this.#options;
    if (error instanceof ProtocolError) {
      log.warn("dump refused", { code: error.code, reason: error.message });
      return encodeErr(error);
    }
    log.error("dump failed", { error: describeError(error) });
    return encodeErr(
      new ProtocolError(
        ErrorCode.ER_UNKNOWN_ERROR,
        "Internal error; see the log of the server",
      ),
    );
  }

  /**
   * The last packet of a dump that was ended from outside (wire captures of
   * MySQL 9.7 and 5.6): none, except for a replica that has connected twice.
   * One that knows the newer names stops for good at the error; an older one
   * gets an EOF packet and reconnects. MariaDB has an error of its own, for
   * which a replica reconnects, too.
   */
  #farewell(): Uint8Array | undefined {
    if (this.#end !== "superseded") return undefined;
    const { file, position } = this.status;
    const { fileName, position: start } = this.request;
    if (this.#options.flavour === "mariadb") {
      return encodeErr(
        new ProtocolError(
          ErrorCode.MARIADB_DUPLICATE_REPLICA,
          "A slave with the same server_uuid/server_id is already connected; " +
            `the first event '${nameInError(this.request)}' at ${start}, ` +
            `the last event read from '${file}' at ${position}, ` +
            `the last byte read from '${file}' at ${position}.`,
        ),
      );
    }
    if (!this.#options.settings.modern) return encodeEof();
    return encodeErr(
      new ProtocolError(
        ErrorCode.ER_SOURCE_FATAL_ERROR_READING_BINLOG,
        "A replica with the same server_uuid/server_id as this replica has " +
          `connected to the source; the first event '${fileName}' at ${start}, ` +
          `the last event read from './${file}' at ${position}, ` +
          `the last byte read from './${file}' at ${position}.`,
      ),
    );
  }

  /**
   * Takes whatever the client sends during the dump off the socket: some send
   * pings to keep the connection alive and expect no answer.
   */
  async #discardInput(signal: AbortSignal): Promise<void> {
    const { reader } = this.#options.channel;
    try {
      while (await reader.readChunk({ signal }) !== null);
      this.end("client-gone");
    } catch {
      if (!signal.aborted) this.end("client-gone");
    }
  }

  /** Takes the replies of a semi-synchronous replica until the dump ends. */
  async #readReplies(session: DumpSession, signal: AbortSignal): Promise<void> {
    const { reader } = this.#options.channel;
    reader.maxPayloadBytes = REPLY_BYTES_MAX;
    try {
      for (;;) {
        const payload = await this.#nextReply(signal);
        if (payload === undefined) return await this.#discardInput(signal);
        if (payload === null) break;
        if (this.#end !== undefined) continue;
        // all else is stray, such as pings that keep the connection alive
        const ack = decodeSemiSyncAck(payload);
        if (ack !== undefined) session.takeAck(ack);
      }
      this.end("client-gone");
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof ProtocolError)) return this.end("client-gone");
      this.#fail(error);
      // It may still take what is on its way to it, and the reason behind that.
      await this.#discardInput(signal);
    }
  }

  /**
   * The client's next packet; `null` when it is gone, undefined when what it
   * sends are no packets. Then no acknowledgement can be told from the rest any
   * more, and the dump goes on without, as at a replica that never sends one.
   */
  async #nextReply(
    signal: AbortSignal,
  ): Promise<Uint8Array | null | undefined> {
    const { channel: { reader }, log } = this.#options;
    // Each reply is a sequence of its own.
    reader.expectSequence(0);
    try {
      return (await reader.read({ signal }))?.payload ?? null;
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      log.warn("no more acknowledgements can be read in this dump", {
        reason: error.message,
      });
      return undefined;
    }
  }

  /** Ends the dump because of what the client sent. */
  #fail(fault: ProtocolError): void {
    if (this.#end !== undefined) return;
    this.#fault = fault;
    this.end("client-gone");
  }
}
