import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { TlsError } from "./tls_error.ts";
import { describeError } from "../log/describe_error.ts";

/** Where certificates are; PEM files. */
export interface CredentialFiles {
  /** Our certificate, with those between it and its authority behind it. */
  readonly certificate?: string | undefined;
  /** The certificate's private key, without a passphrase. */
  readonly key?: string | undefined;
  /** Certificates of the authorities that are trusted. */
  readonly ca?: string | undefined;
}

/** One of the keys of {@linkcode CredentialFiles}. */
export type CredentialPart = "certificate" | "key" | "ca";

/** Certificates that have been read and fit together. */
export interface Credentials {
  /** As PEM; absent without a certificate of our own. */
  readonly certificatePem?: string | undefined;
  readonly keyPem?: string | undefined;
  /** Our certificate itself. */
  readonly certificate?: X509Certificate | undefined;
  /** As PEM; absent where nobody is trusted. */
  readonly caPem?: string | undefined;
  /** The authorities that are trusted. */
  readonly authorities: readonly X509Certificate[];
}

/** A certificate file can't be used. The message names it and says why. */
export class CredentialsError extends TlsError {
  /** Which of the files. */
  readonly part: CredentialPart;
  readonly file: string;
  /** Why, without the file. */
  readonly reason: string;

  /**
   * @param part which of the files
   * @param file its path
   * @param reason what is wrong with it
   * @param cause the underlying error
   */
  constructor(
    part: CredentialPart,
    file: string,
    reason: string,
    cause?: unknown,
  ) {
    super("files", `${file} ${reason}`, { cause });
    this.part = part;
    this.file = file;
    this.reason = reason;
  }
}

const PEM_CERTIFICATE =
  /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g;

/** Without this no TLS 1.2 or 1.3 handshake can be made with an RSA key. */
const RSA_BITS_MIN = 2048;

/**
 * Reads certificate files and checks that they fit together.
 *
 * @param files which of them there are; a certificate and its key go together
 * @param readTextFile as `Deno.readTextFile`
 * @throws {CredentialsError} for one that is missing, is no PEM, or does not fit
 */
export async function readCredentials(
  files: CredentialFiles,
  readTextFile: (path: string) => Promise<string> = Deno.readTextFile,
): Promise<Credentials> {
  const read = async (part: CredentialPart) => {
    const file = files[part];
    if (file === undefined) return undefined;
    try {
      return { file, text: await readTextFile(file) };
    } catch (error) {
      throw new CredentialsError(part, file, readFault(error), error);
    }
  };
  const certificate = await read("certificate");
  const key = await read("key");
  const ca = await read("ca");
  const authorities = ca === undefined
    ? []
    : parseCertificates("ca", ca.file, ca.text);
  const common = { authorities, caPem: ca && pemOf(authorities) };
  if (certificate === undefined || key === undefined) return common;
  const chain = parseCertificates(
    "certificate",
    certificate.file,
    certificate.text,
  );
  const own = chain[0]!;
  checkKey(parseKey(key.file, key.text), own, certificate.file, key.file);
  return {
    ...common,
    certificatePem: pemOf(chain),
    keyPem: key.text,
    certificate: own,
  };
}

function readFault(error: unknown): string {
  if (error instanceof Deno.errors.NotFound) return "does not exist";
  if (error instanceof Deno.errors.PermissionDenied) {
    return "may not be read by this user";
  }
  return `can't be read: ${describeError(error)}`;
}

function parseCertificates(
  part: CredentialPart,
  file: string,
  text: string,
): X509Certificate[] {
  const blocks = text.match(PEM_CERTIFICATE) ?? [];
  if (blocks.length === 0) {
    throw new CredentialsError(
      part,
      file,
      "is no PEM file of a certificate: there is no BEGIN CERTIFICATE in it",
    );
  }
  return blocks.map((block) => {
    try {
      const one = new X509Certificate(block);
      // Its key is needed, and is of a kind that is known.
      void one.publicKey;
      return one;
    } catch (error) {
      const reason = "has a certificate that can't be read";
      throw new CredentialsError(part, file, reason, error);
    }
  });
}

function parseKey(file: string, text: string): KeyObject {
  if (/ENCRYPTED/.test(text)) {
    throw new CredentialsError(
      "key",
      file,
      "is encrypted with a passphrase: give the key without one",
    );
  }
  if (!/-----BEGIN (?:RSA |EC )?PRIVATE KEY-----/.test(text)) {
    throw new CredentialsError(
      "key",
      file,
      "is no PEM file of a private key: there is no BEGIN PRIVATE KEY in it",
    );
  }
  try {
    return createPrivateKey(text);
  } catch (error) {
    const reason = "has a private key that can't be read";
    throw new CredentialsError("key", file, reason, error);
  }
}

function checkKey(
  key: KeyObject,
  certificate: X509Certificate,
  certificateFile: string,
  keyFile: string,
): void {
  if (!certificate.checkPrivateKey(key)) {
    throw new CredentialsError(
      "key",
      keyFile,
      `is not the key of the certificate in ${certificateFile}`,
    );
  }
  const bits = key.asymmetricKeyDetails?.modulusLength;
  if (bits !== undefined && bits < RSA_BITS_MIN) {
    throw new CredentialsError(
      "key",
      keyFile,
      `is an RSA key of ${bits} bits: TLS needs at least ${RSA_BITS_MIN}`,
    );
  }
}

/** The certificates as PEM, without whatever else was in the file. */
function pemOf(certificates: readonly X509Certificate[]): string {
  return certificates.map((one) => one.toString()).join("");
}
