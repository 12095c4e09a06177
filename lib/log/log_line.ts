import type { LogRecord } from "@std/log";
import type { LogFields } from "./log.ts";
import { shownFields, shownMessage } from "./shown_line.ts";

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
    escapeControl(shownMessage(record.msg)),
  ];
  for (const [name, value] of fieldsOf(record)) {
    parts.push(`${escapeControl(name)}=${quoteText(String(value))}`);
  }
  return parts.join(" ");
}

/** A line for programs: one JSON object; 64-bit integers are strings. */
export function formatJsonLine(record: LogRecord): string {
  const line: Record<string, string | number | boolean> = {
    time: record.datetime.toISOString(),
    level: record.levelName.toLowerCase(),
    message: shownMessage(record.msg),
  };
  for (const [name, value] of fieldsOf(record)) {
    line[OWN_NAMES.has(name) ? `${name}_` : name] = value;
  }
  return JSON.stringify(line);
}

function fieldsOf(record: LogRecord): ReturnType<typeof shownFields> {
  const [fields = {}] = record.args;
  return shownFields(fields as LogFields);
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
