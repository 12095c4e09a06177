import { isIP, isIPv6 } from "node:net";
import { RequestError } from "../request_error.ts";

/** A host in `Host` or in a URL: its name or address, without the port. */
const HOST = /^(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9_.-]+))(?::\d{0,5})?$/;

/**
 * The host names under which the API may be asked. A web page that has its own
 * name resolve to this machine (DNS rebinding) has its browser send that name,
 * which is none of these. Addresses are never names of a page.
 */
export class HostNames {
  readonly #names: ReadonlySet<string>;

  /** @param names besides `localhost` and IP addresses. */
  constructor(names: readonly string[]) {
    this.#names = new Set(names.map(normalized));
  }

  /** Whether a host, with or without a port, is one of them. */
  has(host: string): boolean {
    const name = parseHost(host);
    if (name === undefined) return false;
    return isIP(name) !== 0 || name === "localhost" ||
      name.endsWith(".localhost") || this.#names.has(name);
  }

  /** Whether it is one of the names that were given. */
  isGiven(host: string): boolean {
    const name = parseHost(host);
    return name !== undefined && this.#names.has(name);
  }

  /**
   * Checks whom a request is for.
   *
   * @throws {RequestError} 400 for what is no host, 421 for another's.
   */
  check(host: string): void {
    if (this.has(host)) return;
    if (parseHost(host) === undefined) {
      throw new RequestError(400, "the Host header names no host");
    }
    throw new RequestError(
      421,
      `${
        host.slice(0, 100)
      } is not a name of this kingbus: ask by its address, or add the name to admin.hosts`,
    );
  }
}

/** The name or address in `host:port`; undefined for what is none. */
function parseHost(host: string): string | undefined {
  const match = HOST.exec(host);
  if (match === null || host.length > 300) return undefined;
  const [, address, name] = match;
  if (address !== undefined) return isIPv6(address) ? address : undefined;
  return normalized(name!);
}

function normalized(name: string): string {
  return name.toLowerCase().replace(/\.$/, "");
}
