/** What was in the way: the log has no file of that name, or kingbus ends. */
export type RetentionErrorKind = "unknown-file" | "stopping";

/** What retention is asked for can't be done; the message says why. */
export class RetentionError extends Error {
  override readonly name = "RetentionError";
  readonly kind: RetentionErrorKind;

  constructor(kind: RetentionErrorKind, message: string) {
    super(message);
    this.kind = kind;
  }
}
