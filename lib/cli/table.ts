import { unicodeWidth } from "@std/cli";
import type { FormatOptions } from "./format_options.ts";
import type { Style } from "./style.ts";
import { printable } from "./printable.ts";
import { shortenText } from "./wrap_text.ts";

/** One column of a table. */
export interface TableColumn<Row> {
  readonly title: string;
  readonly text: (row: Row) => string;
  /** Numbers stand on the right; `left` when absent. */
  readonly align?: "left" | "right";
  /** How narrow it may become, in columns; not at all when absent. */
  readonly min?: number;
  /**
   * The table does without it where there is no room: the highest first.
   * Always there when absent.
   */
  readonly drop?: number;
}

/** Between two columns. */
const GAP = "  ";

/**
 * A table with a line of titles, fitted to a width: columns that may be are
 * made narrower, then left out; what still is too wide becomes a block of lines
 * for each row. Texts are made printable.
 *
 * @param width columns of the terminal; Infinity where there is none
 */
export function formatTable<Row>(
  rows: readonly Row[],
  columns: readonly TableColumn<Row>[],
  { width, style }: FormatOptions,
): string[] {
  let shown = columns.map((column) => ({
    column,
    cells: rows.map((row) => printable(column.text(row))),
  }));
  for (;;) {
    const widths = fit(shown, width);
    if (widths !== undefined) return lines(shown, widths, style);
    const drops = shown.map(({ column }) => column.drop ?? 0);
    const highest = Math.max(...drops);
    if (highest === 0) return blocks(rows.length, columns, rows, style);
    const gone = drops.lastIndexOf(highest);
    shown = shown.filter((_, at) => at !== gone);
  }
}

interface Filled<Row> {
  readonly column: TableColumn<Row>;
  readonly cells: readonly string[];
}

/** How wide each column is to be; undefined when there is no room for all. */
function fit<Row>(
  shown: readonly Filled<Row>[],
  width: number,
): number[] | undefined {
  const widths = shown.map(({ column, cells }) =>
    Math.max(...[column.title, ...cells].map(unicodeWidth))
  );
  const gaps = GAP.length * (shown.length - 1);
  let surplus = widths.reduce((sum, one) => sum + one, gaps) - width;
  while (surplus > 0) {
    // The widest gives first, so that short texts stay whole.
    let widest = -1;
    for (const [at, { column }] of shown.entries()) {
      const least = Math.max(column.min ?? Infinity, column.title.length);
      if (widths[at]! <= least) continue;
      if (widest < 0 || widths[at]! > widths[widest]!) widest = at;
    }
    if (widest < 0) return undefined;
    widths[widest]!--;
    surplus--;
  }
  return widths;
}

function lines<Row>(
  shown: readonly Filled<Row>[],
  widths: readonly number[],
  style: Style,
): string[] {
  const line = (cells: readonly string[]): string =>
    cells.map((cell, at) => {
      const { align } = shown[at]!.column;
      const short = shortenText(cell, widths[at]!);
      const room = " ".repeat(widths[at]! - unicodeWidth(short));
      return align === "right" ? `${room}${short}` : `${short}${room}`;
    }).join(GAP).trimEnd();
  const count = shown[0]?.cells.length ?? 0;
  return [
    style.strong(line(shown.map(({ column }) => column.title))),
    ...Array.from(
      { length: count },
      (_, row) => line(shown.map(({ cells }) => cells[row]!)),
    ),
  ];
}

/** Each row as lines of title and text, with an empty line between rows. */
function blocks<Row>(
  count: number,
  columns: readonly TableColumn<Row>[],
  rows: readonly Row[],
  style: Style,
): string[] {
  const width = Math.max(...columns.map(({ title }) => title.length));
  return rows.flatMap((row, at) => [
    ...columns.flatMap(({ title, text }) => {
      const value = printable(text(row));
      if (value === "") return [];
      return [`${style.strong(title.padEnd(width))}${GAP}${value}`];
    }),
    ...at < count - 1 ? [""] : [],
  ]);
}
