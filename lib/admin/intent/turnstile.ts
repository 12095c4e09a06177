/** Lets asynchronous steps through one at a time, in the order they came. */
export class Turnstile {
  #last: Promise<unknown> = Promise.resolve();

  /** Runs `step` when all that were passed before it have ended. */
  pass<Result>(step: () => Promise<Result>): Promise<Result> {
    const result = this.#last.then(step);
    // The next step runs whatever became of this one; its caller is told.
    this.#last = result.catch(() => {});
    return result;
  }
}
