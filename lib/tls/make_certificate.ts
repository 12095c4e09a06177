import { isIP } from "node:net";

/** A certificate with its key and its authority, all as PEM. */
export interface MadeCertificate {
  readonly authorityPem: string;
  readonly certificatePem: string;
  readonly keyPem: string;
}

/** What a certificate says. */
export interface CertificateRequest {
  /** Common name, and what the authority's name begins with. */
  readonly name: string;
  /** Host names and addresses that it is for. */
  readonly hosts: readonly string[];
  /** Milliseconds since 1970. */
  readonly nowMs: number;
}

const DAY_MS = 24 * 3_600_000;
const VALID_DAYS = 3650;

/** P-256: small, quick to sign with, and known to whoever speaks TLS 1.2. */
const KEY = { name: "ECDSA", namedCurve: "P-256" };
const SIGNATURE = { name: "ECDSA", hash: "SHA-256" };

/**
 * Makes an authority and a server's certificate signed by it, for ten years.
 * The authority's key is forgotten, so that it can never sign another one.
 */
export async function makeCertificate(
  { name, hosts, nowMs }: CertificateRequest,
): Promise<MadeCertificate> {
  // Loaded when needed: once in the life of a data directory.
  await import("reflect-metadata");
  const x509 = await import("@peculiar/x509");
  const { KeyUsageFlags } = x509;
  const authorityKeys = await generateKeys();
  const keys = await generateKeys();
  const dates = {
    // Clocks differ; who connects a moment later may have an earlier one.
    notBefore: new Date(nowMs - DAY_MS),
    notAfter: new Date(nowMs + VALID_DAYS * DAY_MS),
  };
  const authorityName = [{ CN: [`${name} authority`] }];
  const authority = await x509.X509CertificateGenerator.createSelfSigned({
    ...dates,
    serialNumber: serialNumber(),
    name: authorityName,
    keys: authorityKeys,
    signingAlgorithm: SIGNATURE,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(
        KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign,
        true,
      ),
      await x509.SubjectKeyIdentifierExtension.create(authorityKeys.publicKey),
    ],
  });
  const certificate = await x509.X509CertificateGenerator.create({
    ...dates,
    serialNumber: serialNumber(),
    subject: [{ CN: [name] }],
    issuer: authority.subject,
    publicKey: keys.publicKey,
    signingKey: authorityKeys.privateKey,
    signingAlgorithm: SIGNATURE,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension(
        hosts.map((value) => ({
          type: isIP(value) === 0 ? "dns" as const : "ip" as const,
          value,
        })),
      ),
      await x509.AuthorityKeyIdentifierExtension.create(
        authorityKeys.publicKey,
      ),
    ],
  });
  const pkcs8 = await crypto.subtle.exportKey("pkcs8", keys.privateKey);
  return {
    authorityPem: authority.toString("pem") + "\n",
    certificatePem: certificate.toString("pem") + "\n",
    keyPem: x509.PemConverter.encode(pkcs8, "PRIVATE KEY") + "\n",
  };
}

async function generateKeys(): Promise<CryptoKeyPair> {
  return await crypto.subtle.generateKey(KEY, true, ["sign", "verify"]);
}

/** 16 random bytes of hexadecimal, the first one without its highest bit. */
function serialNumber(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[0] = bytes[0]! & 0x7f | 0x40;
  return bytes.toHex();
}
