import { BlockList, isIPv4, isIPv6 } from "node:net";

/** A TCP address: where something listens or is reached. */
export interface Address {
  /** Name, IPv4 or IPv6 address (without brackets). */
  readonly hostname: string;
  /** 0 to 65535; 0 lets the system choose one where something listens. */
  readonly port: number;
}

const LOOPBACK_V6 = new BlockList();
LOOPBACK_V6.addAddress("::1", "ipv6");
LOOPBACK_V6.addSubnet("::ffff:127.0.0.0", 104, "ipv6");

const HOSTNAME_MAX = 253;

/** Letters, digits, `-` and (Compose and Windows names have it) `_`. */
const LABEL = /^[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?$/;

/**
 * Parses `host:port`, where host is a name, an IPv4 address or an IPv6 address
 * in brackets: `db1:3306`, `10.0.0.1:3306`, `[::1]:3306`.
 *
 * @throws {SyntaxError} whose message says what is wrong.
 */
export function parseAddress(text: string): Address {
  const bracketed = /^\[([^\]]*)\]:(\d{1,5})$/.exec(text);
  if (bracketed) {
    return checkAddress(text, bracketed[1]!, bracketed[2]!, isIPv6);
  }
  if (isIPv6(text) || isIPv6(text.replace(/:\d+$/, ""))) {
    throw new SyntaxError(
      `"${text}" is not host:port: an IPv6 address stands in brackets, as in [::1]:3306`,
    );
  }
  if (/^:\d{1,5}$/.test(text)) {
    throw new SyntaxError(
      `"${text}" has no host: 0.0.0.0${text} means every IPv4 address of this machine, [::]${text} every address`,
    );
  }
  const plain = /^([^:\s]+):(\d{1,5})$/.exec(text);
  if (!plain) throw new SyntaxError(`"${text}" is not host:port`);
  return checkAddress(text, plain[1]!, plain[2]!, isHostname);
}

/** `host:port`, with the brackets an IPv6 address needs. */
export function formatAddress(address: Address): string {
  const { hostname, port } = address;
  return hostname.includes(":")
    ? `[${hostname}]:${port}`
    : `${hostname}:${port}`;
}

/**
 * True for the addresses that only this machine reaches, however they are
 * written: `::ffff:127.0.0.1` is one.
 */
export function isLoopback(hostname: string): boolean {
  const name = hostname.toLowerCase();
  if (name === "localhost" || name.endsWith(".localhost")) return true;
  if (isIPv4(name)) return name.startsWith("127.");
  return isIPv6(name) && LOOPBACK_V6.check(name, "ipv6");
}

/** True for the addresses that stand for all of this machine's. */
export function isWildcard(hostname: string): boolean {
  return hostname === "0.0.0.0" || hostname === "::";
}

function checkAddress(
  text: string,
  hostname: string,
  port: string,
  isValid: (hostname: string) => boolean,
): Address {
  if (!isValid(hostname)) {
    throw new SyntaxError(
      `"${hostname}" in "${text}" is no host name or address`,
    );
  }
  if (Number(port) > 65535) {
    throw new SyntaxError(`port ${port} in "${text}" is above 65535`);
  }
  return { hostname, port: Number(port) };
}

function isHostname(text: string): boolean {
  if (isIPv4(text)) return true;
  const labels = text.replace(/\.$/, "").split(".");
  const isNumeric = /^\d+$/.test(labels.at(-1)!);
  return text.length <= HOSTNAME_MAX && !isNumeric &&
    labels.every((label) => LABEL.test(label));
}
