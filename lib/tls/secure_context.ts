import { createSecureContext, type SecureContext } from "node:tls";
import type { Credentials } from "./credentials.ts";

/**
 * Those made already, which are gone with their credentials: making one takes
 * milliseconds, and each connection needs it.
 */
const CONTEXTS = new WeakMap<Credentials, SecureContext>();

/**
 * What `node:tls` makes of credentials: TLS 1.2 and 1.3 with them. Made once for
 * the same ones.
 */
export function secureContextOf(credentials: Credentials): SecureContext {
  let context = CONTEXTS.get(credentials);
  if (context === undefined) {
    const { certificatePem, keyPem, caPem } = credentials;
    context = createSecureContext({
      // What is older is broken.
      minVersion: "TLSv1.2",
      ...(certificatePem === undefined ? {} : { cert: certificatePem }),
      ...(keyPem === undefined ? {} : { key: keyPem }),
      ...(caPem === undefined ? {} : { ca: caPem }),
    });
    CONTEXTS.set(credentials, context);
  }
  return context;
}
