import { formatPlainLine } from "./format_plain_line.ts";
import { formatView } from "./format_view.ts";
import { Screen, type ScreenTerminal } from "./screen.ts";
import type { Snapshot } from "./snapshot.ts";

/** Where a {@linkcode DemoOutput} goes. */
export interface DemoOutputOptions {
  readonly write: (text: string) => void;
  /** The terminal behind `write`; `undefined` if it is none. */
  readonly terminal: ScreenTerminal | undefined;
  /** Milliseconds, by a clock that only goes forward. */
  readonly now: () => number;
}

/** Periods in which the state of the servers is shown. */
const TERMINAL_REFRESH_MS = 200;
const PLAIN_REFRESH_MS = 1_000;
/** Least time between two lines of progress where there is no terminal. */
const PLAIN_PROGRESS_MS = 2_000;

/** From the start of a line, clears it. */
const CLEAR_LINE = "\r\x1b[K";

/** All that the demo shows: lines, progress, and the servers' state. */
export class DemoOutput implements Disposable {
  /** Milliseconds from one {@linkcode show} to the next. */
  readonly refreshMs: number;
  readonly #options: DemoOutputOptions;
  readonly #screen: Screen | undefined;
  #progressShown = false;
  #progressAtMs = -Infinity;
  #snapshot: Snapshot | undefined;

  constructor(options: DemoOutputOptions) {
    const { terminal } = options;
    this.#options = options;
    this.#screen = terminal === undefined ? undefined : new Screen(terminal);
    this.refreshMs = terminal === undefined
      ? PLAIN_REFRESH_MS
      : TERMINAL_REFRESH_MS;
  }

  /** Writes lines that stay. */
  say(text: string): void {
    this.#options.write(`${this.#endProgress()}${text}\n`);
  }

  /** Tells how something goes on; a terminal shows the newest only. */
  progress(text: string): void {
    const { write, now } = this.#options;
    if (this.#screen !== undefined) {
      write(`${CLEAR_LINE}${text}`);
      this.#progressShown = true;
      return;
    }
    if (now() - this.#progressAtMs < PLAIN_PROGRESS_MS) return;
    this.#progressAtMs = now();
    write(`${text}\n`);
  }

  /** Shows the servers' state. */
  show(snapshot: Snapshot): void {
    this.#snapshot = snapshot;
    if (this.#screen === undefined) {
      this.#options.write(`${formatPlainLine(snapshot)}\n`);
      return;
    }
    const cleared = this.#endProgress();
    if (cleared !== "") this.#options.write(cleared);
    this.redraw();
  }

  /** Whether a state of the servers was shown and is not over. */
  get live(): boolean {
    return this.#snapshot !== undefined;
  }

  /** Draws the last state again: the terminal's size has changed. */
  redraw(): void {
    const snapshot = this.#snapshot;
    if (snapshot === undefined) return;
    this.#screen?.draw((columns) => formatView(snapshot, columns));
  }

  /** Ends the live view; lines may follow. */
  [Symbol.dispose](): void {
    this.#snapshot = undefined;
    this.#screen?.[Symbol.dispose]();
  }

  #endProgress(): string {
    if (!this.#progressShown) return "";
    this.#progressShown = false;
    return CLEAR_LINE;
  }
}
