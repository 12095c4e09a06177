// @ts-check
import { formatBytes, formatCount, formatNumberOf } from "./format.js";

/** Sets longer than that are not counted: they would be counted each second. */
const COUNTED_CHARS_MAX = 64 * 1024;

/** Sets no longer than that are shown as they are. */
const SHORT_CHARS_MAX = 100;

/** How kingbus ends a set that it has cut. */
const CUT = /… \((\d{1,15}) more\)$/;

/**
 * How many characters of a set kingbus has left out.
 *
 * @param {string} text
 * @returns {number}
 */
export function cutChars(text) {
  return Number(CUT.exec(text.slice(-40))?.[1] ?? 0);
}

/**
 * What a GTID set says at a glance; undefined when it is short enough to be
 * shown as it is.
 *
 * @param {string} text MySQL's or MariaDB's text form, cut or not
 * @returns {string | undefined}
 */
export function summarizeGtids(text) {
  if (text.length <= SHORT_CHARS_MAX) return undefined;
  const cut = cutChars(text);
  if (cut > 0 || text.length > COUNTED_CHARS_MAX) {
    return `${formatBytes(text.length + cut)} of text`;
  }
  const entries = text.split(",").map((entry) => entry.trim());
  if (!text.includes(":")) return formatNumberOf(entries.length, "GTID");
  let transactions = 0n;
  let intervals = 0;
  for (const entry of entries) {
    const [, ...parts] = entry.split(":");
    for (const part of parts) {
      const [, first, last] = /^(\d{1,20})(?:-(\d{1,20}))?$/.exec(part) ?? [];
      // a tag stands between intervals
      if (first === undefined) continue;
      intervals++;
      transactions += BigInt(last ?? first) - BigInt(first) + 1n;
    }
  }
  return [
    `${formatCount(transactions)} transactions`,
    formatNumberOf(entries.length, "server"),
    formatNumberOf(intervals, "interval"),
  ].join(", ");
}
