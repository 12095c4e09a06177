/**
 * How often a write is tried while somebody else has the database locked. Deno
 * KV itself waits for five seconds where SQLite lets it.
 */
const TRIES_MAX = 20;

/** The first wait between two tries, and the longest one. */
const WAIT_MS_MIN = 5;
const WAIT_MS_MAX = 200;

/**
 * Does a write, and does it again as long as another connection has the
 * database locked (SQLITE_BUSY): a backup, a checkpoint, a process that is just
 * being fenced. Such a write has changed nothing.
 *
 * @param write what to do; it may be done more than once
 * @param triesMax after so many tries the last fault is thrown
 */
export async function whileLocked<T>(
  write: () => Promise<T>,
  triesMax: number = TRIES_MAX,
): Promise<T> {
  let waitMs = WAIT_MS_MIN;
  for (let tries = 1;; tries++) {
    try {
      return await write();
    } catch (error) {
      if (tries >= triesMax || !isLocked(error)) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, waitMs));
    waitMs = Math.min(2 * waitMs, WAIT_MS_MAX);
  }
}

/** Whether a fault says that. Deno KV has no class for it, only SQLite's words. */
export function isLocked(error: unknown): boolean {
  return error instanceof Error && error.message.includes("is locked");
}
