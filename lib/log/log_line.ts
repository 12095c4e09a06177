import type { LogRecord } from "@std/log";
import type { LogFields } from "./log.ts";
import { redactField, redactText } from "./redact.ts";

/**
 * Characters one text in a line may have: what a peer sends (names, statements)
 * ends up in fields, and must not fill the disk.
 */
const TEXT_MAX = 8192;

/** Names of the parts every line has; fields of these names get a `_` behind. */
const OWN_NAMES = new Set(["time", "level", "message"]);

// deno-lint-ignore no-control-regex -- they are what must not reach a terminal
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g;

// deno-lint-ignore no-control-regex -- as above
const NEEDS_QUOTES = /[\s"=\u0000-\u001f\u007f-\u009f\u2028\u2029]|^$/;

/**
 * A line for people: `time LEVEL message key=value key="value with spaces"`.
 * Control characters are escaped, so that one record is one line and cannot
 * drive a terminal.
 */
export function formatTextLine(record: LogRecord): string {
  const parts = [
    record.datetime.toISOString(),
    record.levelName.padEnd(5),
    escapeControl(redactText(shorten(record.msg))),
  ];
  for (const [name, value] of shownFields(record)) {
    parts.push(`${escapeControl(name)}=${quoteText(String(value))}`);
  }
  return parts.join(" ");
}

/** A line for programs: one JSON object; 64-bit integers are strings. */
export function formatJsonLine(record: LogRecord): string {
  const line: Record<string, string | number | boolean> = {
    time: record.datetime.toISOString(),
    level: record.levelName.toLowerCase(),
    message: redactText(shorten(record.msg)),
  };
  for (const [name, value] of shownFields(record)) {
    line[OWN_NAMES.has(name) ? `${name}_` : name] = value;
  }
  return JSON.stringify(line);
}

function* shownFields(
  record: LogRecord,
): Generator<[string, string | number | boolean]> {
  const [fields] = record.args;
  if (fields === undefined) return;
  for (const [name, value] of Object.entries(fields as LogFields)) {
    if (value === undefined) continue;
    const shown = redactField(name, shownValue(value));
    yield [name, shown];
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

function quoteText(text: string): string {
  if (!NEEDS_QUOTES.test(text)) return text;
  return `"${escapeControl(text.replaceAll(/["\\]/g, "\\$&"))}"`;
}

function escapeControl(text: string): string {
  return text.replace(CONTROL, (character) => {
    if (character === "\n") return "\\n";
    if (character === "\t") return "\\t";
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}

function shorten(text: string): string {
  if (text.length <= TEXT_MAX) return text;
  return `${text.slice(0, TEXT_MAX)}… (${text.length - TEXT_MAX} more)`;
}
