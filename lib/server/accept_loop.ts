import { sleep } from "../connection/sleep.ts";
import { describeError } from "../log/describe_error.ts";
import type { Log } from "../log/log.ts";

/** The part of `Deno.Listener` that is needed. */
export interface ConnectionListener<Connection> {
  accept(): Promise<Connection>;
}

/** Pause after a failed accept, doubled with each further one. */
const PAUSE_MS_MIN = 10;
const PAUSE_MS_MAX = 1000;

/**
 * Accepts connections until the signal fires, the next one when `open` has
 * taken the last. An accept that fails, as all do while the process has no file
 * descriptor left, is tried again after a pause that grows to a second; only the
 * first failure of a row is logged.
 */
export async function acceptConnections<Connection>(
  listener: ConnectionListener<Connection>,
  open: (connection: Connection) => void | Promise<void>,
  log: Log,
  signal: AbortSignal,
): Promise<void> {
  let failures = 0;
  while (!signal.aborted) {
    try {
      const connection = await listener.accept();
      failures = 0;
      await open(connection);
    } catch (error) {
      if (signal.aborted) return;
      if (failures === 0) {
        log.error("cannot accept connections; will go on trying", {
          error: describeError(error),
        });
      }
      await sleep(Math.min(PAUSE_MS_MIN * 2 ** failures, PAUSE_MS_MAX), signal);
      failures += 1;
    }
  }
}
