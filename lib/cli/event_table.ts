import type { StoredFile } from "../store/binlog_store.ts";
import type { ListedEvent } from "../store/list_events.ts";
import { formatOptions } from "./format_options.ts";
import { printable } from "./printable.ts";
import type { Terminal } from "./terminal.ts";
import { shortenText } from "./wrap_text.ts";

/** Longest info that is printed, in characters. */
const INFO_CHARACTERS_MAX = 200;

/** Room that is kept for the info, in columns of the terminal. */
const INFO_WIDTH_MIN = 12;

/** Between two columns. */
const GAP = "  ";

/** A column of what is known of every event. */
interface Column {
  readonly title: string;
  readonly text: (event: ListedEvent) => string;
  /** How wide it is at least; it widens as it has to. */
  readonly width: number;
  /** Numbers stand on the right; `left` when absent. */
  readonly align?: "right";
  /** Left out where there is no room: the highest first; never when absent. */
  readonly drop?: number;
}

const COLUMNS: readonly Column[] = [
  {
    title: "POSITION",
    text: ({ isInner, position }) => isInner ? "" : String(position),
    width: 10,
    align: "right",
  },
  {
    title: "SIZE",
    text: ({ size }) => String(size),
    width: 8,
    align: "right",
    drop: 3,
  },
  { title: "TIME", text: timeOf, width: 19, drop: 1 },
  {
    title: "SERVER ID",
    text: ({ serverId }) => String(serverId),
    width: 10,
    align: "right",
    drop: 2,
  },
  {
    title: "TYPE",
    text: ({ isInner, type }) => isInner ? `${GAP}${type}` : type,
    width: 19,
  },
];

/**
 * Prints events for people, as they come: a line each, below the file's name and
 * the titles. On a terminal that is too narrow for all columns the least telling
 * ones are left out, so that there is room for what an event says.
 */
export class EventTable {
  readonly #terminal: Terminal;
  readonly #lineWidth: number;
  readonly #columns: readonly Column[];
  readonly #widths: number[];
  #header: string;

  /** Prints nothing before the first event. */
  constructor(terminal: Terminal, file: Pick<StoredFile, "name">) {
    this.#terminal = terminal;
    this.#lineWidth = formatOptions(terminal).width;
    this.#columns = columnsIn(this.#lineWidth);
    this.#widths = this.#columns.map(({ width }) => width);
    const titles = this.#columns.map(({ title }) => title);
    this.#header = `${printable(file.name)}\n${this.#line(titles, "INFO")}`;
  }

  /** Prints one. */
  event(event: ListedEvent): void {
    const cells = this.#columns.map(({ text }) => text(event));
    this.#terminal.out(this.#header + this.#line(cells, infoOf(event)));
    this.#header = "";
  }

  /** Prints the titles alone where no event came. */
  end(): void {
    this.#terminal.out(this.#header);
  }

  #line(cells: readonly string[], info: string): string {
    const padded = cells.map((cell, at) => {
      const width = Math.max(this.#widths[at]!, cell.length);
      this.#widths[at] = width;
      return this.#columns[at]!.align === "right"
        ? cell.padStart(width)
        : cell.padEnd(width);
    });
    const line = [...padded, info].join(GAP).trimEnd();
    return `${shortenText(line, this.#lineWidth)}\n`;
  }
}

/** The columns that leave room for the info in a line. */
function columnsIn(lineWidth: number): readonly Column[] {
  let shown = COLUMNS;
  for (;;) {
    const taken = shown.reduce(
      (sum, { width }) => sum + width + GAP.length,
      0,
    );
    const highest = Math.max(...shown.map(({ drop }) => drop ?? 0));
    if (taken + INFO_WIDTH_MIN <= lineWidth || highest === 0) return shown;
    shown = shown.filter(({ drop }) => drop !== highest);
  }
}

function timeOf({ timestamp }: ListedEvent): string {
  return timestamp === 0
    ? ""
    : new Date(timestamp * 1000).toISOString().slice(0, 19).replace("T", " ");
}

/** What an event says, in one line that does not drive the terminal. */
function infoOf(event: ListedEvent): string {
  const { info, database, table } = event;
  const names = database === undefined || table === undefined
    ? ""
    : `${database}.${table}`;
  const all = names === "" || info.includes(names)
    ? info
    : `${info} (${names})`;
  const line = printable(all.replaceAll(/\s+/g, " "));
  return line.length > INFO_CHARACTERS_MAX
    ? `${line.slice(0, INFO_CHARACTERS_MAX - 1)}…`
    : line;
}
