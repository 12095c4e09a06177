import { sqlStateFor } from "./error_code.ts";

/**
 * A peer broke the client/server protocol or a limit of ours. It carries the
 * MySQL error number to answer the peer with before its connection is closed;
 * the message is safe to send (no secrets, no file names).
 */
export class ProtocolError extends Error {
  /** MySQL error number, one of `ErrorCode`. */
  readonly code: number;
  /** SQLSTATE that belongs to {@linkcode code}, five characters. */
  readonly sqlState: string;

  constructor(code: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "ProtocolError";
    this.code = code;
    this.sqlState = sqlStateFor(code);
  }
}
