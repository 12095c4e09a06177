import type {
  Compression,
  CompressionAlgorithm,
} from "../protocol/compression.ts";
import type { CredentialFiles } from "../tls/credentials.ts";
import type { Address } from "./address.ts";
import type { Right } from "./right.ts";

/** An account of the binlog server, its secret in clear. */
export interface Account {
  readonly name: string;
  readonly password: string;
  /** What it may do; see `grantedRights()`. */
  readonly rights: readonly Right[];
  /** Whether it may log in over TLS only; not when absent. */
  readonly requireTls?: boolean | undefined;
}

/** TLS towards replicas. */
export interface ServerTlsSettings {
  readonly mode: "disabled" | "optional" | "required";
  /** Without a certificate one is made. */
  readonly files: CredentialFiles;
  readonly clientCertificate: "ignored" | "optional" | "required";
}

/** TLS towards the source. */
export interface SourceTlsSettings {
  readonly mode:
    | "disabled"
    | "preferred"
    | "required"
    | "verify-ca"
    | "verify-identity";
  readonly files: CredentialFiles;
}

/** A token of the admin API, in clear. */
export interface AdminToken {
  readonly text: string;
  /** File it is from, and read from again; undefined: from the environment. */
  readonly file: string | undefined;
}

/** The admin HTTP API. */
export interface AdminOptions {
  readonly listen: Address;
  /** Lets its bearer see everything. */
  readonly readToken?: AdminToken | undefined;
  /** Lets its bearer see and change everything. */
  readonly adminToken?: AdminToken | undefined;
  /** Further host names under which it is asked. */
  readonly hosts?: readonly string[] | undefined;
  /** Its certificate; undefined: plain HTTP. */
  readonly tls?: CredentialFiles | undefined;
}

/** The binlog server, towards replicas. */
export interface ServerSettings {
  readonly listen: Address;
  /** Whose server id and uuid replicas see. */
  readonly identity: "own" | "source";
  /** Server version to greet with before a source was seen. */
  readonly version: string;
  /** Own server id; undefined: made once and kept in the store. */
  readonly serverId: number | undefined;
  readonly users: readonly Account[];
  /** Whether to offer replicas semi-synchronous replication. */
  readonly semiSync: boolean;
  readonly tls: ServerTlsSettings;
  /** How clients may have their connections compressed. */
  readonly compression: readonly CompressionAlgorithm[];
  /** So many replicas acknowledge before kingbus acknowledges to its source. */
  readonly waitForReplicas: number;
  /** How long they may take. */
  readonly waitTimeoutMs: number;
  readonly connectionsMax: number;
  readonly loginTimeoutMs: number;
}

/** The source to follow. */
export interface SourceSettings {
  readonly address: Address;
  readonly user: string;
  readonly password: string;
  /** Server id to register with; undefined: made once and kept in the store. */
  readonly serverId: number | undefined;
  /** Server uuid to register with; undefined: made once and kept. */
  readonly uuid: string | undefined;
  /** `oldest`, `newest` or a GTID set. */
  readonly start: string;
  /** Whether to acknowledge to the source what is on disk. */
  readonly semiSync: boolean;
  /** Servers to follow when that one is lost, in order. */
  readonly candidates: readonly Address[];
}

/** How the source is followed, whichever it is. */
export interface FollowSettings {
  readonly heartbeatMs: number;
  readonly readTimeoutMs: number;
  readonly connectTimeoutMs: number;
  readonly tls: SourceTlsSettings;
  /** How the connection is compressed; undefined for not at all. */
  readonly compression: Compression | undefined;
  /** How long the source may be lost before candidates are tried. */
  readonly switchAfterMs: number;
}

/** The log of the process. */
export interface LogSettings {
  readonly level: "debug" | "info" | "warn" | "error";
  readonly format: "text" | "json";
  readonly directory: string | undefined;
  readonly fileBytesMax: number;
  readonly oldFilesMax: number;
}

/** The store of the binary log. */
export interface StoreSettings {
  readonly tailMemoryBytes: number;
  readonly cacheMemoryBytes: number;
}

/** A replica whose files are kept while it is away. */
export interface RetainedReplica {
  /** Its server uuid, in lower case. */
  readonly uuid: string;
  /** What it is called; its uuid where it has no name. */
  readonly name: string;
}

/** How long files of the log are kept; an undefined limit is none. */
export interface RetentionSettings {
  /** Bytes of all files together. */
  readonly bytesMax: number | undefined;
  /** Milliseconds since a file's last event. */
  readonly ageMaxMs: number | undefined;
  /** Number of files. */
  readonly filesMax: number | undefined;
  /** Bytes the disk is to have free. */
  readonly freeDiskBytesMin: number | undefined;
  readonly checkIntervalMs: number;
  readonly replicas: readonly RetainedReplica[];
}

/** A whole, validated configuration, with its secrets read. */
export interface Options {
  readonly name: string;
  readonly dataDir: string;
  readonly admin: AdminOptions;
  readonly server: ServerSettings;
  readonly source: SourceSettings | undefined;
  readonly follow: FollowSettings;
  readonly log: LogSettings;
  readonly store: StoreSettings;
  readonly retention: RetentionSettings;
}
