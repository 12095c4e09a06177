import type { FormatOptions } from "./format_options.ts";
import { printable } from "./printable.ts";
import { wrapText } from "./wrap_text.ts";

/** One thing that a check has looked at. */
export interface Finding {
  /** `problem`: it will not work; `warning`: it will, and somebody should look. */
  readonly level: "ok" | "warning" | "problem";
  /** What was looked at, in a word or two: `log_bin`. */
  readonly what: string;
  /** What was found, and what to do about it. */
  readonly text: string;
}

const MARKS = { ok: "ok", warning: "WARN", problem: "FAIL" } as const;
const TONES = { ok: "good", warning: "warning", problem: "bad" } as const;

/** Findings for people, one or more lines each, fitted to a width. */
export function formatFindings(
  findings: readonly Finding[],
  { width, style }: FormatOptions,
): string[] {
  const whatWidth = Math.max(0, ...findings.map(({ what }) => what.length));
  const indent = 6 + whatWidth + 2;
  return findings.flatMap(({ level, what, text }) => {
    const room = Math.max(width - indent, 24);
    return wrapText(printable(text), room).map((line, at) =>
      at === 0
        ? `${style[TONES[level]](MARKS[level].padEnd(4))}  ${
          what.padEnd(whatWidth)
        }  ${line}`
        : `${" ".repeat(indent)}${line}`
    );
  });
}
