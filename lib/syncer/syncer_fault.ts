import { MalformedEventError } from "../binlog/malformed_event_error.ts";
import { CompressionNotOfferedError } from "../connection/compression_not_offered_error.ts";
import { ConnectionError } from "../connection/connection_error.ts";
import { MalformedGtidSetError } from "../gtid/gtid_set.ts";
import { describeError } from "../log/describe_error.ts";
import { ErrorCode } from "../protocol/error_code.ts";
import { ProtocolError } from "../protocol/protocol_error.ts";
import { ServerError } from "../protocol/server_error.ts";
import { StoreError } from "../store/binlog_store.ts";
import { TlsError, type TlsErrorKind } from "../tls/tls_error.ts";
import { SourceError } from "./source_error.ts";
import { type Retry, retryAfter, type SyncerCause } from "./syncer_cause.ts";

/** How far an attempt had come: dialling and login, statements, the dump. */
export type SyncerPhase = "connecting" | "preparing" | "dumping";

/** Why an attempt failed, and what follows from that. */
export interface SyncerFault {
  readonly cause: SyncerCause;
  /** What happened and what to do; never holds a secret. */
  readonly reason: string;
  readonly retry: Retry;
}

/** Who we are towards the source, and where it is: named in reasons. */
export interface FaultContext {
  readonly user: string;
  readonly serverId: number;
  readonly uuid: string;
}

/** Errors with which a server turns a login away. */
const REFUSALS: ReadonlySet<number> = new Set([
  ErrorCode.ER_DBACCESS_DENIED,
  ErrorCode.ER_ACCESS_DENIED,
  ErrorCode.ER_HOST_IS_BLOCKED,
  ErrorCode.ER_HOST_NOT_PRIVILEGED,
  ErrorCode.ER_ACCESS_DENIED_NO_PASSWORD,
  ErrorCode.ER_MUST_CHANGE_PASSWORD,
  ErrorCode.ER_MUST_CHANGE_PASSWORD_LOGIN,
  ErrorCode.ER_ACCOUNT_HAS_BEEN_LOCKED,
  ErrorCode.ER_ACCOUNT_BLOCKED_BY_PASSWORD_LOCK,
]);

/** Errors that say: not now. */
const AT_PRESENT: ReadonlySet<number> = new Set([
  ErrorCode.ER_CON_COUNT_ERROR,
  ErrorCode.ER_SERVER_SHUTDOWN,
  ErrorCode.ER_TOO_MANY_USER_CONNECTIONS,
  ErrorCode.ER_USER_LIMIT_REACHED,
  ErrorCode.ER_QUERY_INTERRUPTED,
  ErrorCode.ER_SERVER_OFFLINE_MODE,
  ErrorCode.ER_SESSION_WAS_KILLED,
  ErrorCode.ER_CLIENT_INTERACTION_TIMEOUT,
]);

/** Errors that say: the account may not. */
const PRIVILEGES: ReadonlySet<number> = new Set([
  ErrorCode.ER_DBACCESS_DENIED,
  ErrorCode.ER_ACCESS_DENIED,
  ErrorCode.ER_SPECIFIC_ACCESS_DENIED,
]);

/** What to do about TLS. */
const TLS_ADVICE: Record<TlsErrorKind, string> = {
  "not-offered":
    "give the source a certificate, or set source.tls.mode to preferred or disabled",
  "handshake":
    "kingbus speaks TLS 1.2 and 1.3; a source that can't has to be followed with source.tls.mode disabled",
  "expired": "give the source a new certificate",
  "not-yet-valid":
    "check the clocks of both machines and the certificate of the source",
  "self-signed":
    "put that certificate into the file of source.tls.ca if it is the right one",
  "unknown-authority":
    "put the authority's certificate into the file of source.tls.ca if it is the right one",
  "unfit": "give the source another certificate",
  "name-mismatch":
    "connect to the source by a name its certificate is for, or set source.tls.mode to verify-ca",
  "no-certificate": "give the source a certificate",
  "own-certificate":
    "set source.tls.certificate and source.tls.key to a certificate that the source's ssl_ca has signed",
  "files": "check the files that source.tls names",
  "unsupported":
    "make the executable with a newer Deno, or set source.tls.mode to disabled",
};

/** Tells what an error means for following the source. */
export function diagnose(
  error: unknown,
  phase: SyncerPhase,
  context: FaultContext,
): SyncerFault {
  if (error instanceof SourceError) return fault(error.kind, error.message);
  if (error instanceof ServerError) return answered(error, phase, context);
  if (error instanceof CompressionNotOfferedError) {
    return fault(
      "unsuitable",
      `the source does not offer compression with ${error.algorithm}; set source.compression to what its protocol_compression_algorithms has, or to none (MySQL before 8.0.18 and MariaDB have zlib only)`,
    );
  }
  if (error instanceof TlsError) return tlsFault(error);
  if (error instanceof ConnectionError) {
    return error.cause instanceof TlsError
      ? tlsFault(error.cause)
      : connectionFault(error, phase);
  }
  if (error instanceof StoreError) {
    return fault(storeCause(error), describeError(error));
  }
  if (
    error instanceof ProtocolError || error instanceof MalformedEventError ||
    error instanceof MalformedGtidSetError
  ) {
    return fault("stream", `what the source sent is wrong: ${error.message}`);
  }
  return fault(
    "internal",
    `a fault in kingbus, please report it: ${describeError(error)}`,
  );
}

