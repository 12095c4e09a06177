import type { Address } from "../config/address.ts";
import type { SourceTlsSettings } from "../config/options.ts";
import type { Retention } from "../retention/retention.ts";
import type { TlsFacts } from "../connection/tls_layer.ts";
import type { CompressionAlgorithm } from "../protocol/compression.ts";
import type { SyncerCause } from "../syncer/syncer_cause.ts";
import type { AckGateStatus } from "../semi_sync/ack_gate.ts";
import type { ReplicaStatus } from "../server/replica_status.ts";
import type { SyncerSemiSync } from "../syncer/syncer_status.ts";
import type { CandidateStatus } from "../syncer/candidates.ts";

/** What to follow, as `PUT /binlog/syncer/start` asks for it. */
export interface SyncerStartRequest {
  readonly address: Address;
  readonly user: string;
  readonly password: string;
  /** Server id to register with at the source; undefined: the node's own. */
  readonly serverId: number | undefined;
  /** Server uuid to register with; undefined: the node's own. */
  readonly uuid: string | undefined;
  /** `oldest`, `newest` or a GTID set; undefined: as configured. */
  readonly start: string | undefined;
  /** Whether to acknowledge what is durable; undefined: as configured. */
  readonly semiSync: boolean | undefined;
  /**
   * Servers to follow when that one is lost, in order; undefined: as configured
   * if the account is the configuration's, else none.
   */
  readonly candidates?: readonly Address[] | undefined;
}

/** What the syncer is told and what it does. Without secrets. */
export interface SyncerReport {
  /** True when it is meant to run. */
  readonly wanted: boolean;
  readonly state: "stopped" | "connecting" | "following" | "waiting" | "failed";
  /** What keeps it from following, in one word. */
  readonly cause: SyncerCause | undefined;
  /** Why it is not following, when something keeps it from it. */
  readonly reason: string | undefined;
  /** When that was, or was again. */
  readonly faultAt: Date | undefined;
  /** Since when it has been in this state. */
  readonly since: Date | undefined;
  /** Attempts in a row that failed; 0 once a connection has lasted. */
  readonly attempts: number;
  /** When it tries again, while it waits for that. */
  readonly nextAttemptAt: Date | undefined;
  /** When the source last began to send its log. */
  readonly connectedAt: Date | undefined;
  /** When anything came from the source last, heartbeats too. */
  readonly heardAt: Date | undefined;
  /** Where it is told to connect; undefined when nothing was ever given. */
  readonly target: SyncerTarget | undefined;
  /** The server it found there; undefined before it was reached. */
  readonly source: SourceReport | undefined;
  /** How the acknowledging to the source goes. */
  readonly semiSync: SemiSyncReport;
  /** The servers it may follow, in order; one if there are no candidates. */
  readonly candidates: readonly CandidateStatus[];
  /** How connections to the source are to be secured. */
  readonly tls: SourceTlsSettings;
  /** How often an idle source is to say that it is there. */
  readonly heartbeatMs: number;
  /** The source's file and how far it was received; 0 while not known. */
  readonly sourceFile: string;
  readonly sourcePosition: number;
  /** How far the log is behind; undefined while that is not known. */
  readonly secondsBehind: number | undefined;
  /** Bytes of the source's log that have not come yet, as far as is known. */
  readonly bytesBehind: number | undefined;
  /** Where the stored log ends. */
  readonly log: LogReport;
}

/** Semi-synchronous replication from the source. */
export interface SemiSyncReport {
  /** Whether it is asked for. */
  readonly wanted: boolean;
  /** How it goes; undefined while it is not asked for. */
  readonly link: SyncerSemiSync | undefined;
  /** The replicas that are waited for. */
  readonly gate: AckGateStatus | undefined;
}

/** Where a syncer connects, and as what. */
export interface SyncerTarget {
  readonly address: string;
  readonly user: string;
  readonly serverId: number;
  readonly uuid: string;
}

/** A server that was reached as source. */
export interface SourceReport {
  readonly serverId: string;
  readonly uuid: string;
  readonly version: string;
  /** How the connection is secured; undefined for not at all. */
  readonly tls?: TlsFacts | undefined;
  /** What the connection is compressed with; undefined for nothing. */
  readonly compression?: CompressionAlgorithm | undefined;
}

/** Where the stored log ends, and what it holds. */
export interface LogReport {
  /** GTID of the newest transaction; empty if there is none. */
  readonly currentGtid: string;
  readonly file: string;
  readonly position: number;
  /** See `ExecutedText`. */
  readonly executed: string;
  readonly purged: string;
  readonly gtidBinlogPos?: string | undefined;
  /** When the newest event was made, by the source's clock. */
  readonly lastEventAt: Date | undefined;
}

/** What of the target's TLS to change; the rest stays. */
export interface TlsChange {
  readonly enabled?: boolean | undefined;
  /** Whether the certificate has to be the host's. */
  readonly verifiesIdentity?: boolean | undefined;
  /** PEM files; an empty name for none. */
  readonly ca?: string | undefined;
  readonly certificate?: string | undefined;
  readonly key?: string | undefined;
}

