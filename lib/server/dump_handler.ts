import type { PacketWriter } from "../connection/packet_writer.ts";
import type { GtidSet } from "../gtid/gtid_set.ts";
import type { Log } from "../log/log.ts";
import type { RegisterReplica } from "../protocol/command.ts";
import type { SemiSyncAck } from "../protocol/semi_sync.ts";
import type { ReplicaSettings } from "./replica_settings.ts";

/** A decoded COM_BINLOG_DUMP. */
export interface PositionDumpRequest {
  readonly mode: "position";
  /** Bits of `DumpFlag`. */
  readonly flags: number;
  /** Server id of the replica; 0 asks for a non-blocking dump. */
  readonly serverId: number;
  /** Empty: the first file. */
  readonly fileName: string;
  readonly position: number;
}

/** A decoded COM_BINLOG_DUMP_GTID. */
export interface GtidDumpRequest {
  readonly mode: "gtid";
  /** Bits of `DumpFlag`. */
  readonly flags: number;
  /** Server id of the replica; 0 asks for a non-blocking dump. */
  readonly serverId: number;
  /** Empty: the file that the GTID set says. */
  readonly fileName: string;
  readonly position: bigint;
  /** What the replica has. */
  readonly executed: GtidSet;
}

/** A COM_BINLOG_DUMP behind `SET @slave_connect_state`, to a MariaDB log. */
export interface MariadbGtidDumpRequest {
  readonly mode: "mariadb-gtid";
  /** Bits of `DumpFlag`. */
  readonly flags: number;
  /** Server id of the replica; 0 asks for a non-blocking dump. */
  readonly serverId: number;
  /** Named in errors alone: the state says where the dump begins. */
  readonly fileName: string;
  readonly position: number;
  /** `@slave_connect_state`: what the replica has last in each domain. */
  readonly connectState: string;
  /** `@slave_gtid_strict_mode`. */
  readonly strict: boolean;
  /** `@slave_gtid_ignore_duplicates`. */
  readonly ignoreDuplicates: boolean;
  /** `@slave_until_gtid`: where it wants to end; undefined for no end. */
  readonly untilGtid: string | undefined;
}

/** What a replica asks to be sent. */
export type DumpRequest =
  | PositionDumpRequest
  | GtidDumpRequest
  | MariadbGtidDumpRequest;

/** How far a dump has come; the handler keeps it up to date. */
export interface DumpStatus {
  /** File of the newest event sent; empty before the first. */
  file: string;
  /** Position in it after that event. */
  position: number;
  /** Bytes sent since the dump began, packet headers included. */
  bytesSent: bigint;
  /**
   * When the first event was made that is to be sent and was not yet, in Unix
   * seconds by the source's clock; 0 when all was sent, absent until it is
   * known. Exact to one block of the log.
   */
  unsentSince?: number | undefined;
  /** What the replica has acknowledged; undefined if it was not asked to. */
  acks?: AckStatus;
}

/** What a semi-synchronous replica has acknowledged. */
export interface AckStatus {
  /** How often it was asked to, and how often it did. */
  asked: number;
  received: number;
  /** Up to where it has the log: file, and position in it. */
  file: string;
  position: number;
}

/** The connection as a dump sees it. */
export interface DumpSession {
  readonly connectionId: number;
  /** Carries the connection and the replica as fields. */
  readonly log: Log;
  /** The only way to the replica while the dump runs. */
  readonly writer: PacketWriter;
  /** See `DumpLine.restart`. */
  readonly restart?: (() => void) | undefined;
  /** What the replica has set up. */
  readonly settings: ReplicaSettings;
  /** What it registered with; undefined if it did not. */
  readonly registered: RegisterReplica | undefined;
  /** Server id this server gives; for the events it makes, 1..2^32-1. */
  readonly serverId: number;
  /** How long the replica may take for what is sent in one go, in ms. */
  readonly writeTimeoutMs: number;
  readonly status: DumpStatus;
  /**
   * Fires when the dump is to end: the connection was killed, the server stops,
   * the client is gone, or the replica has connected once more. The handler then
   * returns or throws as soon as it stands between two events; the connection
   * is cut if it does not within a few seconds.
   */
  readonly signal: AbortSignal;
  /**
   * Sequence id of the next packet, 0..255. The handler sets it after each
   * write, so that the session can send the last packet.
   */
  nextSequenceId: number;
  /**
   * Takes the acknowledgements of a semi-synchronous dump. The handler sets it
   * before its first packet; a `ProtocolError` it throws ends the dump.
   */
  takeAck: (ack: SemiSyncAck) => void;
}

/** Sends the log to one replica. */
export interface DumpHandler {
  /**
   * Runs one dump. It writes packets of events and nothing else: when it
   * returns, the session sends the EOF packet that ends a non-blocking dump;
   * when it throws a `ProtocolError`, the session sends that as an ERR packet.
   * After either, and after the signal fired, the session closes the
   * connection, as MySQL does.
   *
   * What the client sends meanwhile is read by the session and discarded, save
   * for the acknowledgements of a semi-synchronous dump, whose packets
   * `settings.semiSync` asks for.
   *
   * @throws {ProtocolError} what the replica has to be told, 1236 above all
   * @throws {ConnectionError} if it cannot be written to any more
   * @throws {UnfinishedEventError} if the rest of an event can't be read: the
   * session then closes the connection without a last word
   */
  run(session: DumpSession, request: DumpRequest): Promise<void>;
}
