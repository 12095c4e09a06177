/** Ports below those that a system gives to whoever names none, or dials. */
const FIRST_PORT = 10_240;
const PORTS = 22_528;

/**
 * Finds a TCP port of 127.0.0.1 that nothing listens on, and that stays free
 * while a server on it is restarted, however many connections are dialled
 * meanwhile: it is none of those that a system takes by itself.
 *
 * Another process may take it before the caller does, so a server started on it
 * must be tried again on another one if it cannot bind.
 */
export function freePort(): number {
  for (;;) {
    const port = FIRST_PORT + Math.floor(Math.random() * PORTS);
    try {
      Deno.listen({ hostname: "127.0.0.1", port }).close();
      return port;
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    }
  }
}
