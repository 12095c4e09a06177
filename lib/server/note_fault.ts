import { ConnectionError } from "../connection/connection_error.ts";
import { describeError } from "../log/describe_error.ts";
import type { Log } from "../log/log.ts";
import { ErrorCode } from "../protocol/error_code.ts";
import { ProtocolError } from "../protocol/protocol_error.ts";
import { TlsError } from "../tls/tls_error.ts";
import type { SessionHost } from "./session_host.ts";

/** The session that a fault has ended. */
export interface FaultySession {
  readonly host: Pick<SessionHost, "refused" | "counters" | "service">;
  /** Address of the client without its port. */
  readonly remoteHost: string;
  readonly isLoggedIn: boolean;
  readonly log: Log;
}

/**
 * Counts and logs what has ended a session.
 *
 * @returns what to tell the client; undefined where it can't be told
 */
export function noteFault(
  error: unknown,
  session: FaultySession,
): ProtocolError | undefined {
  const { host, remoteHost, isLoggedIn, log } = session;
  if (error instanceof ConnectionError) return noteLoss(error, session);
  if (error instanceof TlsError) {
    // Nothing but TLS itself can tell the client, and it has.
    host.refused("tls-failed", remoteHost, error.message);
    return undefined;
  }
  if (!(error instanceof ProtocolError)) {
    host.service.sessionErrors.internal += 1;
    log.error("session failed", { error: describeError(error) });
    return new ProtocolError(
      ErrorCode.ER_UNKNOWN_ERROR,
      "Internal error; see the log of the server",
      { cause: error },
    );
  }
  if (isLoggedIn) {
    host.counters.abortedClients += 1;
    host.service.sessionErrors.protocol += 1;
    log.warn("closing a connection", {
      code: error.code,
      reason: error.message,
    });
  } else {
    host.refused("malformed-login", remoteHost, error.message);
  }
  return error;
}

function noteLoss(
  error: ConnectionError,
  { host, remoteHost, isLoggedIn, log }: FaultySession,
): ProtocolError | undefined {
  const isTimeout = error.kind === "timeout";
  if (isTimeout && !isLoggedIn) {
    host.refused("login-timeout", remoteHost, error.message);
    return new ProtocolError(
      ErrorCode.ER_NET_READ_INTERRUPTED,
      "Got timeout reading communication packets",
    );
  }
  host.counters.abortedClients += 1;
  host.service.sessionErrors[isTimeout ? "timeout" : "lost"] += 1;
  log.debug("connection lost", () => ({ reason: error.message }));
  return undefined;
}
