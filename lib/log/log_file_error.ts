import { describeError } from "./describe_error.ts";

/** The log's file cannot be opened. */
export class LogFileError extends Error {
  override readonly name = "LogFileError";
  /** The file. */
  readonly path: string;

  constructor(path: string, cause: unknown) {
    super(`cannot open the log file ${path}: ${describeError(cause)}`, {
      cause,
    });
    this.path = path;
  }
}
