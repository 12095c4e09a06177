/**
 * How a connection failed.
 *
 * - `closed`: it was closed, by the peer where more was to come or by us.
 * - `truncated`: the peer closed it in the middle of a packet.
 * - `timeout`: the peer did not answer, or did not take bytes, in time.
 * - `aborted`: whoever waited gave up waiting.
 * - `refused`: it could not be made at all.
 * - `reset`: the peer or the network broke it off.
 */
export type ConnectionErrorKind =
  | "closed"
  | "truncated"
  | "timeout"
  | "aborted"
  | "refused"
  | "reset";

/** A connection failed below the protocol; `cause` says why where known. */
export class ConnectionError extends Error {
  readonly kind: ConnectionErrorKind;

  constructor(
    kind: ConnectionErrorKind,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = "ConnectionError";
    this.kind = kind;
  }
}

/**
 * Tells what a failed read or write of a stream means. A `ConnectionError` is
 * answered as it is, everything else wrapped as `cause`.
 */
export function connectionErrorFrom(cause: unknown): ConnectionError {
  if (cause instanceof ConnectionError) return cause;
  const detail = cause instanceof Error ? cause.message : String(cause);
  if (isReset(cause)) {
    return new ConnectionError("reset", `Connection broken off: ${detail}`, {
      cause,
    });
  }
  return new ConnectionError("closed", `Connection closed: ${detail}`, {
    cause,
  });
}

function isReset(cause: unknown): boolean {
  return cause instanceof Deno.errors.ConnectionReset ||
    cause instanceof Deno.errors.ConnectionAborted ||
    cause instanceof Deno.errors.BrokenPipe ||
    cause instanceof Deno.errors.NotConnected ||
    cause instanceof Deno.errors.TimedOut;
}

/**
 * What an aborted wait is rejected with: the signal's own `ConnectionError`, a
 * `timeout` for `AbortSignal.timeout()`, else `aborted`.
 */
export function abortError(signal: AbortSignal): ConnectionError {
  const reason: unknown = signal.reason;
  if (reason instanceof ConnectionError) return reason;
  const timedOut = reason instanceof DOMException &&
    reason.name === "TimeoutError";
  return timedOut
    ? new ConnectionError("timeout", "Timed out waiting for the peer", {
      cause: reason,
    })
    : new ConnectionError("aborted", "Gave up waiting for the peer", {
      cause: reason,
    });
}
