import { unicodeWidth } from "@std/cli";

/**
 * Text in lines of so many columns, broken between words, and inside of words
 * that are longer than a line.
 *
 * @param width columns; Infinity for one line
 */
export function wrapText(text: string, width: number): string[] {
  const lines: string[] = [""];
  for (const word of text.split(" ")) {
    const last = lines.at(-1)!;
    const joined = last === "" ? word : `${last} ${word}`;
    if (unicodeWidth(joined) <= width) {
      lines[lines.length - 1] = joined;
      continue;
    }
    const pieces = cutText(word, width);
    if (last === "") lines.pop();
    lines.push(...pieces);
  }
  return lines;
}

/** Text cut into pieces that are no wider than so many columns, at least 1. */
function cutText(text: string, width: number): string[] {
  const pieces: string[] = [];
  let piece = "";
  let used = 0;
  for (const character of text) {
    const more = unicodeWidth(character);
    if (piece !== "" && used + more > width) {
      pieces.push(piece);
      piece = "";
      used = 0;
    }
    piece += character;
    used += more;
  }
  return [...pieces, piece];
}

/** The beginning of a text, as much as goes into so many columns, with `…`. */
export function shortenText(text: string, width: number): string {
  if (unicodeWidth(text) <= width) return text;
  if (width < 1) return "";
  const [first = ""] = cutText(text, width - 1);
  return unicodeWidth(first) < width ? `${first}…` : "…";
}
