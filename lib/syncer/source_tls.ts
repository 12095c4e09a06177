import type { TlsClientOptions, TlsMode } from "../connection/tls_client.ts";
import { type CredentialFiles, readCredentials } from "../tls/credentials.ts";

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
 */
export async function clientTls(
  tls: SourceTls | undefined,
  hostname: string,
): Promise<Omit<TlsClientOptions, "signal"> | undefined> {
  if (tls === undefined || tls.mode === "disabled") return undefined;
  const credentials = await readCredentials(tls.files);
  return { mode: tls.mode, hostname, credentials };
}
