/** The first wait, before jitter. */
const FIRST_WAIT_MS = 250;

/** The longest wait. */
const WAIT_MS_MAX = 15_000;

/**
 * How long to wait before the next attempt, in ms: doubles with each failure
 * up to a limit, and is spread over its upper half so that many who lost the
 * same server do not come back at once.
 *
 * @param failures attempts that failed in a row, from 1
 * @param random from 0 up to 1
 */
export function backoffMs(failures: number, random: number): number {
  const wait = Math.min(WAIT_MS_MAX, FIRST_WAIT_MS * 2 ** (failures - 1));
  return wait / 2 + wait / 2 * random;
}
