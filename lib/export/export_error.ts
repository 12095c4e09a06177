/**
 * Why an export can't be made or go on:
 * - `nothing`: there is nothing in the log that was asked for;
 * - `target`: the folder holds something that must not be overwritten;
 * - `log`: the log is not what was exported before;
 * - `io`: the folder can't be read or written.
 */
export type ExportFault = "nothing" | "target" | "log" | "io";

/** An export that was refused or could not go on. */
export class ExportError extends Error {
  override readonly name = "ExportError";
  /** What kind of fault. */
  readonly fault: ExportFault;

  /**
   * @param fault what kind of fault
   * @param message what is wrong, with file and position, and what to do
   * @param options the underlying error as `cause`
   */
  constructor(fault: ExportFault, message: string, options?: ErrorOptions) {
    super(message, options);
    this.fault = fault;
  }
}
