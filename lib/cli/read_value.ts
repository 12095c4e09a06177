import { formatDuration, parseDuration } from "../config/duration.ts";
import { UsageError } from "./usage_error.ts";

/**
 * The value of a flag that takes a duration, in milliseconds.
 *
 * @param name the flag, without dashes
 * @throws {UsageError}
 */
export function readDuration(
  name: string,
  text: string,
  { minMs, maxMs }: { readonly minMs: number; readonly maxMs: number },
): number {
  let value: number;
  try {
    value = parseDuration(text);
  } catch (cause) {
    throw new UsageError(
      `--${name} takes a duration such as 500ms or 2s, not ${quote(text)}`,
      { cause },
    );
  }
  if (value >= minMs && value <= maxMs) return value;
  throw new UsageError(
    `--${name} takes ${formatDuration(minMs)} to ${
      formatDuration(maxMs)
    }, not ${quote(text)}`,
  );
}

/**
 * The value of a flag that takes a whole number from 0 on.
 *
 * @param name the flag, without dashes
 * @throws {UsageError}
 */
export function readCount(name: string, text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(value)) return value;
  throw new UsageError(`--${name} takes a whole number, not ${quote(text)}`);
}

function quote(text: string): string {
  return JSON.stringify(text.slice(0, 100));
}
