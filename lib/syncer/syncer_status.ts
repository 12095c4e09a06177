import type { TlsFacts } from "../connection/tls_layer.ts";
import type { CompressionAlgorithm } from "../protocol/compression.ts";
import type { CandidateStatus } from "./candidates.ts";
import type { SyncerCause } from "./syncer_cause.ts";

/** How the acknowledging to the source goes. */
export interface SyncerSemiSync {
  /**
   * Whether the source sends a semi-synchronous dump. It does not while there
   * is no connection, and never if it lacks the plugin.
   */
  readonly active: boolean;
  /** Acknowledgements sent in this process. */
  readonly acks: number;
  /** File and position of the newest one; empty and 0 before. */
  readonly file: string;
  readonly position: number;
  /** Events that the source waits for. */
  readonly waiting: number;
}

/** What the syncer is doing. */
export type SyncerState =
  | "stopped"
  | "connecting"
  | "following"
  | "waiting"
  | "failed";

/** How the syncer is doing. */
export interface SyncerStatus {
  readonly state: SyncerState;
  /** The kind of the last fault, while it is not over. */
  readonly cause?: SyncerCause;
  /** The last fault, while it is not over; never holds a secret. */
  readonly reason?: string;
  /** When that was, or was again. */
  readonly faultAt?: Date;
  /** Attempts in a row that failed; 0 once a connection has lasted. */
  readonly attempts: number;
  /** When it tries again, while it waits for that. */
  readonly nextAttemptAt?: Date;
  /** When the source last began to send its log. */
  readonly connectedAt?: Date;
  /** Whom it follows; known parts only. */
  readonly source?: {
    readonly address: string;
    readonly user: string;
    readonly serverId: string;
    readonly uuid: string;
    readonly version: string;
    /** How its connection is secured; undefined for not at all. */
    readonly tls?: TlsFacts | undefined;
    /** What its connection is compressed with; undefined for nothing. */
    readonly compression?: CompressionAlgorithm | undefined;
  };
  /** The servers it may follow, in the order in which they are tried. */
  readonly candidates?: readonly CandidateStatus[];
  /** Since when it is in this state. */
  readonly since: Date;
  /** GTID of the newest durable transaction. */
  readonly currentGtid: string;
  /** File and position of the head. */
  readonly file: string;
  readonly position: number;
  /** The source's file and how far it was received; 0 while that is not known. */
  readonly sourceFile: string;
  readonly sourcePosition: number;
  /**
   * How old the newest event of the log is by the time the source was heard of
   * last, in seconds; 0 once the source has nothing more to send, undefined
   * while there is none or it is not followed.
   */
  readonly secondsBehind?: number;
  /**
   * Bytes of the source's log that have not come, by what the source last said
   * of its end; 0 once it has nothing more to send, undefined while that is not
   * known or it is not followed.
   */
  readonly bytesBehind?: number;
  /** See `ExecutedText`. */
  readonly executed: string;
  readonly purged: string;
  readonly gtidBinlogPos?: string | undefined;
  /** Bytes received from the source since this process started. */
  readonly bytesReceived: number;
  /** When the source was heard of last. */
  readonly heardAt?: Date;
  /** Semi-synchronous replication, where it is asked for. */
  readonly semiSync?: SyncerSemiSync;
}

/** How much has come, and how far it is behind. */
export type SyncerProgress = Pick<
  SyncerStatus,
  "bytesReceived" | "secondsBehind" | "bytesBehind"
>;
