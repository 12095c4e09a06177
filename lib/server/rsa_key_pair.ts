import { generateKeyPair } from "node:crypto";
import type { RsaKeyPair } from "../protocol/server_auth.ts";

const MODULUS_BITS = 2048;

/**
 * Makes a key pair for passwords that come without TLS. Takes a fraction of a
 * second, on another thread.
 */
export function generateRsaKeyPair(): Promise<RsaKeyPair> {
  return new Promise((resolve, reject) => {
    generateKeyPair("rsa", {
      modulusLength: MODULUS_BITS,
      publicKeyEncoding: { type: "spki", format: "pem" },
      privateKeyEncoding: { type: "pkcs8", format: "pem" },
    }, (error, publicKeyPem, privateKeyPem) => {
      if (error === null) resolve({ publicKeyPem, privateKeyPem });
      else reject(error);
    });
  });
}
