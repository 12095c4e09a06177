/** A server for tests that could not be installed, started or stopped. */
export class TestServerError extends Error {
  /** @param message What was tried, what happened, and what to do about it. */
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "TestServerError";
  }
}
