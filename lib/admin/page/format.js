// @ts-check
/**
 * Numbers, sizes and times as people read them.
 *
 * @module
 */

const BYTE_UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

/** Longest text of others that is shown in one place. */
const PLAIN_CHARS_MAX = 300;

/**
 * Characters that are seen as nothing, move others, or end a line: nobody is to
 * look like somebody else by means of them.
 */
const UNSEEN =
  // deno-lint-ignore no-control-regex
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u115f\u1160\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\ufff9-\ufffb]/g;

/**
 * A size, such as `1.5 GiB`: three digits, units of 1024.
 *
 * @param {number} bytes
 * @returns {string}
 */
export function formatBytes(bytes) {
  let value = bytes;
  let unit = 0;
  while (Math.abs(value) >= 1000 && unit < BYTE_UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit === 0 ? Math.round(value) : threeDigits(value)} ${
    BYTE_UNITS[unit]
  }`;
}

/**
 * A rate, such as `12.3 MiB/s`.
 *
 * @param {number} bytesPerSecond
 * @returns {string}
 */
export function formatRate(bytesPerSecond) {
  return `${formatBytes(bytesPerSecond)}/s`;
}

/**
 * A whole number with its thousands apart: `1,234,567`.
 *
 * @param {number | bigint} count
 * @returns {string}
 */
export function formatCount(count) {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ",");
}

/**
 * A count with its noun: `1 file`, `2 files`.
 *
 * @param {number} count
 * @param {string} noun in the singular
 * @param {string} [nouns] in the plural; with an s if not given
 * @returns {string}
 */
export function formatNumberOf(count, noun, nouns = `${noun}s`) {
  return `${formatCount(count)} ${count === 1 ? noun : nouns}`;
}

/**
 * The same text as a sentence begins.
 *
 * @param {string} text
 * @returns {string}
 */
export function capitalized(text) {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`;
}

/**
 * The same text, which does not go on in another line within it.
 *
 * @param {string} text
 * @returns {string}
 */
export function unbroken(text) {
  return text.replaceAll(" ", "\u00a0");
}

/**
 * A lag: `0.3 s`, `12 s`, `5 min 20 s`.
 *
 * @param {number} seconds
 * @returns {string}
 */
export function formatLag(seconds) {
  const value = Math.max(0, seconds);
  if (value < 0.05) return "0 s";
  return value < 9.95 ? `${value.toFixed(1)} s` : formatDuration(value);
}

/**
 * A length of time by its two largest units: `3 d 4 h`, `12 s`.
 *
 * @param {number} seconds
 * @returns {string}
 */
export function formatDuration(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) {
    return joined([Math.floor(whole / 60), "min"], [whole % 60, "s"]);
  }
  const minutes = Math.round(whole / 60);
  if (minutes < 48 * 60) {
    return joined([Math.floor(minutes / 60), "h"], [minutes % 60, "min"]);
  }
  const hours = Math.round(minutes / 60);
  return joined([Math.floor(hours / 24), "d"], [hours % 24, "h"]);
}

/**
 * A local time: `15:04:05` on the same day, else `2026-11-23 15:04:05`.
 *
 * @param {Date} time
 * @param {Date} now
 * @returns {string}
 */
export function formatTime(time, now) {
  const clock = [time.getHours(), time.getMinutes(), time.getSeconds()]
    .map(twoDigits).join(":");
  if (time.toDateString() === now.toDateString()) return clock;
  const day = [
    String(time.getFullYear()),
    twoDigits(time.getMonth() + 1),
    twoDigits(time.getDate()),
  ].join("-");
  return `${day} ${clock}`;
}

/**
 * Text that others have made up, fit to be shown in a line: what can't be seen
 * is shown as a sign, what is too long is cut.
 *
 * @param {string} text
 * @param {number} [charsMax]
 * @returns {string}
 */
export function formatPlain(text, charsMax = PLAIN_CHARS_MAX) {
  const cut = text.length > charsMax ? `${text.slice(0, charsMax)}…` : text;
  return cut.replace(UNSEEN, "\u00b7");
}

/**
 * @param {number} value
 * @returns {string}
 */
function threeDigits(value) {
  const size = Math.abs(value);
  return value.toFixed(size < 9.995 ? 2 : size < 99.95 ? 1 : 0);
}

/**
 * @param {number} value
 * @returns {string}
 */
function twoDigits(value) {
  return String(value).padStart(2, "0");
}

/**
 * @param {[number, string][]} parts
 * @returns {string}
 */
function joined(...parts) {
  return parts.filter(([value], index) => index === 0 || value > 0)
    .map(([value, unit]) => `${value} ${unit}`).join(" ");
}
