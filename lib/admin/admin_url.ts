import { type Address, formatAddress } from "../config/address.ts";

/** `http://host:port` of the address an admin API listens on. */
export function adminUrl(address: Address): string {
  return `http://${formatAddress(address)}`;
}
