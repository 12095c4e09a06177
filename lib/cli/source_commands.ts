import { parseAddress } from "../config/address.ts";
import { startValue } from "../config/config_schema.ts";
import {
  type AdminAccess,
  adminFlags,
  adminOrStoreFlags,
} from "./admin_access.ts";
import type { AdminQuestion } from "./admin_client.ts";
import { FROM_FIELD } from "./ask_node.ts";
import { type Command, type CommandInput, JSON_FLAG } from "./command.ts";
import { ExitCode } from "./exit_code.ts";
import { formatSource } from "./format_status.ts";
import { accountFlags, readAccount } from "./given_account.ts";
import { isDone, isSyncerStatus } from "./node_answers.ts";
import type { SyncerStatus } from "../admin/syncer_status.ts";
import { steer } from "./steer.ts";
import type { Terminal } from "./terminal.ts";
import { UsageError } from "./usage_error.ts";
import { withFound } from "./with_found.ts";

const ADDRESS = "address";
const START = "start";

/** A stop waits until the syncer has let go of the source. */
const TIMEOUT_MS = 60_000;

const SYNCER_QUESTION: AdminQuestion<SyncerStatus> = {
  path: "/binlog/syncer/status",
  isAnswer: isSyncerStatus,
};

/** `kingbus source start`. */
export const sourceStartCommand: Command = {
  name: "source start",
  summary: "Follow the source, or another one",
  about:
    "Makes the running node follow its source: the one it followed last, or that of the configuration. With --address and an account it follows that server from now on, changing to it by GTID when it follows another. Both hold over restarts, until the source of the configuration is changed.",
  example: "kingbus source start",
  flags: [
    ...adminFlags(),
    {
      name: ADDRESS,
      value: "HOST:PORT",
      about: "The server to follow. [the last one]",
    },
    ...accountFlags("on that server"),
    {
      name: START,
      value: "oldest|newest|GTID-SET",
      about: "Where an empty store begins. [as configured]",
    },
  ],
  restMax: 0,
  async run(input, terminal): Promise<number> {
    const body = await readTarget(input, terminal);
    const question = {
      method: "PUT",
      path: "/binlog/syncer/start",
      timeoutMs: TIMEOUT_MS,
      isAnswer: isDone,
      ...body === undefined ? {} : { body },
    } as const;
    return await steer(input, terminal, question, {
      done: sayFollowing,
      ...body !== undefined ? {} : {
        already: async (access) =>
          `the source is followed already: ${await sayFollowing(access)}`,
        invalid:
          `there is no source to follow: name it with --${ADDRESS}, --user and --password-file, or as source in the node's configuration`,
      },
    });
  },
};

/** `kingbus source stop`. */
export const sourceStopCommand: Command = {
  name: "source stop",
  summary: "Follow the source no more",
  about:
    "Makes the running node let go of its source; replicas are served on. It stays so over restarts, until kingbus source start, or until the source of the configuration is changed.",
  example: "kingbus source stop",
  flags: adminFlags(),
  restMax: 0,
  run: (input, terminal): Promise<number> =>
    steer(input, terminal, {
      method: "PUT",
      path: "/binlog/syncer/stop",
      timeoutMs: TIMEOUT_MS,
      isAnswer: isDone,
    }, {
      done: () => Promise.resolve("the source is not followed any more"),
    }),
};

/** `kingbus source status`. */
export const sourceStatusCommand: Command = {
  name: "source status",
  summary: "Show how the following of the source goes",
  about:
    "Shows which server is followed, how that goes, what keeps it from going on and what to do, and where the log ends. Exit code 3 when it should be followed and is not; when no node runs it shows what the store knows, with exit code 1.",
  example: "kingbus source status",
  flags: [...adminOrStoreFlags(), JSON_FLAG],
  restMax: 0,
  json: {
    about: "One document.",
    fields: [
      FROM_FIELD,
      ["data", "What [`GET /binlog/syncer/status`](admin-api.md) answers."],
    ],
  },
  run: (input, terminal): Promise<number> =>
    withFound(input, terminal, {
      question: SYNCER_QUESTION,
      stored: ({ status }) => status.syncer,
      pick: (syncer) => syncer,
      format: formatSource,
    }, ({ from, data: { wanted, state } }) => {
      if (from === "store") return ExitCode.FAILED;
      return wanted && state !== "following"
        ? ExitCode.NOT_READY
        : ExitCode.DONE;
    }),
};

async function sayFollowing({ client }: AdminAccess): Promise<string> {
  const { state, mysql_addr, mysql_user } = await client.ask(SYNCER_QUESTION);
  return `${state} ${mysql_addr} as ${mysql_user}; kingbus source status tells how it goes on`;
}

async function readTarget(
  input: CommandInput,
  terminal: Terminal,
): Promise<Record<string, string> | undefined> {
  const address = input.values.get(ADDRESS);
  const start = input.values.get(START);
  const account = await readAccount(input, terminal);
  if (address === undefined && account === undefined && start === undefined) {
    return undefined;
  }
  if (address === undefined || account === undefined) {
    throw new UsageError(
      `another source needs --${ADDRESS}, --user, and --password-file or --password-env; without all of them the last one is followed`,
    );
  }
  try {
    parseAddress(address);
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    throw new UsageError(`--${ADDRESS}: ${cause.message}`, { cause });
  }
  const startFault = startValue().safeParse(start ?? "oldest").error;
  if (startFault !== undefined) {
    throw new UsageError(`--${START} ${startFault.issues[0]!.message}`);
  }
  return {
    mysql_addr: address,
    mysql_user: account.user,
    mysql_password: account.password,
    ...start === undefined ? {} : { start },
  };
}
