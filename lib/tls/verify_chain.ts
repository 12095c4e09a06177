import { X509Certificate } from "node:crypto";
import { TlsError } from "./tls_error.ts";

/** What a peer is that shows a certificate. */
export type CertificateUse = "server" | "client";

/**
 * The extended key usages that allow each use, and any use, as the content of
 * their DER object identifiers (RFC 5280, 4.2.1.12).
 */
const KEY_PURPOSES: Record<CertificateUse, readonly string[]> = {
  server: ["2b06010505070301", "551d2500"],
  client: ["2b06010505070302", "551d2500"],
};

/** `OBJECT IDENTIFIER extKeyUsage` with its tag and length. */
const KEY_PURPOSES_EXTENSION = "0603551d25";

/** Longest chain followed, the peer's own certificate included. */
const CHAIN_MAX = 10;

/** A DER certificate of version 2 or 3 has its version first, as element [0]. */
const VERSION_TAG = 0xa0;
const VERSION_3 = 2;

/**
 * Checks that a chain of certificates leads from the peer's own to one that is
 * trusted: signatures, dates, and who may sign.
 *
 * The TLS library does so too, but not for each case that can be met: it takes
 * certificates of X.509 version 1 by the names in them alone, and does not look
 * at a client's certificate again when a session is resumed. So this is asked
 * for every peer whose certificate counts.
 *
 * @param chain DER certificates as the peer sent them, its own first
 * @param authorities the certificates that are trusted
 * @param use what the peer is
 * @param nowMs milliseconds since 1970
 * @throws {TlsError} saying why it is not trusted
 */
export function verifyChain(
  chain: readonly Uint8Array[],
  authorities: readonly X509Certificate[],
  use: CertificateUse,
  nowMs: number,
): void {
  const [own, ...others] = chain.map(parse);
  if (own === undefined) {
    throw new TlsError("no-certificate", `The ${use} gave no certificate`);
  }
  checkVersion(own, use);
  checkUse(own, use);
  let current = own;
  for (let depth = 0; depth < CHAIN_MAX; depth++) {
    checkDates(current, use, nowMs);
    if (
      authorities.some((one) => one.fingerprint256 === current.fingerprint256)
    ) {
      return;
    }
    const authority = authorities.find((one) => hasSigned(one, current));
    if (authority !== undefined) {
      checkDates(authority, use, nowMs);
      return;
    }
    const next = others.find((one) =>
      one.ca && one !== current && isVersion3(one) && hasSigned(one, current)
    );
    if (next === undefined) break;
    current = next;
  }
  throw untrusted(own, current, use);
}

function parse(der: Uint8Array): X509Certificate {
  try {
    return new X509Certificate(der);
  } catch (cause) {
    throw new TlsError("unfit", "The peer's certificate can't be read", {
      cause,
    });
  }
}

function hasSigned(issuer: X509Certificate, one: X509Certificate): boolean {
  try {
    return one.checkIssued(issuer) && one.verify(issuer.publicKey);
  } catch {
    // A key of a kind that can't sign certificates.
    return false;
  }
}

function untrusted(
  own: X509Certificate,
  last: X509Certificate,
  use: CertificateUse,
): TlsError {
  const who = `The ${use}'s certificate (${oneLine(own.subject)})`;
  return own.subject === own.issuer
    ? new TlsError("self-signed", `${who} is self-signed and not a trusted one`)
    : new TlsError(
      "unknown-authority",
      `${who} is signed by ${
        oneLine(last.issuer)
      }, which is no trusted authority`,
    );
}

function checkDates(
  one: X509Certificate,
  use: CertificateUse,
  nowMs: number,
): void {
  const who = `The ${use}'s certificate chain has ${oneLine(one.subject)}`;
  if (nowMs > Date.parse(one.validTo)) {
    throw new TlsError("expired", `${who}, expired on ${one.validTo}`);
  }
  if (nowMs < Date.parse(one.validFrom)) {
    throw new TlsError(
      "not-yet-valid",
      `${who}, not valid before ${one.validFrom}`,
    );
  }
}

/**
 * The proof that the peer has the certificate's key is only made with one of
 * version 3, so that anybody could show a copy of an older one.
 */
function checkVersion(one: X509Certificate, use: CertificateUse): void {
  if (isVersion3(one)) return;
  throw new TlsError(
    "unfit",
    `The ${use}'s certificate (${
      oneLine(one.subject)
    }) is of X.509 version 1, which can't be verified: make one of version 3 (openssl x509 -req with -extfile)`,
  );
}

function checkUse(one: X509Certificate, use: CertificateUse): void {
  const purposes = keyPurposes(one.raw);
  if (purposes === undefined) return;
  if (KEY_PURPOSES[use].some((allowed) => purposes.includes(allowed))) return;
  throw new TlsError(
    "unfit",
    `The ${use}'s certificate (${
      oneLine(one.subject)
    }) is not for the use as a ${use}'s (extendedKeyUsage)`,
  );
}

/**
 * The certificate's extended key usages, each the content of its object
 * identifier in hexadecimal; undefined where it has no such extension.
 *
 * ```text
 * extension = OID, [BOOLEAN critical], OCTET STRING { SEQUENCE { OID* } }
 * ```
 */
function keyPurposes(raw: Uint8Array): string[] | undefined {
  const hex = raw.toHex();
  let at = hex.indexOf(KEY_PURPOSES_EXTENSION);
  // A digit pair begins at an even place.
  while (at % 2 === 1) at = hex.indexOf(KEY_PURPOSES_EXTENSION, at + 1);
  if (at < 0) return undefined;
  let offset = (at + KEY_PURPOSES_EXTENSION.length) / 2;
  if (raw[offset] === 0x01) offset += 3;
  const sequence = contentAt(raw, offset);
  const first = sequence === undefined ? undefined : contentAt(raw, sequence);
  const purposes: string[] = [];
  for (let next = first; next !== undefined && raw[next] === 0x06;) {
    const length = raw[next + 1] ?? 0;
    purposes.push(raw.subarray(next + 2, next + 2 + length).toHex());
    next += 2 + length;
  }
  return purposes;
}

/** Looks into `Certificate { tbsCertificate { [0] version … } … }`. */
function isVersion3({ raw }: X509Certificate): boolean {
  const inner = contentAt(raw, 0);
  const version = inner === undefined ? undefined : contentAt(raw, inner);
  if (version === undefined || raw[version] !== VERSION_TAG) return false;
  const number = contentAt(raw, version);
  return number !== undefined && raw[number + 2] === VERSION_3;
}

/** Where the content of the DER element at `offset` begins. */
function contentAt(der: Uint8Array, offset: number): number | undefined {
  const length = der[offset + 1];
  if (length === undefined) return undefined;
  return offset + 2 + (length < 0x80 ? 0 : length & 0x7f);
}

/** A name of several lines, as `openssl` prints it, in one. */
function oneLine(name: string): string {
  return name.replaceAll("\n", ", ");
}
