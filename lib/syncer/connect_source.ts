import { ClientConnection } from "../connection/client_connection.ts";
import type { SourceOptions } from "./source_options.ts";
import { clientTls } from "./source_tls.ts";

/**
 * Connects to the source and logs in.
 *
 * @param signal Ends the attempt.
 * @throws as {@linkcode ClientConnection.connect} does, and a
 * `CredentialsError` if a file for TLS can't be used
 */
export async function connectSource(
  options: SourceOptions,
  signal: AbortSignal,
): Promise<ClientConnection> {
  const tls = await clientTls(options.tls, options.hostname);
  return await ClientConnection.connect({
    hostname: options.hostname,
    port: options.port,
    user: options.user,
    password: options.password,
    tls,
    compression: options.compression,
    attributes: new Map([
      ["program_name", "kingbus"],
      ["_client_role", "binary_log_listener"],
    ]),
    connectTimeoutMs: options.connectTimeoutMs,
    responseTimeoutMs: options.readTimeoutMs,
    signal,
  });
}
