/** How the source's connection stands; the syncer's own words. */
export type SourceState =
  | "stopped"
  | "connecting"
  | "following"
  | "waiting"
  | "failed";

/**
 * What kind of error keeps kingbus from its source, as MySQL's replication
 * threads tell them apart: see `sourceErrorNumber()`.
 */
export type SourceErrorKind =
  | "unreachable"
  | "lost"
  | "access-denied"
  | "reading-log"
  | "writing-log"
  | "fatal";

/** An error of following the source, while it is not over. */
export interface SourceFault {
  readonly kind: SourceErrorKind;
  /** What is wrong and what to do; never holds a secret. */
  readonly message: string;
  readonly at: Date;
}

/** How the source is followed, as `SHOW REPLICA STATUS` shows it. */
export interface SourceReplication {
  readonly hostname: string;
  readonly port: number;
  readonly user: string;
  readonly state: SourceState;
  readonly fault: SourceFault | undefined;
  /** The longest pause between two attempts to connect. */
  readonly connectRetryS: number;
  /** The source's file, and how far it was received; empty and 0 at first. */
  readonly file: string;
  readonly position: number;
  /** Bytes of all files kept. */
  readonly logBytes: number;
  /** How far the log is behind the source; undefined while that is not known. */
  readonly secondsBehind: number | undefined;
  /** Of the server that is followed; empty before it was ever reached. */
  readonly serverId: string;
  readonly uuid: string;
  /** Text of the GTIDs of the files kept; a function because it is dear. */
  retrieved(): string;
  /** MariaDB's position by GTID; empty for MySQL's logs. */
  readonly mariadbPosition: string;
  readonly heartbeatMs: number;
  /** How its connection is encrypted; undefined if not at all. */
  readonly tls: SourceTls | undefined;
  /** Whether acknowledgements are sent to it. */
  readonly semiSync: boolean;
}

/** Files and checks of an encrypted connection to the source. */
export interface SourceTls {
  readonly ca: string;
  readonly certificate: string;
  readonly key: string;
  /** Whether the certificate has to be the host's. */
  readonly verifiesIdentity: boolean;
}

/** The `SOURCE_SSL…` options; what is undefined stays. */
export interface SourceTlsChange {
  readonly enabled?: boolean;
  readonly verifiesIdentity?: boolean;
  /** PEM files; an empty name for none. */
  readonly ca?: string;
  readonly certificate?: string;
  readonly key?: string;
}

/** What `CHANGE REPLICATION SOURCE TO` sets; what is undefined stays. */
export interface SourceChange {
  readonly hostname?: string;
  readonly port?: number;
  readonly user?: string;
  readonly password?: string;
  readonly tls?: SourceTlsChange;
  readonly heartbeatMs?: number;
  /** Where the log is to go on: has to be where it ends. */
  readonly file?: string;
  readonly position?: number;
}

/** Why the source can't be steered as asked. */
export type SourceControlErrorKind =
  | "running"
  | "not-configured"
  | "refused"
  | "failed";

/** What a statement asks of the source can't be done. */
export class SourceControlError extends Error {
  override readonly name = "SourceControlError";
  /**
   * `running`: it has to be stopped first; `not-configured`: no source is
   * known; `refused`: what is asked for does not fit; `failed`: it was tried
   * and did not work out.
   */
  readonly kind: SourceControlErrorKind;

  constructor(
    kind: SourceControlErrorKind,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.kind = kind;
  }
}

/**
 * What SQL sees of the syncer and does to it. What is done is kept over a
 * restart, as what is done through the admin API.
 */
export interface SourceControl {
  /** How the source is followed; undefined while none was ever given. */
  status(): SourceReplication | undefined;
  /**
   * Starts following.
   *
   * @returns false if it was running already
   * @throws {SourceControlError}
   */
  start(): Promise<boolean>;
  /**
   * Stops following.
   *
   * @returns false if it was stopped already
   * @throws {SourceControlError}
   */
  stop(): Promise<boolean>;
  /**
   * Says which source to follow from the next start on.
   *
   * @throws {SourceControlError}
   */
  change(change: SourceChange): Promise<void>;
}
