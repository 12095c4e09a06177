/** Somebody who reads the stream: what waits for it is one chunk at most. */
export class EventReader {
  /** What it is sent. */
  readonly body: ReadableStream<Uint8Array>;
  readonly #monotonicMs: () => number;
  readonly #onGone: () => void;
  readonly #beganMs: number;
  #controller!: ReadableStreamDefaultController<Uint8Array>;
  #ended = false;
  /** Since when it takes nothing; undefined while it does. */
  #stuckSinceMs: number | undefined;
  /** It has missed something. */
  #missed = false;

  /**
   * @param first what it gets at once
   * @param monotonicMs a clock that never jumps
   * @param onGone called once, when it has gone
   */
  constructor(
    first: Uint8Array,
    monotonicMs: () => number,
    onGone: () => void,
  ) {
    this.#monotonicMs = monotonicMs;
    this.#onGone = onGone;
    this.#beganMs = monotonicMs();
    this.body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        this.#controller = controller;
        controller.enqueue(first);
      },
      cancel: () => this.#gone(),
    });
  }

  /** How long it has been there, in ms. */
  get ageMs(): number {
    return this.#monotonicMs() - this.#beganMs;
  }

  /** How long it has taken nothing although there was something, in ms. */
  get stuckMs(): number {
    return this.#stuckSinceMs === undefined
      ? 0
      : this.#monotonicMs() - this.#stuckSinceMs;
  }

  /**
   * Gives it what is new if it has taken what was before; one that has missed
   * something gets `anew` in its place.
   */
  offer(news: Uint8Array, anew: () => Uint8Array): void {
    if (this.#ended) return;
    if ((this.#controller.desiredSize ?? 0) <= 0) {
      this.#missed = true;
      this.#stuckSinceMs ??= this.#monotonicMs();
      return;
    }
    this.#stuckSinceMs = undefined;
    this.#controller.enqueue(this.#missed ? anew() : news);
    this.#missed = false;
  }

  /** Ends the stream in order. */
  close(): void {
    if (this.#ended) return;
    this.#controller.close();
    this.#gone();
  }

  /** Ends it in the middle, so that whoever delivers it closes the connection. */
  cut(reason: Error): void {
    if (this.#ended) return;
    this.#controller.error(reason);
    this.#gone();
  }

  #gone(): void {
    this.#ended = true;
    this.#onGone();
  }
}
