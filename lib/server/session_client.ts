import type { TlsFacts } from "../connection/tls_layer.ts";
import type { Compression } from "../protocol/compression.ts";
import type { Login } from "../protocol/server_auth.ts";

/** A client that has logged in. */
export interface SessionClient {
  readonly connectionId: number;
  /** Its address without the port. */
  readonly host: string;
  readonly login: Login;
  /** How its connection is secured; undefined for not at all. */
  readonly tls: TlsFacts | undefined;
  /** What its connection is compressed with; undefined for nothing. */
  readonly compression: Compression | undefined;
}
