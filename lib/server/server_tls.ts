import type { CredentialFiles, Credentials } from "../tls/credentials.ts";

/** How clients may come over TLS. */
export interface ServerTls {
  /** Whether a login without TLS is refused. */
  readonly required: boolean;
  /** Whether clients are asked for a certificate, and have to have one. */
  readonly clientCertificate: "ignored" | "optional" | "required";
  /** Where the certificates are, as variables show it. */
  readonly files: CredentialFiles;
  /** The certificates as of now: another one for the next connection is fine. */
  credentials(): Credentials;
}
