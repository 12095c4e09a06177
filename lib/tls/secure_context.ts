import { createSecureContext, type SecureContext } from "node:tls";
import type { Credentials } from "./credentials.ts";

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
      minVersion: "TLSv1.2",
      ...(certificatePem === undefined ? {} : { cert: certificatePem }),
      ...(keyPem === undefined ? {} : { key: keyPem }),
      ...(caPem === undefined ? {} : { ca: caPem }),
    });
    CONTEXTS.set(credentials, context);
  }
  return context;
}
