// @ts-check
/** Seconds from which on a lag is marked: kingbus's alert of its own lag has the same. */
const MARKED_SECONDS = 60;

/**
 * What colour a lag has.
 *
 * @param {number | null} seconds null: not known
 * @returns {"warn" | "none"}
 */
export function lagTone(seconds) {
  return seconds !== null && seconds > MARKED_SECONDS ? "warn" : "none";
}
