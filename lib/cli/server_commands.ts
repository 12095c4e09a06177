import type { AdminAccess } from "./admin_access.ts";
import { adminFlags } from "./admin_access.ts";
import type { Command } from "./command.ts";
import { accountFlags, readAccount } from "./given_account.ts";
import { isDone, isServerStatus } from "./node_answers.ts";
import { steer } from "./steer.ts";
import { parseAddress } from "../config/address.ts";
import { UsageError } from "./usage_error.ts";

const LISTEN = "listen";

/** A stop waits until the replicas' connections have ended. */
const TIMEOUT_MS = 60_000;

/** `kingbus server start`. */
export const serverStartCommand: Command = {
  name: "server start",
  summary: "Serve replicas",
  about:
    "Makes the running node serve replicas, as configured, or with another address or account. It holds over restarts, until server.listen or server.users of the configuration are changed.",
  example: "kingbus server start",
  flags: [
    ...adminFlags(),
    {
      name: LISTEN,
      value: "HOST:PORT",
      about: "Where replicas connect. [as configured]",
    },
    ...accountFlags("replicas log in with"),
  ],
  restMax: 0,
  async run(input, terminal): Promise<number> {
    const listen = input.values.get(LISTEN);
    checkListen(listen);
    const account = await readAccount(input, terminal);
    const body = {
      ...listen === undefined ? {} : { addr: listen },
      ...account,
    };
    return await steer(input, terminal, {
      method: "PUT",
      path: "/binlog/server/start",
      timeoutMs: TIMEOUT_MS,
      isAnswer: isDone,
      ...Object.keys(body).length === 0 ? {} : { body },
    }, {
      done: sayListening,
      // Another address or account is not taken over by what runs.
      ...Object.keys(body).length > 0 ? {} : {
        already: async (access) =>
          `replicas are served already: ${await sayListening(access)}`,
      },
    });
  },
};

/** `kingbus server stop`. */
export const serverStopCommand: Command = {
  name: "server stop",
  summary: "Serve replicas no more",
  about:
    "Makes the running node end the connections of all replicas and listen no more; the source is followed on. It stays so over restarts, until kingbus server start, or until server.listen or server.users of the configuration are changed.",
  example: "kingbus server stop",
  flags: adminFlags(),
  restMax: 0,
  run: (input, terminal): Promise<number> =>
    steer(input, terminal, {
      method: "PUT",
      path: "/binlog/server/stop",
      timeoutMs: TIMEOUT_MS,
      isAnswer: isDone,
    }, { done: () => Promise.resolve("replicas are not served any more") }),
};

async function sayListening({ client }: AdminAccess): Promise<string> {
  const { addr, users } = await client.ask({
    path: "/binlog/server/status",
    isAnswer: isServerStatus,
  });
  const who = users.length === 0
    ? "no user can log in"
    : `users ${users.join(", ")}`;
  return `listening on ${addr}, ${who}`;
}

function checkListen(text: string | undefined): void {
  if (text === undefined) return;
  try {
    parseAddress(text);
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    throw new UsageError(`--${LISTEN}: ${cause.message}`, { cause });
  }
}
