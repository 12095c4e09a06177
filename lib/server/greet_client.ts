import { Deadline } from "../connection/deadline.ts";
import { ServerAuth } from "../protocol/server_auth.ts";
import { greetingOf } from "./greeting_of.ts";
import { type AcceptedLogin, acceptLogin } from "./login.ts";
import type { SessionChannel } from "./session_channel.ts";
import type { SessionHost } from "./session_host.ts";

/**
 * Greets a client and sees its login through, in its turn and in bounded time;
 * undefined if there is nothing more to do: it was refused, and that was noted,
 * or it has gone.
 *
 * @param signal fires when the session is to end
 * @throws what `acceptLogin()` does
 */
export async function greetClient(
  channel: SessionChannel,
  connectionId: number,
  server: SessionHost,
  signal: AbortSignal,
): Promise<AcceptedLogin | undefined> {
  const { host } = channel;
  const { turns } = server;
  using deadline = new Deadline(
    server.limits.loginTimeoutMs,
    "waiting for the login",
    signal,
  );
  await turns.login.take();
  const [facts, rsaKeyPair] = await Promise.all([
    server.facts(),
    server.rsaKeyPair(),
  ]);
  const { tls } = server;
  const auth = new ServerAuth({
    lookup: (user) => server.account(user),
    host,
    // Without TLS nobody can show a certificate.
    requireTls: tls?.required === true || tls?.clientCertificate === "required",
    rsaKeyPair,
    notNow: (attributes) =>
      facts.awaitsSource === true && isMariadbReplica(attributes)
        ? "kingbus has not reached its source yet, and can't say whether that is MariaDB"
        : undefined,
  });
  const result = await acceptLogin(
    channel,
    auth,
    greetingOf(connectionId, facts, server),
    deadline.signal,
    turns.login,
    tls,
  );
  if (result.kind === "accepted") return result;
  if (result.kind === "refused") {
    server.refused(result.reason, host, result.message);
  }
  return undefined;
}

/**
 * Whether a client is a MariaDB server that replicates, by its connection
 * attributes: `_server_host` is MariaDB's, and its programs give their name. At
 * a server that seems to be MySQL it gives up GTIDs for good (`sql/slave.cc`),
 * and goes on by file and position, from the first file if it has none.
 */
function isMariadbReplica(attributes: ReadonlyMap<string, string>): boolean {
  return attributes.has("_server_host") && !attributes.has("program_name");
}
