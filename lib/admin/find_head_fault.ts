/** The head of a request, as `node:http` has read it. */
export interface RequestHead {
  readonly httpVersion: string;
  /** The request's target as it came. */
  readonly url?: string | undefined;
  /** Names and values in turn, as they came. */
  readonly rawHeaders: readonly string[];
}

/** What is wrong with a head, and the status it is answered with. */
export interface HeadFault {
  readonly status: number;
  readonly message: string;
}

const VERSIONS: readonly string[] = ["1.0", "1.1"];

/** What a target that is a whole URL may name: a host without an account. */
const TARGET = /^(?:\/|https?:\/\/[^/?#@]+(?:[/?#]|$))/i;

/**
 * What is wrong with the head of a request that HTTP's grammar lets through;
 * undefined for nothing. A proxy in front of kingbus must not see another end
 * of the request than kingbus does, so whatever is unclear about its length is
 * refused (RFC 9112, 6.1).
 */
export function findHeadFault(
  { httpVersion, url = "", rawHeaders }: RequestHead,
): HeadFault | undefined {
  const hosts = valuesOf(rawHeaders, "host");
  const [host] = hosts;
  if (hosts.length > 1) return malformed("there is more than one Host header");
  if (host === undefined && httpVersion !== "1.0") {
    return malformed("there is no Host header");
  }
  if (!VERSIONS.includes(httpVersion)) {
    return { status: 505, message: "kingbus speaks HTTP/1.1 here" };
  }
  if (host !== undefined && !isHost(host)) {
    return malformed("the Host header names no host");
  }
  const coding = valuesOf(rawHeaders, "transfer-encoding").join(", ");
  if (coding !== "" && httpVersion === "1.0") {
    return malformed("a request of HTTP/1.0 has no Transfer-Encoding");
  }
  if (coding !== "" && coding.trim().toLowerCase() !== "chunked") {
    return {
      status: 501,
      message: "the only Transfer-Encoding that kingbus takes is chunked",
    };
  }
  if (!/^(?:\/|https?:\/\/)/i.test(url)) {
    return malformed("the path begins with no /");
  }
  if (!TARGET.test(url)) return malformed("the URL names no host alone");
  return undefined;
}

function isHost(host: string): boolean {
  return /^[A-Za-z0-9_.:[\]-]+$/.test(host) && URL.canParse(`http://${host}`);
}

function valuesOf(rawHeaders: readonly string[], name: string): string[] {
  return rawHeaders.filter((_, at) =>
    at % 2 === 1 && rawHeaders[at - 1]?.toLowerCase() === name
  );
}

function malformed(message: string): HeadFault {
  return { status: 400, message };
}
