import type { Right } from "../config/right.ts";
import type { Compression } from "../protocol/compression.ts";
import type { ClientCharacterSet } from "./client_character_set.ts";
import type { RefusalCounts } from "./refusal_log.ts";
import type { CounterValues } from "./server_counters.ts";
import type { ServerFacts } from "./server_facts.ts";
import type { SessionProcess } from "./session_activity.ts";
import type { SourceReplication } from "./source_control.ts";
import type { SqlValue } from "./sql_value.ts";
import type { StatementWarning } from "./statement_result.ts";

/** What a statement may ask of the log. */
export interface LogFacts {
  /** Name of the file the log ends in. */
  readonly fileName: string;
  /** Position of its visible end. */
  readonly position: number;
  /** Text of the executed GTID set; a function because a large set's text is dear. */
  executed(): string;
  /** Text of the purged GTID set. */
  purged(): string;
  /** What a MariaDB log has; undefined for any other. */
  readonly mariadb?: MariadbLogFacts | undefined;
}

/** How far a MariaDB log is. */
export interface MariadbLogFacts {
  /** Text of the newest GTID of each domain. */
  position(): string;
  /** Text of the last GTID of each server in each domain. */
  state(): string;
}

/** One file of the log as `SHOW BINARY LOGS` and `SHOW BINLOG EVENTS` show it. */
export interface LogFileFacts {
  readonly name: string;
  /** Size in bytes as far as it is visible. */
  readonly size: number;
}

/** A registered replica as `SHOW REPLICAS` shows it. */
export interface ReplicaFacts {
  readonly serverId: string;
  readonly hostName: string;
  readonly port: number;
  readonly uuid: string;
}

/** How the session's connection is: what its layers are and what went over it. */
export interface SessionLink {
  readonly bytesReceived: bigint;
  readonly bytesSent: bigint;
  /** Such as `TLSv1.3`; empty without TLS. */
  readonly tlsVersion: string;
  /** Name of the cipher; empty without TLS. */
  readonly tlsCipher: string;
}

/** How the server stands with the replicas that acknowledge. */
export interface SemiSyncTally {
  /** Connected replicas that acknowledge. */
  readonly clients: number;
  /** Whether waiting for them was given up. */
  readonly degraded: boolean;
  /** How often it was. */
  readonly timeouts: number;
  /** Transactions passed on because enough replicas had them. */
  readonly acknowledged: number;
  /** Transactions passed on while it was given up. */
  readonly unacknowledged: number;
}

/** What the server has counted, and how many are connected. */
export interface ServerTally {
  /** Milliseconds since 1970. */
  readonly startedAtMs: number;
  readonly connected: number;
  /** Those that a statement is answered for or the log is sent to. */
  readonly running: number;
  readonly counters: CounterValues;
  readonly refusals: RefusalCounts;
  /** Undefined while nobody is offered to acknowledge. */
  readonly semiSync: SemiSyncTally | undefined;
}

/** The asking session. */
export interface SessionFacts {
  readonly connectionId: number;
  readonly user: string;
  /** The client's address without its port. */
  readonly host: string;
  readonly database: string | undefined;
  /** Character set of results. */
  readonly characterSet: ClientCharacterSet;
  /** User variables by lower-case name without `@`. */
  readonly userVariables: ReadonlyMap<string, SqlValue>;
  /** System variables this session has set, by lower-case name. */
  readonly settings: ReadonlyMap<string, string | null>;
  /** All that the account may do. */
  readonly rights: ReadonlySet<Right>;
  readonly link: SessionLink;
  /** What the statement before has left for `SHOW WARNINGS`. */
  readonly warnings: readonly StatementWarning[];
  /** What the connection is compressed with; undefined for nothing. */
  readonly compression?: Compression | undefined;
}

/** All that an answer to a statement depends on. */
export interface StatementContext {
  readonly server: ServerFacts;
  readonly session: SessionFacts;
  /** Milliseconds since 1970. */
  readonly nowMs: number;
  /** A new UUID, for `UUID()`. */
  newUuid(): string;
  /** Where the log ends; undefined while it is empty. */
  readonly log: LogFacts | undefined;
  /** The log's files, oldest first. */
  files(): readonly LogFileFacts[];
  /** Replicas that have registered and are connected. */
  replicas(): readonly ReplicaFacts[];
  /** All connections, in the order they came. */
  processes(): readonly SessionProcess[];
  /** How the source is followed; undefined while none was ever given. */
  source(): SourceReplication | undefined;
  tally(): ServerTally;
  /** Counts the statement under these names. */
  count(names: readonly string[]): void;
}
