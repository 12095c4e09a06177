/** How a piece of text looks; `undefined` as the terminal has it. */
export type Look = "bold" | "dim" | "green" | "yellow" | "red" | "cyan";

/** A piece of a line. */
export interface Span {
  readonly text: string;
  readonly look?: Look;
}

/** A line of the live view; its characters are one column wide each. */
export type ViewLine = readonly Span[];

/** SGR codes (ECMA-48, 8.3.117). */
const CODES: Readonly<Record<Look, string>> = {
  bold: "1",
  dim: "2",
  red: "31",
  green: "32",
  yellow: "33",
  cyan: "36",
};

/**
 * Writes a line for the terminal.
 *
 * @param width Columns there are; what goes beyond is cut.
 * @param color Whether looks are shown.
 */
export function renderLine(
  line: ViewLine,
  width: number,
  color: boolean,
): string {
  let left = width;
  let text = "";
  for (const span of line) {
    const characters = [...span.text].slice(0, Math.max(left, 0));
    left -= characters.length;
    const shown = characters.join("");
    text += color && span.look !== undefined && shown !== ""
      ? `\x1b[${CODES[span.look]}m${shown}\x1b[0m`
      : shown;
  }
  return text;
}
