import type { Transport } from "../../lib/connection/transport.ts";

/**
 * A connection as streams that read only when asked to, so that what comes
 * after the login is left for the connection itself.
 */
export function unbufferedTransport(conn: Deno.Conn<Deno.NetAddr>): Transport {
  const { hostname, port } = conn.remoteAddr;
  return {
    readable: new ReadableStream({
      async pull(controller) {
        const buffer = new Uint8Array(64 * 1024);
        const count = await conn.read(buffer);
        if (count === null) controller.close();
        else controller.enqueue(buffer.subarray(0, count));
      },
    }, { highWaterMark: 0 }),
    writable: new WritableStream({
      async write(bytes: Uint8Array) {
        for (let at = 0; at < bytes.length;) {
          at += await conn.write(bytes.subarray(at));
        }
      },
    }),
    remote: `${hostname}:${port}`,
    close: () => {
      try {
        conn.close();
      } catch (error) {
        if (!(error instanceof Deno.errors.BadResource)) throw error;
      }
    },
  };
}
