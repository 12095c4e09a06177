import type { Greeting, Login, ServerAuth } from "../protocol/server_auth.ts";
import { acceptTls } from "../connection/tls_server.ts";
import type { TlsFacts } from "../connection/tls_layer.ts";
import { ErrorCode } from "../protocol/error_code.ts";
import { ProtocolError } from "../protocol/protocol_error.ts";
import { decodeErr } from "../protocol/response.ts";
import type { RefusalReason } from "./refusal_log.ts";
import type { ServerTls } from "./server_tls.ts";
import type { SessionChannel } from "./session_channel.ts";
import type { Turns } from "./turns.ts";

/** What a handshake of TLS takes of the event loop, about, in ms. */
const TLS_HANDSHAKE_MS = 2;

/** A login that was accepted. */
export interface AcceptedLogin {
  readonly kind: "accepted";
  readonly login: Login;
  /** How the connection is secured; undefined for not at all. */
  readonly tls: TlsFacts | undefined;
}

/** How a login ended. */
export type LoginResult =
  | AcceptedLogin
  /** The client has been told so; `message` is what it was told. */
  | {
    readonly kind: "refused";
    readonly reason: RefusalReason;
    readonly message: string;
  }
  /** The client closed the connection. */
  | { readonly kind: "gone" };

/** What a refusal counts as, by its error; all others are denied access. */
const REASONS: ReadonlyMap<number, RefusalReason> = new Map([
  [ErrorCode.ER_SECURE_TRANSPORT_REQUIRED, "tls-required"],
  [ErrorCode.ER_UNKNOWN_ERROR, "no-source-yet"],
]);

/**
 * Greets a client and sees its login through.
 *
 * @param turns lets the client's next answer be looked at
 * @param tls how TLS is spoken; undefined if it was not announced
 * @throws {ProtocolError} for a packet that is malformed, too large or out of order
 * @throws {TlsError} if it wants TLS and the handshake fails
 * @throws {ConnectionError} if the connection breaks or the signal fires
 */
export async function acceptLogin(
  channel: SessionChannel,
  auth: ServerAuth,
  greeting: Greeting,
  signal: AbortSignal,
  turns: Turns,
  tls?: ServerTls,
): Promise<LoginResult> {
  let secured: TlsFacts | undefined;
  await channel.send(auth.greeting(greeting));
  for (;;) {
    const payload = await channel.read(signal);
    if (payload === null) return { kind: "gone" };
    await turns.take();
    const step = auth.next(payload);
    if ("send" in step) {
      await channel.send(step.send);
    } else if ("accepted" in step) {
      await channel.send(...step.replies);
      return { kind: "accepted", login: step.accepted, tls: secured };
    } else if ("refused" in step) {
      await channel.send(step.refused);
      const { code, message } = decodeErr(step.refused);
      const reason = REASONS.get(code) ?? "access-denied";
      return { kind: "refused", reason, message };
    } else if (tls !== undefined) {
      turns.spent(TLS_HANDSHAKE_MS);
      secured = await startTls(channel, auth, tls, signal);
    } else {
      throw new ProtocolError(
        ErrorCode.ER_HANDSHAKE,
        "Bad handshake: TLS is not configured here",
      );
    }
  }
}

/** Goes on over TLS; a certificate that does not count is told at the login. */
async function startTls(
  channel: SessionChannel,
  auth: ServerAuth,
  tls: ServerTls,
  signal: AbortSignal,
): Promise<TlsFacts> {
  let facts: TlsFacts = { version: "", cipher: "" };
  await channel.replace(async (below) => {
    const credentials = tls.credentials();
    const { transport, fault } = await acceptTls(below, {
      credentials,
      clientCertificate: tls.clientCertificate,
      signal,
    });
    if (fault !== undefined) auth.distrust(fault.message);
    if (credentials.certificate !== undefined) {
      auth.showCertificate(credentials.certificate.raw);
    }
    facts = transport.tls;
    return transport;
  });
  return facts;
}
