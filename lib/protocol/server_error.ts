/**
 * An ERR packet that the peer sent: its refusal, in its own words. Unlike a
 * `ProtocolError` it says nothing about the state of the connection, which
 * stays usable unless the peer closes it.
 */
export class ServerError extends Error {
  /** Error number as sent. */
  readonly code: number;
  /** SQLSTATE as sent; `HY000` when the packet carried none. */
  readonly sqlState: string;

  constructor(code: number, sqlState: string, message: string) {
    super(message);
    this.name = "ServerError";
    this.code = code;
    this.sqlState = sqlState;
  }
}
