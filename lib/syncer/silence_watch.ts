/** How often silence is looked for, as a part of the time that it may last. */
const WATCH_FRACTION = 4;

/** What a {@linkcode SilenceWatch} looks at. */
export interface SilenceWatchOptions {
  /** How long nothing may come, in ms. */
  readonly timeoutMs: number;
  /** Grows with everything that comes. */
  readonly received: () => number;
  /** False while it is no fault of the source that nothing comes. */
  readonly awaitsSource: () => boolean;
  /** Called once, when nothing has come for too long. */
  readonly onSilent: () => void;
}

/** Notices when nothing came for too long: one timer for all reads. */
export class SilenceWatch {
  readonly #options: SilenceWatchOptions;
  readonly #timer: ReturnType<typeof setInterval>;
  #received: number;
  #silentTicks = 0;
  #fired = false;

  constructor(options: SilenceWatchOptions) {
    this.#options = options;
    this.#received = options.received();
    const tickMs = Math.ceil(options.timeoutMs / WATCH_FRACTION);
    this.#timer = setInterval(() => this.#look(), tickMs);
  }

  /** Whether nothing had come for too long. */
  get fired(): boolean {
    return this.#fired;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  // Counts ticks of its own, so that a clock that is set does not matter.
  #look(): void {
    const { awaitsSource, onSilent } = this.#options;
    const received = this.#options.received();
    const isHeard = received !== this.#received || !awaitsSource();
    this.#received = received;
    this.#silentTicks = isHeard ? 0 : this.#silentTicks + 1;
    if (this.#silentTicks < WATCH_FRACTION) return;
    this.#fired = true;
    clearInterval(this.#timer);
    onSilent();
  }
}
