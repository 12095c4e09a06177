// @ts-check
/** Longest pause between two attempts. */
const PAUSE_MS_MAX = 15_000;

/**
 * How long to wait before the next attempt to reach kingbus: twice as long each
 * time, and by chance up to a quarter less, so that many pages do not come at
 * once after a restart.
 *
 * @param {number} failures attempts in a row that failed, from 1 on
 * @param {number} chance 0 to 1
 * @returns {number} milliseconds
 */
export function backoffMs(failures, chance) {
  const pause = Math.min(PAUSE_MS_MAX, 1000 * 2 ** Math.min(failures - 1, 10));
  return Math.round(pause * (1 - chance / 4));
}
