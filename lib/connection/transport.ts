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
  /**
   * Ends what is sent, after all that was written, and keeps receiving; absent
   * where the two directions can only be closed together.
   */
  closeWrite?(): Promise<void>;
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

/**
 * As `tcpTransport`, for a peer that mostly waits: what is read ahead for it
 * takes little memory, which many such peers would take all at once. The
 * stream's own buffers have 64 KiB each.
 */
export function quietTcpTransport(conn: Deno.TcpConn): Transport {
  conn.setNoDelay(true);
  conn.setKeepAlive(true);
  return {
    readable: quietReadable(conn),
    writable: conn.writable,
    remote: formatAddress(conn.remoteAddr),
    close: () => closeQuietly(conn),
  };
}

/** What a peer that sends commands is given to fill, in bytes. */
const QUIET_BYTES = 2 * 1024;
/** The same after it has filled that: it sends more. */
const LOUD_BYTES = 64 * 1024;

/** Reads only when asked to, into small buffers unless more comes. */
function quietReadable(conn: Deno.TcpConn): ReadableStream<Uint8Array> {
  let room = QUIET_BYTES;
  return new ReadableStream({
    async pull(controller) {
      const buffer = new Uint8Array(room);
      const count = await conn.read(buffer);
      if (count === null) {
        controller.close();
        return;
      }
      room = count === room ? LOUD_BYTES : QUIET_BYTES;
      controller.enqueue(buffer.subarray(0, count));
    },
    cancel: () => closeQuietly(conn),
  }, { highWaterMark: 0 });
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
