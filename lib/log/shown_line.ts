import type { LogFields } from "./log.ts";
import { redactField, redactText } from "./redact.ts";

/**
 * Characters one text in a line may have: what a peer sends (names, statements)
 * ends up in fields, and must not fill the disk.
 */
const TEXT_MAX = 8192;

/** A line's message as it is shown: without secrets, and not too long. */
export function shownMessage(message: string): string {
  return redactText(shorten(message));
}

/**
 * A line's fields as they are shown: those that have a value, without secrets,
 * no text too long, 64-bit integers as text.
 */
export function* shownFields(
  fields: LogFields,
): Generator<[string, string | number | boolean]> {
  for (const [name, value] of Object.entries(fields)) {
    if (value === undefined) continue;
    yield [name, redactField(name, shownValue(value))];
  }
}

function shownValue(
  value: string | number | boolean | bigint,
): string | number | boolean {
  if (typeof value === "string") return shorten(value);
  if (typeof value === "boolean") return value;
  const isNumber = typeof value === "number" && Number.isFinite(value);
  return isNumber ? value : String(value);
}

function shorten(text: string): string {
  if (text.length <= TEXT_MAX) return text;
  return `${text.slice(0, TEXT_MAX)}… (${text.length - TEXT_MAX} more)`;
}
