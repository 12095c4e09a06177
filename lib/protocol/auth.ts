import { Buffer } from "node:buffer";
import {
  constants,
  createHash,
  privateDecrypt,
  publicEncrypt,
  timingSafeEqual,
} from "node:crypto";
import { ErrorCode } from "./error_code.ts";
import { SCRAMBLE_BYTES } from "./handshake.ts";
import { ProtocolError } from "./protocol_error.ts";

/** Names of the authentication plugins we know. */
export const AuthPlugin = {
  NATIVE: "mysql_native_password",
  CACHING_SHA2: "caching_sha2_password",
  /**
   * Known as a client only. MySQL 8 and later pretend that an unknown user has
   * it, so without it a mistyped name would look like a missing feature.
   */
  SHA256: "sha256_password",
} as const;

/** Bytes of a `mysql_native_password` token and of its stored secret. */
export const NATIVE_TOKEN_BYTES = 20;
/** Bytes of a `caching_sha2_password` token and of its stored secret. */
export const CACHING_SHA2_TOKEN_BYTES = 32;

const SCRAMBLE_BYTE_MAX = 127;
const DOLLAR_SIGN = 0x24;
const textEncoder = new TextEncoder();
const textDecoder = new TextDecoder("utf-8", { ignoreBOM: true });

/**
 * Makes a scramble of 20 random bytes: each ends up in 1..127 and is not `$`.
 * Servers avoid NUL because clients read the scramble as a C string and `$`
 * because it separates the fields of stored secrets; some clients decode it as
 * ASCII. Throws a `RangeError` for another number of bytes.
 */
export function scrambleFromRandom(random: Uint8Array): Uint8Array {
  if (random.length !== SCRAMBLE_BYTES) {
    throw new RangeError(
      `Cannot make a scramble of ${random.length} bytes: 20 are needed`,
    );
  }
  return random.map((byte) => {
    const value = 1 + ((byte * (SCRAMBLE_BYTE_MAX - 1)) >> 8);
    return value < DOLLAR_SIGN ? value : value + 1;
  });
}

/** SHA1(SHA1(password)): what `mysql_native_password` stores. 20 bytes. */
export function doubleSha1(password: string): Uint8Array {
  return sha1(sha1(textEncoder.encode(password)));
}

/**
 * SHA256(SHA256(password)): what `caching_sha2_password` keeps in its cache for
 * the fast exchange. 32 bytes.
 */
export function doubleSha256(password: string): Uint8Array {
  return sha256(sha256(textEncoder.encode(password)));
}

/**
 * The client's proof for `mysql_native_password` (MySQL internals: Native
 * Authentication): SHA1(password) XOR SHA1(scramble, SHA1(SHA1(password))). 20
 * bytes, none for the empty password.
 */
export function nativePasswordToken(
  password: string,
  scramble: Uint8Array,
): Uint8Array {
  if (password === "") return new Uint8Array(0);
  const once = sha1(textEncoder.encode(password));
  return xor(once, sha1(scramble, sha1(once)));
}

/** True if a native token proves the password with this stored secret. */
export function verifyNativePassword(
  token: Uint8Array,
  scramble: Uint8Array,
  doubleSha1Hash: Uint8Array,
): boolean {
  if (token.length !== NATIVE_TOKEN_BYTES) return false;
  const once = xor(token, sha1(scramble, doubleSha1Hash));
  return equalBytes(sha1(once), doubleSha1Hash);
}

/**
 * The client's proof for the fast exchange of `caching_sha2_password` (MySQL
 * internals: Caching SHA-2 Authentication): SHA256(password) XOR
 * SHA256(SHA256(SHA256(password)), scramble). 32 bytes, none for the empty
 * password.
 */
export function cachingSha2Token(
  password: string,
  scramble: Uint8Array,
): Uint8Array {
  if (password === "") return new Uint8Array(0);
  const once = sha256(textEncoder.encode(password));
  return xor(once, sha256(sha256(once), scramble));
}

