import { type Address, formatAddress } from "../config/address.ts";
import type { CredentialFiles } from "../tls/credentials.ts";

/**
 * `http://host:port` of the address an admin API listens on; `https` where it
 * has a certificate.
 */
export function adminUrl(address: Address, tls?: CredentialFiles): string {
  const scheme = tls?.certificate === undefined ? "http" : "https";
  return `${scheme}://${formatAddress(address)}`;
}
