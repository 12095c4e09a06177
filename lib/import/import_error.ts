/**
 * Why a file can't be imported:
 * - `not-a-binlog`: it is something else;
 * - `encrypted`: only the server that wrote it can read it;
 * - `order`: it is not the file that comes next;
 * - `other-history`: it follows transactions that the log does not have, or
 *   holds some that it has;
 * - `damaged`: an event is not what a server wrote;
 * - `torn`: it ends inside an event or a transaction;
 * - `io`: it can't be read.
 */
export type ImportFault =
  | "not-a-binlog"
  | "encrypted"
  | "order"
  | "other-history"
  | "damaged"
  | "torn"
  | "io";

/** An import that could not go on; what came before it is in the store. */
export class ImportError extends Error {
  override readonly name = "ImportError";
  /** What kind of fault. */
  readonly fault: ImportFault;
  /** The file as it was named. */
  readonly path: string;

  /**
   * @param fault what kind of fault
   * @param path the file
   * @param message what is wrong with it, and what to do
   * @param options the underlying error as `cause`
   */
  constructor(
    fault: ImportFault,
    path: string,
    message: string,
    options?: ErrorOptions,
  ) {
    super(`Cannot import ${path}: ${message}`, options);
    this.fault = fault;
    this.path = path;
  }
}
