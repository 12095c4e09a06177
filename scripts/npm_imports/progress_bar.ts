/**
 * Stands in for `@std/cli/unstable-progress-bar` where JSR cannot be reached:
 * `ProgressBar` with the options that kingbus gives it, drawn by the timers and
 * streams of the platform.
 *
 * @module
 */

/** What a formatter makes the line from. */
export interface ProgressBarFormatter {
  /** The bar alone, `###---`. */
  progressBar: string;
  /** Milliseconds since the begin, and at the line before. */
  time: number;
  previousTime: number;
  /** How much is done, and was at the line before. */
  value: number;
  previousValue: number;
  /** All there is to do. */
  max: number;
}

/** Options of {@linkcode ProgressBar}. */
export interface ProgressBarOptions {
  /** Where the line goes; it stays open. */
  writable: WritableStream<Uint8Array>;
  /** All there is to do. */
  max: number;
  /** What is done already; 0 if not given. */
  value?: number;
  /** Characters of the bar; 50 if not given. */
  barLength?: number;
  /** Whether the line goes when it is stopped; `false` if not given. */
  clear?: boolean;
  /** Makes the line. */
  formatter: (formatter: ProgressBarFormatter) => string;
  /** Milliseconds between two lines; 1000 if not given. */
  interval?: number;
}

/** To the begin of the line, and clears it (ECMA-48 EL). */
const LINE_CLEAR = "\r\u001b[K";

/** A line drawn over and over until it is stopped. */
export class ProgressBar {
  /** How much is done; set by whoever does it. */
  value: number;
  /** All there is to do. */
  max: number;
  readonly #options: ProgressBarOptions;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #timer: ReturnType<typeof setInterval>;
  readonly #began = Date.now();
  #previous = { time: 0, value: 0 };

  /** Draws the first line. */
  constructor(options: ProgressBarOptions) {
    const { writable, max, value = 0, interval = 1000 } = options;
    this.#options = options;
    this.value = value;
    this.max = max;
    this.#previous.value = value;
    this.#writer = writable.getWriter();
    this.#timer = setInterval(() => void this.#draw(), interval);
    void this.#draw();
  }

  /** Draws no more; resolves when the last line is written, or has gone. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    if (this.#options.clear) await this.#write(LINE_CLEAR);
    else {
      await this.#draw();
      await this.#write("\n");
    }
    this.#writer.releaseLock();
  }

  async #draw(): Promise<void> {
    const { barLength = 50, formatter } = this.#options;
    const time = Date.now() - this.#began;
    const { value, max } = this;
    const part = Math.min(Math.max(value / max, 0), 1);
    const full = Math.trunc(part * barLength);
    const line = formatter({
      progressBar: "#".repeat(full) + "-".repeat(barLength - full),
      time,
      previousTime: this.#previous.time,
      value,
      previousValue: this.#previous.value,
      max,
    });
    this.#previous = { time, value };
    await this.#write(LINE_CLEAR + line);
  }

  /** Where nobody reads any more the work goes on all the same. */
  async #write(text: string): Promise<void> {
    await this.#writer.write(new TextEncoder().encode(text)).catch(() => {});
  }
}
