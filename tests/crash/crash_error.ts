/** What a run of the crash test found to be wrong. */
export class CrashError extends Error {
  override readonly name = "CrashError";
}

/** The run was ended by a signal. */
export class CrashInterruption extends Error {
  override readonly name = "CrashInterruption";
  readonly signal: Deno.Signal;

  constructor(signal: Deno.Signal) {
    super(`Ended by ${signal}`);
    this.signal = signal;
  }
}
