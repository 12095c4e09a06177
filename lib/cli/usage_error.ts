/** The command line cannot be understood; the message is one line. */
export class UsageError extends Error {
  override readonly name = "UsageError";
  /** The command whose help tells more; undefined where none is known. */
  command: string | undefined;

  /**
   * @param message what is not understood
   * @param options the underlying error as `cause`
   * @param command the command whose help tells more, where it is known here
   */
  constructor(message: string, options?: ErrorOptions, command?: string) {
    super(message, options);
    this.command = command;
  }
}

/**
 * Does something for a command, and notes in a `UsageError` which one it was.
 *
 * @throws what `work` throws
 */
export function inCommand<Result>(command: string, work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    if (error instanceof UsageError) error.command ??= command;
    throw error;
  }
}
