/**
 * A connection as two byte streams; what is read and written over it does not
 * show whether it is plain TCP, TLS or a pair of pipes in a test. A plain
 * object, so that a layer over it can take it over with other streams:
 * `{ ...transport, readable, writable }`.
 */
export interface Transport {
  readonly readable: ReadableStream<Uint8Array>;
  readonly writable: WritableStream<Uint8Array>;
  /** Address of the peer, "ip:port" or "[ip]:port". */
  readonly remote: string;
  /** Closes both directions at once; does nothing the second time. */
  close(): void;
}

/**
 * The transport over a TCP connection, which it owns from now on. Small packets
 * are sent at once, and a peer that vanished is noticed by TCP keep-alive.
 */
export function tcpTransport(conn: Deno.TcpConn): Transport {
  conn.setNoDelay(true);
  conn.setKeepAlive(true);
  return {
    readable: conn.readable,
    writable: conn.writable,
    remote: formatAddress(conn.remoteAddr),
    close: () => closeQuietly(conn),
  };
}

function formatAddress(address: Deno.NetAddr): string {
  const { hostname, port } = address;
  return hostname.includes(":")
    ? `[${hostname}]:${port}`
    : `${hostname}:${port}`;
}

/** The streams close the connection too, at its end and when they fail. */
function closeQuietly(conn: Deno.TcpConn): void {
  try {
    conn.close();
  } catch (cause) {
    if (!(cause instanceof Deno.errors.BadResource)) throw cause;
  }
}
