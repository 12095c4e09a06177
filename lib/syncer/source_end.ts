import type { SourceFile } from "./source_session.ts";

/** What asking for the source's end works with. */
export interface SourceEndParts {
  /** How often it is asked while it sends, in ms. */
  readonly periodMs: number;
  /** How often it is looked whether to ask, in ms; every second if absent. */
  readonly lookMs?: number;
  /** Whether it has nothing more to send, so that there is nothing to ask. */
  readonly isCaughtUp: () => boolean;
  /** Where the source's own log goes on behind what has come. */
  readonly position: () => { fileName: string; position: bigint };
  /** The source's files, oldest first; undefined if it does not say. */
  readonly ask: (signal: AbortSignal) => Promise<
    readonly SourceFile[] | undefined
  >;
  /** Told when it ended where the source's log goes on: all of it has come. */
  readonly onEnd: () => void;
}

/** See `SourceEndParts.lookMs`. */
const LOOK_MS = 1_000;

/**
 * Asks a source that sends, over another connection, where its log ends: a dump
 * does not say how much is to come, nor, before the first heartbeat, that this
 * was all.
 *
 * The source is asked from time to time, and at once when nothing has come between
 * two looks: that may be its end. The latter only until it was at its end for the
 * first time. From then on what comes is new, and a source that writes now and
 * then is not asked after each transaction.
 */
export class SourceEnd implements AsyncDisposable {
  readonly #parts: SourceEndParts;
  readonly #abort = new AbortController();
  readonly #timer: ReturnType<typeof setInterval>;
  readonly #looksPerPeriod: number;
  /** Looks until it is asked in any case; whoever has much is known early. */
  #looksLeft = 1;
  /** What had come at the last look. */
  #lookedAt = "";
  /** What had come when it was asked last. */
  #askedAt = "";
  #wasAtEnd = false;
  #files: readonly SourceFile[] | undefined;
  #asking: Promise<void> | undefined;

  /** Begins to ask. */
  constructor(parts: SourceEndParts) {
    this.#parts = parts;
    const lookMs = Math.min(parts.periodMs, parts.lookMs ?? LOOK_MS);
    this.#looksPerPeriod = Math.round(parts.periodMs / lookMs);
    this.#timer = setInterval(() => this.#look(), lookMs);
  }

  /** Ends it; resolves when the source is not being asked any more. */
  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    this.#abort.abort();
    await this.#asking;
  }

  /**
   * Bytes between what has come and the end that the source last told, without
   * what it wrote since: 0 once it has nothing more to send, undefined before it
   * told.
   */
  get bytesBehind(): number | undefined {
    if (this.#parts.isCaughtUp()) return 0;
    const files = this.#files;
    if (files === undefined) return undefined;
    const { fileName, position } = this.#parts.position();
    const at = files.findIndex(({ name }) => name === fileName);
    // A file it has begun since is behind all of them.
    if (at < 0) return 0;
    const bytes = files.slice(at).reduce((sum, { size }) => sum + size, 0);
    return Math.max(0, bytes - Number(position));
  }

  #look(): void {
    if (this.#asking !== undefined) return;
    this.#looksLeft--;
    const at = this.#at();
    const isQuiet = at === this.#lookedAt;
    this.#lookedAt = at;
    if (this.#parts.isCaughtUp()) {
      this.#wasAtEnd = true;
      return;
    }
    const mayBeEnd = isQuiet && !this.#wasAtEnd && at !== this.#askedAt;
    if (this.#looksLeft > 0 && !mayBeEnd) return;
    this.#looksLeft = this.#looksPerPeriod;
    this.#askedAt = at;
    this.#asking = this.#ask().finally(() => this.#asking = undefined);
  }

  #at(): string {
    const { fileName, position } = this.#parts.position();
    return `${fileName}:${position}`;
  }

  async #ask(): Promise<void> {
    const files = await this.#parts.ask(this.#abort.signal);
    if (files === undefined || this.#abort.signal.aborted) return;
    this.#files = files;
    const end = files.at(-1);
    if (end === undefined || `${end.name}:${end.size}` !== this.#at()) return;
    this.#wasAtEnd = true;
    this.#parts.onEnd();
  }
}
