import type { Greeting, Login, ServerAuth } from "../protocol/server_auth.ts";
import { ErrorCode } from "../protocol/error_code.ts";
import { ProtocolError } from "../protocol/protocol_error.ts";
import { decodeErr } from "../protocol/response.ts";
import type { SessionChannel } from "./session_channel.ts";

/** How a login ended. */
export type LoginResult =
  | { readonly kind: "accepted"; readonly login: Login }
  /** The client has been told so; `message` is what it was told. */
  | { readonly kind: "refused"; readonly message: string }
  /** The client closed the connection. */
  | { readonly kind: "gone" };

/**
 * Greets a client and sees its login through.
 *
 * @param turn resolves when the client's next answer may be looked at
 * @throws {ProtocolError} for a packet that is malformed, too large or out of order
 * @throws {ConnectionError} if the connection breaks or the signal fires
 */
export async function acceptLogin(
  channel: SessionChannel,
  auth: ServerAuth,
  greeting: Greeting,
  signal: AbortSignal,
  turn: () => Promise<void>,
): Promise<LoginResult> {
  await channel.send(auth.greeting(greeting));
  for (;;) {
    const payload = await channel.read(signal);
    if (payload === null) return { kind: "gone" };
    await turn();
    const step = auth.next(payload);
    if ("send" in step) {
      await channel.send(step.send);
    } else if ("accepted" in step) {
      await channel.send(...step.replies);
      return { kind: "accepted", login: step.accepted };
    } else if ("refused" in step) {
      await channel.send(step.refused);
      return { kind: "refused", message: decodeErr(step.refused).message };
    } else {
      throw new ProtocolError(
        ErrorCode.ER_HANDSHAKE,
        "Bad handshake: TLS is not configured here",
      );
    }
  }
}
