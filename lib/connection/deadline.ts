import { ConnectionError } from "./connection_error.ts";

/**
 * A time limit as an abort signal, to be disposed of when the work is done:
 * the timer then goes, and so does what it registered on `parent`. The signal
 * aborts with a `ConnectionError` of kind `timeout`, or with `parent`'s reason
 * if that aborts first.
 */
export class Deadline implements Disposable {
  readonly #controller = new AbortController();
  readonly #timer: ReturnType<typeof setTimeout>;
  readonly #parent: AbortSignal | undefined;
  readonly #onParentAbort: () => void;

  /** `what` ends the sentence "Timed out after … ms " of the error. */
  constructor(timeoutMs: number, what: string, parent?: AbortSignal) {
    this.#parent = parent;
    this.#onParentAbort = () => this.#controller.abort(parent?.reason);
    if (parent?.aborted) this.#onParentAbort();
    parent?.addEventListener("abort", this.#onParentAbort, { once: true });
    this.#timer = setTimeout(() => {
      const message = `Timed out after ${timeoutMs} ms ${what}`;
      this.#controller.abort(new ConnectionError("timeout", message));
    }, timeoutMs);
  }

  /** Aborts at the limit. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#parent?.removeEventListener("abort", this.#onParentAbort);
  }
}
