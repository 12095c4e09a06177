/**
 * Finds a TCP port of 127.0.0.1 that nothing listens on.
 *
 * Another process may take it before the caller does, so a server started on it
 * must be tried again on another one if it cannot bind.
 */
export function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}