/** What of the target to change; the rest stays. */
export type SyncerChange =
  & Partial<Pick<SyncerStartRequest, "user" | "password"> & Address>
  & {
    readonly tls?: TlsChange | undefined;
    /** How often an idle source is to say that it is there. */
    readonly heartbeatMs?: number | undefined;
  };

/** Starts and stops the syncer; both are kept over a restart. */
export interface SyncerControl {
  /**
   * Starts following. Without a request: what was last asked for or configured.
   * A request for another server than the one that is followed changes to that.
   *
   * @throws {ControlError}
   */
  start(request: SyncerStartRequest | undefined): Promise<void>;
  /** Stops following; resolves when the syncer has let go of the source. */
  stop(): Promise<void>;
  /**
   * Changes what the next start follows, and keeps that; not while it runs.
   *
   * @throws {ControlError}
   */
  change(change: SyncerChange): Promise<void>;
  report(): SyncerReport;
}

/** What `PUT /binlog/server/start` asks for; undefined parts as configured. */
export interface ServerStartRequest {
  readonly listen: Address | undefined;
  readonly account:
    | { readonly name: string; readonly password: string }
    | undefined;
}

/** What the binlog server is told and what it does. Without secrets. */
export interface ServerReport {
  /** True when it is meant to run. */
  readonly wanted: boolean;
  readonly state: "running" | "stopped";
  /** Why it does not run although it should. */
  readonly reason: string | undefined;
  /** Where it listens, or would. */
  readonly listen: string;
  /** Names of the accounts replicas can log in with. */
  readonly users: readonly string[];
  readonly replicas: readonly ReplicaReport[];
  /** Where the stored log ends. */
  readonly log: LogReport;
}

/**
 * A connection of a replica or another client of the binlog server, and how far
 * it is behind.
 */
export interface ReplicaReport extends Omit<ReplicaStatus, "unsentSince"> {
  /** Bytes of the log it has not been sent yet; undefined if not known. */
  readonly lagBytes: number | undefined;
  /**
   * How long ago the first event was made that it was not sent yet: this
   * machine's clock less the source's, in seconds. 0 when it was sent all there
   * is, undefined before its dump and until the first event was read for it.
   */
  readonly lagSeconds: number | undefined;
  /** Bytes it was sent, a second, over the last ten or since it connected. */
  readonly bytesPerSecond: number;
}

/** A replica whose connection was ended. */
export type KickedReplica = Pick<
  ReplicaReport,
  "connectionId" | "remote" | "user" | "serverId" | "uuid"
>;

/** Starts and stops the binlog server; both are kept over a restart. */
export interface ServerControl {
  /**
   * Starts listening for replicas. Without a request: as configured.
   *
   * @throws {ControlError}
   */
  start(request: ServerStartRequest | undefined): Promise<void>;
  /** Stops listening and ends the replicas' connections. */
  stop(): Promise<void>;
  /**
   * Ends the connection of a replica, which may connect again; resolves when it
   * is gone, with what it was.
   *
   * @returns undefined when no replica has that connection
   */
  kick(connectionId: string): Promise<KickedReplica | undefined>;
  report(): ServerReport;
}

/** Removes old files of the log, by hand, and says how retention stands. */
export type RetentionControl = Pick<Retention, "purge" | "report">;

/** The answer of `GET /metrics`. */
export interface MetricsPage {
  readonly contentType: string;
  readonly text: string;
}

/** Shows what is measured. */
export interface MetricsControl {
  /**
   * All metrics, as of now.
   *
   * @param accept the request's `Accept` header; empty for none
   * @returns undefined while kingbus starts or stops
   */
  page(accept: string): Promise<MetricsPage | undefined>;
}

/** Who this node is. */
export interface NodeInfo {
  /** 64-bit id of the node, the same for all its life. */
  readonly id: bigint;
  readonly name: string;
  readonly version: string;
  readonly startedAt: Date;
  /** Whether there is a token that allows changes. */
  readonly hasAdminToken: boolean;
  /** URLs its admin API is reached at. */
  readonly adminUrls: readonly string[];
  /** Why it is about to end; undefined while it is not. */
  readonly draining: string | undefined;
  /** Files and bytes the store holds. */
  readonly stored: { readonly files: number; readonly bytes: number };
}

/** Kinds of refusal of a control. */
export type ControlErrorKind = "invalid" | "conflict" | "unavailable";

/** A control refuses what it was asked for; the message says why. */
export class ControlError extends Error {
  override readonly name = "ControlError";
  /**
   * `invalid`: the request can't be served as it is; `conflict`: not in the
   * present state; `unavailable`: it was tried and did not work out.
   */
  readonly kind: ControlErrorKind;

  constructor(kind: ControlErrorKind, message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }
}
