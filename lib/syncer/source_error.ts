import type { SyncerCause } from "./syncer_cause.ts";

/** Kinds of fault of a source: those of the causes that are about one. */
export type SourceErrorKind = Exclude<
  SyncerCause,
  "disk" | "fenced" | "store" | "internal"
>;

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
}