/** True if a caching_sha2 token proves the password with this secret. */
export function verifyCachingSha2(
  token: Uint8Array,
  scramble: Uint8Array,
  doubleSha256Hash: Uint8Array,
): boolean {
  if (token.length !== CACHING_SHA2_TOKEN_BYTES) return false;
  const once = xor(token, sha256(doubleSha256Hash, scramble));
  return equalBytes(sha256(once), doubleSha256Hash);
}

/**
 * Encrypts a password for the full exchange of `caching_sha2_password`, or that
 * of `sha256_password`, without TLS: RSA-OAEP with SHA-1 over the NUL-terminated password XOR the scramble.
 * Throws a `ProtocolError` if the key is unusable or too short for the
 * password.
 */
export function encryptPasswordRsa(
  password: string,
  scramble: Uint8Array,
  publicKeyPem: string,
): Uint8Array {
  try {
    const encrypted = publicEncrypt(
      { key: publicKeyPem, ...OAEP },
      Buffer.from(maskPassword(textEncoder.encode(`${password}\0`), scramble)),
    );
    return new Uint8Array(encrypted);
  } catch (cause) {
    throw new ProtocolError(
      ErrorCode.ER_HANDSHAKE,
      "Cannot encrypt the password with the server's public key",
      { cause },
    );
  }
}

/**
 * The counterpart of {@linkcode encryptPasswordRsa}: the clear password, or
 * `undefined` if the bytes were not made with our key or do not end in a NUL.
 */
export function decryptPasswordRsa(
  encrypted: Uint8Array,
  scramble: Uint8Array,
  privateKeyPem: string,
): string | undefined {
  let masked: Uint8Array;
  try {
    masked = privateDecrypt(
      { key: privateKeyPem, ...OAEP },
      Buffer.from(encrypted),
    );
  } catch {
    // Not made with our key: the same to the caller as a wrong password.
    return undefined;
  }
  return nulTerminatedPassword(maskPassword(masked, scramble));
}

const OAEP = {
  padding: constants.RSA_PKCS1_OAEP_PADDING,
  oaepHash: "sha1",
} as const;

/**
 * Reads a clear password as a client sends it over TLS: UTF-8 and a NUL at the
 * end. `undefined` without the NUL.
 */
export function nulTerminatedPassword(bytes: Uint8Array): string | undefined {
  if (bytes.length === 0 || bytes[bytes.length - 1] !== 0) return undefined;
  return textDecoder.decode(bytes.subarray(0, -1));
}

/** Compares in a time that depends on the lengths only. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}

function maskPassword(bytes: Uint8Array, scramble: Uint8Array): Uint8Array {
  if (scramble.length === 0) throw new RangeError("Cannot mask: no scramble");
  return bytes.map((byte, i) => byte ^ scramble[i % scramble.length]!);
}

function xor(a: Uint8Array, b: Uint8Array): Uint8Array {
  return a.map((byte, i) => byte ^ b[i]!);
}

function sha1(...parts: Uint8Array[]): Uint8Array {
  return digest("sha1", parts);
}

function sha256(...parts: Uint8Array[]): Uint8Array {
  return digest("sha256", parts);
}

function digest(algorithm: string, parts: Uint8Array[]): Uint8Array {
  const hash = createHash(algorithm);
  for (const part of parts) hash.update(part);
  return new Uint8Array(hash.digest());
}

/**
 * What a MariaDB server of 11.4 and later says in the OK packet of a login with
 * `mysql_native_password` over TLS: that the certificate the client was shown
 * is of a server that knows its password. So the client can trust one that no
 * authority has signed.
 *
 * @param doubleSha1 SHA-1 of the SHA-1 of the password
 * @param scramble of the greeting
 * @param certificate the certificate as DER
 */
export function proveCertificate(
  doubleSha1: Uint8Array,
  scramble: Uint8Array,
  certificate: Uint8Array,
): string {
  const fingerprint = createHash("sha256").update(certificate).digest();
  const proof = createHash("sha256").update(doubleSha1).update(scramble)
    .update(fingerprint).digest("hex");
  return `\x01${proof.toUpperCase()}`;
}
