/**
 * - `already-running`: the server was started before and not stopped;
 * - `listen`: the address cannot be listened on, `cause` says why.
 */
export type BinlogServerErrorKind = "already-running" | "listen";

/** The binlog server could not be started. */
export class BinlogServerError extends Error {
  override readonly name = "BinlogServerError";
  readonly kind: BinlogServerErrorKind;

  constructor(
    kind: BinlogServerErrorKind,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.kind = kind;
  }
}
