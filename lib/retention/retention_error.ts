/** What retention is asked for can't be done; the message says why. */
export class RetentionError extends Error {
  override readonly name = "RetentionError";
  /** `unknown-file`: the log has no file of that name. */
  readonly kind: "unknown-file";

  constructor(kind: "unknown-file", message: string) {
    super(message);
    this.kind = kind;
  }
}
