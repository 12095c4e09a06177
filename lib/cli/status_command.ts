import { NODE_QUESTION, tellStatus } from "./node_question.ts";
import { adminOrStoreFlags } from "./admin_access.ts";
import { askNodeOrStore, FROM_FIELD } from "./ask_node.ts";
import { type Command, JSON_FLAG, wantsJson } from "./command.ts";
import { readDuration } from "./read_value.ts";
import { UsageError } from "./usage_error.ts";
import { watchStatus } from "./watch_status.ts";
import { withAdmin } from "./with_admin.ts";

const WATCH = "watch";
const INTERVAL = "interval";
const INTERVAL_MS = 1000;

/** `kingbus status`. */
export const statusCommand: Command = {
  name: "status",
  summary: "Show what the running node does",
  about:
    "Asks the admin API of the running node and shows its source, its log and its replicas. Exit code 3 when the node is not ready, that is when something does not run that is meant to. When no node runs it shows what the store knows, with exit code 1.",
  example: "kingbus status",
  flags: [
    ...adminOrStoreFlags(),
    JSON_FLAG,
    {
      name: WATCH,
      value: undefined,
      about:
        "Show it again and again, in the place of the last time, until q or Ctrl-C; with --json, a line of JSON each time. Goes on when the node is lost.",
    },
    {
      name: INTERVAL,
      value: "DURATION",
      about: "How often, with --watch: 200ms to 1h. [1s]",
    },
  ],
  restMax: 0,
  json: {
    about:
      "One document. With `--watch` one a line, each time; one without an answer has `error` in the place of `from` and `data`.",
    fields: [
      ["at", "When it was asked, RFC 3339; with `--watch` only."],
      FROM_FIELD,
      [
        "data",
        "What [`GET /status`](admin-api.md) answers; of a store with `ready` false and nothing running.",
      ],
      ["error", "Why nothing was found out; with `--watch` only."],
    ],
  },
  async run(input, terminal): Promise<number> {
    const { values, switches } = input;
    const interval = values.get(INTERVAL);
    const watches = switches.has(WATCH);
    if (interval !== undefined && !watches) {
      throw new UsageError(`--${INTERVAL} goes with --${WATCH}`);
    }
    const intervalMs = interval === undefined ? INTERVAL_MS : readDuration(
      INTERVAL,
      interval,
      { minMs: 200, maxMs: 3_600_000 },
    );
    const json = wantsJson(input);
    if (watches && !json && !terminal.outIsTerminal) {
      throw new UsageError(
        `--${WATCH} draws on a terminal, and standard output is none: add --json for a line of JSON each time`,
      );
    }
    return await withAdmin(input, terminal, async (access) => {
      if (watches) {
        return await watchStatus(access, { json, intervalMs }, terminal);
      }
      const found = await askNodeOrStore(
        access,
        NODE_QUESTION,
        ({ status }) => status,
        terminal,
      );
      return tellStatus(found, json, terminal);
    });
  },
};
