import { renderLine, type ViewLine } from "./view_line.ts";

/** The terminal a {@linkcode Screen} draws on. */
export interface ScreenTerminal {
  readonly write: (text: string) => void;
  readonly size: () => { columns: number; rows: number };
  readonly color: boolean;
}

/** xterm control sequences; terminals that lack one ignore it. */
const OPEN = "\x1b[?1049h\x1b[?25l\x1b[2J"; // other screen, no cursor, cleared
const CLOSE = "\x1b[?25h\x1b[?1049l";
const FRAME_BEGIN = "\x1b[?2026h\x1b[H"; // drawn at once, from the top left
const FRAME_END = "\x1b[J\x1b[?2026l";
const LINE_END = "\x1b[K";

/**
 * Draws frames over one another on the terminal's other screen; when it closes,
 * what the terminal showed before is there again, and so is the cursor.
 */
export class Screen implements Disposable {
  readonly #terminal: ScreenTerminal;
  #open = false;

  constructor(terminal: ScreenTerminal) {
    this.#terminal = terminal;
  }

  /** Draws a frame, cut to what fits. */
  draw(frame: (columns: number) => readonly ViewLine[]): void {
    const { write, size, color } = this.#terminal;
    const { columns, rows } = size();
    const lines = frame(columns).slice(0, rows)
      .map((line) => renderLine(line, columns, color) + LINE_END);
    const opening = this.#open ? "" : OPEN;
    this.#open = true;
    write(`${opening}${FRAME_BEGIN}${lines.join("\r\n")}${FRAME_END}`);
  }

  /** Gives the terminal back. */
  [Symbol.dispose](): void {
    if (!this.#open) return;
    this.#open = false;
    this.#terminal.write(CLOSE);
  }
}
