import { AuthPlugin, scrambleFromRandom } from "../protocol/auth.ts";
import { Capability } from "../protocol/capability.ts";
import { compressionCapabilities } from "../protocol/compression.ts";
import { SCRAMBLE_BYTES } from "../protocol/handshake.ts";
import {
  type Greeting,
  MARIADB_CAPABILITIES,
  SERVER_CAPABILITIES,
} from "../protocol/server_auth.ts";
import type { ServerFacts } from "./server_facts.ts";
import type { SessionHost } from "./session_host.ts";

/** What a client is greeted with: who the server is, and what it offers. */
export function greetingOf(
  connectionId: number,
  facts: ServerFacts,
  { environment, tls, compression }: SessionHost,
): Greeting {
  const isMariadb = facts.flavour === "mariadb";
  return {
    connectionId,
    serverVersion: facts.greetingVersion,
    scramble: scrambleFromRandom(environment.randomBytes(SCRAMBLE_BYTES)),
    capabilities: (isMariadb ? MARIADB_CAPABILITIES : SERVER_CAPABILITIES) |
      (tls === undefined ? 0 : Capability.SSL) |
      compressionCapabilities(compression),
    // MariaDB's replicas can't load MySQL's newer plugin; those of 11.4 and
    // later want a certificate that they can trust.
    ...isMariadb
      ? { authPlugin: AuthPlugin.NATIVE, provesCertificate: true }
      : {},
  };
}
