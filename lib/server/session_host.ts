import type { Compressor } from "../connection/compressor.ts";
import type { CompressionAlgorithm } from "../protocol/compression.ts";
import type { Account, RsaKeyPair } from "../protocol/server_auth.ts";
import type { Right } from "../config/right.ts";
import type { DumpHandler } from "./dump_handler.ts";
import type { CommandMemory } from "./command_memory.ts";
import type { LogPurger } from "./log_purger.ts";
import type { RefusalReason } from "./refusal_log.ts";
import type { ServerTls } from "./server_tls.ts";
import type { ServerFacts } from "./server_facts.ts";
import type { ServerStore } from "./server_store.ts";
import type { ServerCounters } from "./server_counters.ts";
import type { ServiceCounters } from "./service_counters.ts";
import type { Session } from "./session.ts";
import type { SessionProcess } from "./session_activity.ts";
import type { SourceControl } from "./source_control.ts";
import type { ReplicaFacts, ServerTally } from "./statement_context.ts";
import type { SlowLane } from "./slow_lane.ts";
import type { Turns } from "./turns.ts";

/** Time limits of every session. */
export interface SessionLimits {
  /** From the greeting to the end of the login. */
  readonly loginTimeoutMs: number;
  /** Between two commands. */
  readonly idleTimeoutMs: number;
  /** For a command that has begun to be complete. */
  readonly unfinishedTimeoutMs: number;
  /** For the client to take a reply. */
  readonly writeTimeoutMs: number;
  /** For a dump to end once it was told to. */
  readonly drainTimeoutMs: number;
}

/** Clock and randomness. */
export interface ServerEnvironment {
  /** Milliseconds since 1970. */
  nowMs(): number;
  /** Cryptographically random bytes. */
  randomBytes(length: number): Uint8Array;
  /** A random UUID. */
  randomUuid(): string;
}

/** What became of a KILL. */
export type KillOutcome = "killed" | "unknown" | "denied";

/** What a session needs of the server it belongs to. */
export interface SessionHost {
  readonly store: ServerStore;
  readonly dumpHandler: DumpHandler;
  /** What SQL does to the following of the source; undefined if nothing. */
  readonly sourceControl: SourceControl | undefined;
  readonly counters: ServerCounters;
  /** Counts on when the server is stopped and started. */
  readonly service: ServiceCounters;
  /** Removes files of the log; undefined if this server removes none. */
  readonly purger: LogPurger | undefined;
  readonly limits: SessionLimits;
  readonly environment: ServerEnvironment;
  /** Whether replicas may acknowledge what they receive. */
  readonly semiSync: boolean;
  /** How clients may come over TLS; undefined if they may not. */
  readonly tls: ServerTls | undefined;
  /** How clients may have their connections compressed. */
  readonly compression: readonly CompressionAlgorithm[];
  /** Compresses for all sessions. */
  readonly compressor: Compressor;
  /** Share the event loop between what sessions want and the dumps. */
  readonly turns: { readonly login: Turns; readonly command: Turns };
  /** For dumps whose GTID set takes long to read. */
  readonly slowLane: SlowLane;
  /** Memory for what clients send. */
  readonly commandMemory: CommandMemory;
  /** Notes that a client has logged in. */
  loggedIn(session: Session): void;
  /** Who the server says it is, as of now. */
  facts(): Promise<ServerFacts>;
  /** The account of a user name. */
  account(user: string): Account | undefined;
  /** All that a user may do. */
  rightsOf(user: string): ReadonlySet<Right>;
  /** The key pair for accounts that need one; undefined if none does. */
  rsaKeyPair(): Promise<RsaKeyPair | undefined>;
  /** Notes a client that was refused. */
  refused(reason: RefusalReason, host: string, detail: string): void;
  /** Ends another session's connection, or its dump or statement alone. */
  kill(connectionId: bigint, by: Session, queryOnly: boolean): KillOutcome;
  /** Ends the older dumps of the replica that `session` now dumps to. */
  supersede(session: Session): void;
  /** The registered replicas. */
  replicas(): readonly ReplicaFacts[];
  /** All connections, in the order they came. */
  processes(): readonly SessionProcess[];
  /** What the server has counted. */
  tally(): ServerTally;
  /** One line for COM_STATISTICS. */
  statistics(): string;
}
