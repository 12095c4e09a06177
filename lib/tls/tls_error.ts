/**
 * What went wrong about TLS.
 *
 * - `not-offered`: the server does not announce TLS.
 * - `handshake`: the two ends did not agree, or one of them does not speak TLS.
 * - `expired`, `not-yet-valid`: the peer's certificate is out of its time.
 * - `self-signed`: the peer's certificate is signed by its own key alone.
 * - `unknown-authority`: nobody we trust has signed the peer's certificate.
 * - `unfit`: the peer's certificate can't be checked, or is for another use.
 * - `name-mismatch`: the peer's certificate is for other names.
 * - `no-certificate`: the peer gave no certificate.
 * - `own-certificate`: the peer wants a certificate of ours, or refuses it.
 * - `files`: our own certificate files can't be used.
 * - `unsupported`: what kingbus runs on has no TLS.
 */
export type TlsErrorKind =
  | "not-offered"
  | "handshake"
  | "expired"
  | "not-yet-valid"
  | "self-signed"
  | "unknown-authority"
  | "unfit"
  | "name-mismatch"
  | "no-certificate"
  | "own-certificate"
  | "files"
  | "unsupported";

/** A connection can't be secured, or is not as secure as it has to be. */
export class TlsError extends Error {
  override readonly name = "TlsError";
  readonly kind: TlsErrorKind;

  /**
   * @param kind what went wrong
   * @param message what happened, to whom
   * @param options the underlying error as `cause`
   */
  constructor(kind: TlsErrorKind, message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }
}
