/** Signals that ask a process to end. */
const SIGNALS: readonly Deno.Signal[] = Deno.build.os === "windows"
  ? ["SIGINT", "SIGBREAK"]
  : ["SIGINT", "SIGTERM"];

/**
 * Waits for the signals that ask the process to end: the first one resolves
 * `first`, another one calls `again`.
 */
export class StopSignals implements Disposable {
  /** Resolves with the first signal. */
  readonly first: Promise<Deno.Signal>;
  readonly #listeners: (readonly [Deno.Signal, () => void])[];

  constructor(again: () => void) {
    const { promise, resolve } = Promise.withResolvers<Deno.Signal>();
    let count = 0;
    this.first = promise;
    this.#listeners = SIGNALS.map((signal) => [signal, () => {
      if (count++ === 0) resolve(signal);
      else again();
    }]);
    for (const [signal, listener] of this.#listeners) {
      Deno.addSignalListener(signal, listener);
    }
  }

  [Symbol.dispose](): void {
    for (const [signal, listener] of this.#listeners) {
      Deno.removeSignalListener(signal, listener);
    }
  }
}
