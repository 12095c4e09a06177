import type { SourceFile } from "./source_session.ts";

/** What asking for the source's end works with. */
export interface SourceEndParts {
  /** How often it is asked while it sends, in ms. */
  readonly periodMs: number;
  /** Whether it has nothing more to send, so that there is nothing to ask. */
  readonly isCaughtUp: () => boolean;
  /** Where the source's own log goes on behind what has come. */
  readonly position: () => { fileName: string; position: bigint };
  /** The source's files, oldest first; undefined if it does not say. */
  readonly ask: (signal: AbortSignal) => Promise<
    readonly SourceFile[] | undefined
  >;
}

/** How soon it is asked first: whoever has much to send is known early. */
const FIRST_MS = 1_000;

/**
 * Asks a source that sends, over another connection, where its log ends: a dump
 * does not say how much is to come.
 */
export class SourceEnd implements AsyncDisposable {
  readonly #parts: SourceEndParts;
  readonly #abort = new AbortController();
  #timer: ReturnType<typeof setTimeout>;
  #files: readonly SourceFile[] | undefined;
  #asking: Promise<void> | undefined;

  /** Begins to ask. */
  constructor(parts: SourceEndParts) {
    this.#parts = parts;
    this.#timer = this.#askIn(Math.min(parts.periodMs, FIRST_MS));
  }

  /** Ends it; resolves when the source is not being asked any more. */
  async [Symbol.asyncDispose](): Promise<void> {
    clearTimeout(this.#timer);
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

  #askIn(ms: number): ReturnType<typeof setTimeout> {
    return setTimeout(() => {
      this.#asking = this.#ask().finally(() => {
        if (this.#abort.signal.aborted) return;
        this.#timer = this.#askIn(this.#parts.periodMs);
      });
    }, ms);
  }

  async #ask(): Promise<void> {
    if (this.#parts.isCaughtUp()) return;
    this.#files = await this.#parts.ask(this.#abort.signal) ?? this.#files;
  }
}
