import { type Address, isWildcard } from "../config/address.ts";
import { ConfigError } from "../config/config_error.ts";

/**
 * The address at which a node that listens on `listen` is reached from this
 * machine: who listens on every address is reached on the machine's own.
 *
 * @throws {ConfigError} for port 0, which stands for a port nobody can know.
 */
export function reachableAddress(listen: Address): Address {
  if (listen.port === 0) {
    throw new ConfigError("a node can't be asked at port 0: name its port", {
      key: "admin.listen",
    });
  }
  if (!isWildcard(listen.hostname)) return listen;
  const hostname = listen.hostname === "::" ? "::1" : "127.0.0.1";
  return { hostname, port: listen.port };
}