/**
 * The fault of a dump that another replica with the same ids has ended.
 *
 * @param said what tells us so
 */
export function duplicateServerId(
  { serverId, uuid }: FaultContext,
  said: string,
): SourceError {
  return new SourceError(
    "duplicate-server-id",
    `${said}: another replica of the source has server id ${serverId} or server uuid ${uuid} as kingbus has, and the source sends its log to one of the two only. Stop the other, or give kingbus ids of its own (source.server-id and source.uuid); kingbus tries again seldom, as that ends the other's dump`,
  );
}

function fault(cause: SyncerCause, reason: string): SyncerFault {
  return { cause, reason, retry: retryAfter(cause) };
}

function tlsFault({ kind, message }: TlsError): SyncerFault {
  return fault("tls", `${message}; ${TLS_ADVICE[kind]}`);
}

function connectionFault(
  { kind, message }: ConnectionError,
  phase: SyncerPhase,
): SyncerFault {
  if (phase === "connecting") {
    return fault(
      "unreachable",
      kind === "refused"
        ? message
        : `the login at the source did not come to its end: ${message}`,
    );
  }
  return kind === "timeout"
    ? fault("silent", `the source does not answer: ${message}`)
    : fault("lost", message);
}

function storeCause({ kind }: StoreError): SyncerCause {
  if (kind === "io" || kind === "full") return "disk";
  return kind === "fenced" ? "fenced" : "store";
}

function answered(
  error: ServerError,
  phase: SyncerPhase,
  context: FaultContext,
): SyncerFault {
  const said = `the source answered error ${error.code}: ${error.message}`;
  const { code } = error;
  if (isDuplicate(error)) {
    const { kind, message } = duplicateServerId(context, said);
    return fault(kind, message);
  }
  if (AT_PRESENT.has(code)) return fault("unavailable", said);
  if (code === ErrorCode.ER_SECURE_TRANSPORT_REQUIRED) {
    return fault(
      "tls",
      `${said}; set source.tls.mode to preferred or to a stricter one`,
    );
  }
  if (code === ErrorCode.ER_NOT_SUPPORTED_AUTH_MODE) {
    return fault(
      "unsuitable",
      `${said}; give the account ${context.user} a way to log in by caching_sha2_password or mysql_native_password`,
    );
  }
  if (phase === "connecting" && REFUSALS.has(code)) {
    return fault(
      "refused",
      `${said}; check the account ${context.user} and its password on the source (kingbus tries again seldom, not to have the account locked)`,
    );
  }
  if (PRIVILEGES.has(code)) {
    return fault(
      "privileges",
      `${said}; run on the source: GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO ${context.user}`,
    );
  }
  if (code === ErrorCode.ER_NO_BINARY_LOGGING) {
    return fault(
      "unsuitable",
      `${said}; the source must write a binary log (log_bin)`,
    );
  }
  if (code === ErrorCode.ER_SOURCE_FATAL_ERROR_READING_BINLOG) {
    return cannotRead(error, said);
  }
  return fault("source-error", said);
}

/**
 * The texts of MySQL (`sql/rpl_source.cc`: kill_zombie_dump_threads) before and
 * after 8.0.26, and of MariaDB, which has a number for it.
 */
function isDuplicate({ code, message }: ServerError): boolean {
  return code === ErrorCode.MARIADB_DUPLICATE_REPLICA ||
    code === ErrorCode.ER_SOURCE_FATAL_ERROR_READING_BINLOG &&
      /with the same server_uuid\/server_id/.test(message);
}

/**
 * Error 1236 says in words alone what it means. What comes from a log that has
 * changed under us is asked for again at once: `resumePoint` then sees the new
 * files, and tells exactly what is gone, or that nothing is.
 */
function cannotRead({ message }: ServerError, said: string): SyncerFault {
  if (
    /Could not find first log file|could not find next log|purged required binary logs|has purged binary logs|binlog files have been purged/
      .test(message)
  ) {
    return { cause: "purged", reason: said, retry: "soon" };
  }
  if (
    /position > file size|from impossible position|has more GTIDs than|which is not in the master's binlog/
      .test(message)
  ) {
    return { cause: "source-lost-events", reason: said, retry: "soon" };
  }
  return fault("source-error", said);
}
