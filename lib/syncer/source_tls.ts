import type { TlsClientOptions, TlsMode } from "../connection/tls_client.ts";
import { type CredentialFiles, readCredentials } from "../tls/credentials.ts";
import { TlsError } from "../tls/tls_error.ts";
import { tlsShortfall } from "../tls/tls_runtime.ts";

/** How connections to a source are secured. */
export interface SourceTls {
  readonly mode: "disabled" | TlsMode;
  /** Whom to trust, and our own certificate. */
  readonly files: CredentialFiles;
}

/**
 * What a connection is to be secured with, its files read anew, so that a
 * renewed certificate is used from the next connection on; undefined for not at
 * all.
 *
 * @throws {CredentialsError} if a file can't be used
 * @throws {TlsError} `unsupported`
 */
export async function clientTls(
  tls: SourceTls | undefined,
  hostname: string,
): Promise<Omit<TlsClientOptions, "signal"> | undefined> {
  if (tls === undefined || tls.mode === "disabled") return undefined;
  const shortfall = tlsShortfall();
  if (shortfall !== undefined) {
    // That was said at the start.
    if (tls.mode === "preferred") return undefined;
    throw new TlsError("unsupported", shortfall);
  }
  const credentials = await readCredentials(tls.files);
  return { mode: tls.mode, hostname, credentials };
}
