import { TestServerError } from "./test_server_error.ts";

/** How {@linkcode waitUntil} waits. */
export interface WaitOptions {
  /** Milliseconds after which it gives up; 30 000 if not given. */
  deadlineMs?: number;
  /** Milliseconds between two looks; 10 if not given. */
  intervalMs?: number;
}

/**
 * Waits until a condition holds, looking again and again.
 *
 * @param what The condition in words, for the error.
 * @param condition Looked at until it returns something other than `false`,
 * `null` or `undefined`, which is returned.
 * @throws {TestServerError} If it does not hold by the deadline.
 */
export async function waitUntil<T>(
  what: string,
  condition: () => T | Promise<T>,
  options: WaitOptions = {},
): Promise<Exclude<T, false | null | undefined>> {
  const { deadlineMs = 30_000, intervalMs = 10 } = options;
  const deadline = performance.now() + deadlineMs;
  while (true) {
    const found = await condition();
    if (found !== false && found !== null && found !== undefined) {
      return found as Exclude<T, false | null | undefined>;
    }
    if (performance.now() > deadline) {
      throw new TestServerError(
        `Waited ${deadlineMs} ms in vain until ${what}`,
      );
    }
    await new Promise((resolve) => setTimeout(resolve, intervalMs));
  }
}
