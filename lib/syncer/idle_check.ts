/** What an idle check works with. */
export interface IdleCheckParts {
  /** How long nothing but heartbeats may come before it asks, in ms. */
  readonly periodMs: number;
  /** Something that changes with everything that comes. */
  readonly progress: () => unknown;
  /**
   * Asks the source whether nothing is to come: why the dump can't be trusted,
   * `behind` if the log goes on there, or undefined when all is well.
   */
  readonly ask: (signal: AbortSignal) => Promise<string | undefined>;
  /** Told once, when the dump can't be trusted. */
  readonly onStale: (why: string) => void;
}

/** What `ask` answers when the source's log goes on behind what it has sent. */
export const BEHIND = "behind";

/**
 * Asks a source that sends nothing but heartbeats whether there is nothing to
 * send: a dump goes on with heartbeats for ever when the log was reset under
 * it (MySQL 5.6, and later versions until the new log has grown as long), and
 * says nothing of transactions that are in no file.
 */
export class IdleCheck implements AsyncDisposable {
  readonly #parts: IdleCheckParts;
  readonly #abort = new AbortController();
  readonly #timer: ReturnType<typeof setInterval>;
  #progress: unknown;
  /** Progress at which the source was found to have more. */
  #behindAt: unknown;
  #asking: Promise<void> | undefined;

  /** Begins to look, every `periodMs`. */
  constructor(parts: IdleCheckParts) {
    this.#parts = parts;
    this.#progress = parts.progress();
    this.#timer = setInterval(() => this.#look(), parts.periodMs);
  }

  /** Ends it; resolves when the source is not being asked any more. */
  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    this.#abort.abort();
    await this.#asking;
  }

  #look(): void {
    const progress = this.#parts.progress();
    const isIdle = progress === this.#progress;
    this.#progress = progress;
    if (!isIdle || this.#asking !== undefined) return;
    this.#asking = this.#ask(progress).finally(() => this.#asking = undefined);
  }

  async #ask(progress: unknown): Promise<void> {
    const { ask, onStale } = this.#parts;
    const why = await ask(this.#abort.signal);
    if (this.#abort.signal.aborted || why === undefined) return;
    if (this.#parts.progress() !== progress) return;
    // What was written a moment ago may be on its way: ask once more for that.
    if (why === BEHIND && this.#behindAt !== progress) {
      this.#behindAt = progress;
      return;
    }
    clearInterval(this.#timer);
    onStale(why);
  }
}
