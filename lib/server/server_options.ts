import type { Right } from "../config/right.ts";
import type { CompressionAlgorithm } from "../protocol/compression.ts";
import type { Account } from "../protocol/server_auth.ts";
import type { ServerTls } from "./server_tls.ts";

/** An account with its clear password, or with what the plugins keep of one. */
export type ServerAccount =
  & ({ readonly name: string; readonly password: string } | Account)
  & {
    /** What it may do; to replicate and to monitor when absent. */
    readonly rights?: readonly Right[] | undefined;
    /** Whether it may log in over TLS only; not when absent. */
    readonly requireTls?: boolean | undefined;
  };

/** Semi-synchronous replication as replicas are offered it. */
export interface SemiSyncOffer {
  /** So many replicas are waited for; 0 for none. */
  readonly replicas: number;
  /** How long they are waited for, in ms. */
  readonly timeoutMs: number;
}

/** How the binlog server runs. */
export interface ServerOptions {
  /** Address to listen on, an IPv6 one without brackets. */
  readonly hostname: string;
  /** Port to listen on; 0 for a free one. */
  readonly port: number;
  /** Who may log in. */
  readonly accounts: readonly ServerAccount[];
  /** Whose server id and uuid replicas see. */
  readonly identity: "own" | "source";
  /** Own server id; undefined: made once and kept in the store. */
  readonly serverId?: number | undefined;
  /**
   * Version of the greeting before a source was seen; begins with a digit of at
   * least 5. "8.4.0-kingbus" when absent.
   */
  readonly version?: string | undefined;
  /** Host name for `@@hostname`; "kingbus" when absent. */
  readonly machineName?: string | undefined;
  /** Whether to offer semi-synchronous replication; not when absent. */
  readonly semiSync?: SemiSyncOffer | undefined;
  /** How clients may come over TLS; not at all when absent. */
  readonly tls?: ServerTls | undefined;
  /** How clients may have their connections compressed; not at all when absent. */
  readonly compression?: readonly CompressionAlgorithm[] | undefined;
  /** Clients served at once; one more is refused with 1040. */
  readonly connectionsMax: number;
  /** From the greeting to the end of the login. */
  readonly loginTimeoutMs: number;
  /** Between two commands of a client that does not dump; 8 hours when absent. */
  readonly idleTimeoutMs?: number | undefined;
  /** For a command that has begun to be complete; 30 s when absent. */
  readonly unfinishedTimeoutMs?: number | undefined;
  /** For a client to take a reply; 60 s when absent. */
  readonly writeTimeoutMs?: number | undefined;
  /** For dumps to end when the server stops; 5 s when absent. */
  readonly drainTimeoutMs?: number | undefined;
}
