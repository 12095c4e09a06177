import { X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import { checkServerIdentity, connect } from "node:tls";
import type { Credentials } from "../tls/credentials.ts";
import { secureContextOf } from "../tls/secure_context.ts";
import { TlsError } from "../tls/tls_error.ts";
import { verifyChain } from "../tls/verify_chain.ts";
import { TlsLayer, type TlsTransport } from "./tls_layer.ts";
import type { Transport } from "./transport.ts";
import { TransportDuplex } from "./transport_duplex.ts";

/**
 * How sure a client wants to be whom it talks to, as MySQL's `--ssl-mode`:
 * `preferred` takes what the server offers, `required` wants TLS, `verify-ca` a
 * certificate of an authority it trusts, `verify-identity` one for the name it
 * connects to.
 */
export type TlsMode =
  | "preferred"
  | "required"
  | "verify-ca"
  | "verify-identity";

/** How a client goes on over TLS. */
export interface TlsClientOptions {
  readonly mode: TlsMode;
  /** Name or address that was connected to, an IPv6 one without brackets. */
  readonly hostname: string;
  /** Whom to trust, and the client's own certificate if it has one. */
  readonly credentials: Credentials;
  /** Ends the handshake, and the connection with it. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Goes on over TLS as the connecting end. The transport is closed if that
 * fails.
 *
 * @throws {TlsError} if the two do not agree, or the server's certificate is
 * not what the mode asks for
 * @throws {ConnectionError} if the connection breaks, or the signal fires
 */
export async function connectTls(
  transport: Transport,
  options: TlsClientOptions,
): Promise<TlsTransport> {
  const { credentials, hostname, signal } = options;
  const below = new TransportDuplex(transport);
  const socket = connect({
    socket: below,
    secureContext: secureContextOf(credentials),
    // RFC 6066: a name, never an address.
    ...(isIP(hostname) === 0 ? { servername: hostname } : {}),
    // What is checked is checked below, where each fault has its own name.
    rejectUnauthorized: false,
    checkServerIdentity: () => undefined,
  });
  const layer = new TlsLayer(socket, below, transport, "secureConnect");
  await layer.handshake(signal);
  try {
    checkServer(layer.peerChain, options);
    if (asksForTrust(options) && !socket.authorized) {
      // It knows some rules more, such as the names an authority is limited to.
      throw new TlsError(
        "unfit",
        `The server's certificate is not trusted: ${socket.authorizationError}`,
      );
    }
  } catch (error) {
    layer.close();
    throw error;
  }
  return layer.transport();
}

function asksForTrust({ mode }: TlsClientOptions): boolean {
  return mode === "verify-ca" || mode === "verify-identity";
}

function checkServer(
  chain: readonly Uint8Array[],
  options: TlsClientOptions,
): void {
  if (!asksForTrust(options)) return;
  const { mode, hostname, credentials } = options;
  verifyChain(chain, credentials.authorities, "server", Date.now());
  if (mode === "verify-ca") return;
  const own = new X509Certificate(chain[0]!);
  const mismatch = checkServerIdentity(hostname, own.toLegacyObject());
  if (mismatch === undefined) return;
  const names = own.subjectAltName ?? own.subject.replaceAll("\n", ", ");
  throw new TlsError(
    "name-mismatch",
    `The server's certificate is for ${names}, not for ${hostname}`,
    { cause: mismatch },
  );
}
