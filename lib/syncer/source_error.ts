/**
 * What kept kingbus from following its source.
 *
 * - `hole`: the source can't give what must come next.
 * - `other-source`: the server is not the one the log came from.
 * - `unsuitable`: the server is set up so that it can't be followed.
 * - `stream`: what it sent is not a binlog in order.
 * - `refused`: it answered with an error.
 */
export type SourceErrorKind =
  | "hole"
  | "other-source"
  | "unsuitable"
  | "stream"
  | "refused";

/** A fault of the source or of what it sent. */
export class SourceError extends Error {
  /** What kind of fault. */
  readonly kind: SourceErrorKind;

  /**
   * @param kind what kind of fault
   * @param message what happened and what to do
   * @param options the underlying error as `cause`
   */
  constructor(kind: SourceErrorKind, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "SourceError";
    this.kind = kind;
  }

  /** False when trying again can't change the answer. */
  get retriable(): boolean {
    return this.kind === "stream" || this.kind === "refused";
  }
}
