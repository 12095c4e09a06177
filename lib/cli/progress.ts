import { ProgressBar } from "@std/cli/unstable-progress-bar";
import { formatBytes } from "./format_bytes.ts";
import type { Terminal } from "./terminal.ts";
import { shortenText } from "./wrap_text.ts";

/** What a piece of work is called and how much of it there is. */
export interface ProgressOptions {
  /** What is done, as in `export`. */
  readonly title: string;
  /** All of it, in `unit`s; 0 when it is not known. */
  readonly total: number;
  /** What is counted. */
  readonly unit: "bytes";
}

/** How a progress bar tells the time. */
type Clock = () => number;

/** Work that is done sooner shows no bar. */
const PATIENCE_MS = 1_000;

/** How often a terminal's line is drawn anew, and a log gets another line. */
const DRAW_MS = 100;
const LINE_MS = 5_000;

/** The rate shown is that of about so long. */
const RATE_MS = 3_000;

/** Characters of the bar: 80 columns have room for all else. */
const BAR_WIDTH = 12;
/** Columns of a terminal that does not say its width. */
const COLUMNS = 80;

/** Between two parts of a line. */
const GAP = "  ";
/** Title, bar, part, and the time left: what a narrow terminal shows. */
const LEAST_PARTS = 4;

/**
 * Shows on standard error how far a piece of work is: one line drawn over and
 * over on a terminal, else a line every few seconds. Work that takes less than
 * a second shows nothing.
 */
export class Progress {
  readonly #terminal: Terminal;
  readonly #options: ProgressOptions;
  readonly #now: Clock;
  readonly #started: number;
  #shown: number;
  #done = 0;
  // Where the work was some time ago, for the rate.
  #markTime: number;
  #markDone = 0;
  #rate = 0;
  #bar: ProgressBar | undefined;

  /**
   * Begins at nothing done; draws nothing yet.
   *
   * @param terminal where it is shown
   * @param options what is shown
   * @param now milliseconds that never go back
   */
  constructor(
    terminal: Terminal,
    options: ProgressOptions,
    now: Clock = () => performance.now(),
  ) {
    this.#terminal = terminal;
    this.#options = options;
    this.#now = now;
    this.#started = now();
    this.#shown = this.#started;
    this.#markTime = this.#started;
  }

  /** So much of it is done now, in units from the begin. */
  update(done: number): void {
    this.#done = done;
    const now = this.#now();
    if (this.#terminal.errIsTerminal) {
      if (this.#bar !== undefined) this.#bar.value = done;
      else if (now - this.#started >= PATIENCE_MS) this.#bar = this.#open();
      return;
    }
    if (now - this.#shown < LINE_MS) return;
    this.#shown = now;
    this.#measure(now);
    this.#terminal.err(`${this.#parts(now).join(GAP)}\n`);
  }

  /** The work has ended, done or not: how far it came stays to be seen. */
  async end(): Promise<void> {
    const bar = this.#bar;
    this.#bar = undefined;
    await bar?.stop();
  }

  #open(): ProgressBar {
    const { err } = this.#terminal;
    const decoder = new TextDecoder();
    return new ProgressBar({
      writable: new WritableStream({
        write: (chunk) => err(decoder.decode(chunk, { stream: true })),
      }),
      // All of nothing known is nothing done.
      max: this.#options.total || Infinity,
      value: this.#done,
      barLength: BAR_WIDTH,
      interval: DRAW_MS,
      formatter: ({ progressBar }) => {
        const now = this.#now();
        this.#measure(now);
        const columns = this.#terminal.size()?.columns ?? COLUMNS;
        // A full line would make some terminals begin another one.
        return this.#fit(now, progressBar, columns - 1);
      },
    });
  }

  #measure(now: number): void {
    const passed = now - this.#markTime;
    const rate = (this.#done - this.#markDone) / Math.max(passed, 1) * 1000;
    const part = Math.min(1, passed / RATE_MS);
    this.#rate = this.#rate === 0 ? rate : this.#rate * (1 - part) +
      rate * part;
    this.#markTime = now;
    this.#markDone = this.#done;
  }

  /** As much as goes into a line: the rate goes first, then the amounts. */
  #fit(now: number, bar: string, width: number): string {
    const parts = this.#parts(now, bar);
    while (parts.length > LEAST_PARTS && parts.join(GAP).length > width) {
      parts.splice(-2, 1);
    }
    return shortenText(parts.join(GAP), width);
  }

  #parts(now: number, bar?: string): string[] {
    const { title, total } = this.#options;
    const done = this.#done;
    const rate = `${formatBytes(this.#rate)}/s`;
    if (total <= 0) return [title, formatBytes(done), rate];
    const part = Math.min(1, done / total);
    return [
      title,
      ...bar === undefined ? [] : [`[${bar}]`],
      `${Math.floor(part * 100)}%`.padStart(4),
      `${formatBytes(done)} of ${formatBytes(total)}`,
      rate,
      this.#left(now, part),
    ];
  }

  /** How long it will take; `?` while nothing tells. */
  #left(now: number, part: number): string {
    if (part >= 1) {
      return `${formatSeconds((now - this.#started) / 1000)} in all`;
    }
    const rest = this.#options.total - this.#done;
    if (this.#rate <= 0) return "? left";
    return `${formatSeconds(rest / this.#rate)} left`;
  }
}

function formatSeconds(seconds: number): string {
  const whole = Math.round(seconds);
  const pad = (value: number) => String(value).padStart(2, "0");
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes}:${pad(whole % 60)}`;
  return `${Math.floor(minutes / 60)}:${pad(minutes % 60)}:${pad(whole % 60)}`;
}
