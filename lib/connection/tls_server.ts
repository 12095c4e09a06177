import { TLSSocket } from "node:tls";
import type { Credentials } from "../tls/credentials.ts";
import { secureContextOf } from "../tls/secure_context.ts";
import { TlsError } from "../tls/tls_error.ts";
import { verifyChain } from "../tls/verify_chain.ts";
import { TlsLayer, type TlsTransport } from "./tls_layer.ts";
import type { Transport } from "./transport.ts";
import { TransportDuplex } from "./transport_duplex.ts";

/** How clients are let in. */
export interface TlsServerOptions {
  /** With a certificate of our own. */
  readonly credentials: Credentials;
  /** Whether clients are asked for a certificate, and have to have one. */
  readonly clientCertificate: "ignored" | "optional" | "required";
  /** Ends the handshake, and the connection with it. */
  readonly signal?: AbortSignal | undefined;
}

/** A client over TLS. */
export interface AcceptedTls {
  readonly transport: TlsTransport;
  /**
   * Why the client's certificate does not count; undefined where it does, and
   * where none is asked for. The client is to be told so, and sent away.
   */
  readonly fault: TlsError | undefined;
}

/**
 * Goes on over TLS as its accepting end; whatever comes next on `transport` is
 * the client's first word of TLS. It is closed if that fails.
 *
 * @throws {TlsError} `handshake` if client and server do not agree
 * @throws {ConnectionError} if the connection breaks, or the signal fires
 */
export async function acceptTls(
  transport: Transport,
  options: TlsServerOptions,
): Promise<AcceptedTls> {
  const { credentials, clientCertificate, signal } = options;
  const below = new TransportDuplex(transport);
  const socket = new TLSSocket(below, {
    isServer: true,
    secureContext: secureContextOf(credentials),
    requestCert: clientCertificate !== "ignored",
    // It is looked at here, so that the client can be told in its own protocol.
    rejectUnauthorized: false,
  });
  const layer = new TlsLayer(socket, below, transport, "secure");
  await layer.handshake(signal);
  return {
    transport: layer.transport(),
    fault: clientFault(layer.peerChain, options),
  };
}

function clientFault(
  chain: readonly Uint8Array[],
  { credentials, clientCertificate }: TlsServerOptions,
): TlsError | undefined {
  if (clientCertificate === "ignored") return undefined;
  if (chain.length === 0 && clientCertificate === "optional") return undefined;
  try {
    verifyChain(chain, credentials.authorities, "client", Date.now());
    return undefined;
  } catch (error) {
    if (error instanceof TlsError) return error;
    throw error;
  }
}
