/** The demo could not do what it shows; the message says what went wrong. */
export class DemoError extends Error {
  override readonly name = "DemoError";
}

/** A signal ended the demo before its end. */
export class Interruption extends Error {
  override readonly name = "Interruption";
  /** The signal. */
  readonly signal: Deno.Signal;

  constructor(signal: Deno.Signal) {
    super(`Ended by ${signal}`);
    this.signal = signal;
  }
}
