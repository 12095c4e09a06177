import type { HoldStatus, RetentionStatus } from "../admin/retention_status.ts";
import type { ReplicaStatus } from "../admin/server_status.ts";
import { adminFlags, adminOrStoreFlags } from "./admin_access.ts";
import { FROM_FIELD } from "./ask_node.ts";
import { type Command, JSON_FLAG } from "./command.ts";
import { ExitCode } from "./exit_code.ts";
import type { FormatOptions } from "./format_options.ts";
import { replicaTable } from "./format_replicas.ts";
import { replicaLine } from "./format_retention.ts";
import { isDone } from "./node_answers.ts";
import { NODE_QUESTION } from "./node_question.ts";
import { printable } from "./printable.ts";
import { steer } from "./steer.ts";
import { UsageError } from "./usage_error.ts";
import { withFound } from "./with_found.ts";
import { wrapText } from "./wrap_text.ts";

/** Who reads the log: connected now, or to be kept for. */
interface Replicas {
  readonly connected: readonly ReplicaStatus[];
  readonly kept_for: RetentionStatus["replicas"];
  readonly held_back_by: readonly HoldStatus[];
}

/** `kingbus replicas`. */
export const replicasCommand: Command = {
  name: "replicas",
  summary: "List the replicas, with file, position and lag",
  about:
    "Lists who is connected to the binlog server and up to where each was sent the log, and the replicas of retention.replicas whose files are kept while they are away. When no node runs, nobody is connected: it shows what the store knows of those.",
  example: "kingbus replicas",
  flags: [...adminOrStoreFlags(), JSON_FLAG],
  restMax: 0,
  json: {
    about: "One document.",
    fields: [
      FROM_FIELD,
      [
        "data.connected",
        "`slaves` of [`GET /binlog/server/status`](admin-api.md).",
      ],
      [
        "data.kept_for",
        "`replicas` of [`GET /binlog/retention/status`](admin-api.md).",
      ],
      [
        "data.held_back_by",
        "`held_back.by` of it: who keeps a limit from being kept.",
      ],
    ],
  },
  run: (input, terminal): Promise<number> =>
    withFound(input, terminal, {
      question: NODE_QUESTION,
      stored: ({ status }) => status,
      pick: ({ server, retention }): Replicas => ({
        connected: server.slaves,
        kept_for: retention.replicas,
        held_back_by: retention.held_back?.by ?? [],
      }),
      format: formatReplicas,
    }, () => ExitCode.DONE),
};

function formatReplicas(
  { connected, kept_for: keptFor }: Replicas,
  options: FormatOptions,
): string {
  const lines = replicaTable(connected, options);
  if (lines.length === 0) lines.push("no replica is connected");
  const kept = keptFor.map((one) => printable(replicaLine(one)));
  if (kept.length > 0) {
    lines.push("", options.style.strong("files are kept for"));
    lines.push(...kept.flatMap((line) => wrapText(line, options.width)));
  }
  return `${lines.join("\n")}\n`;
}

/** `kingbus replicas kick`. */
export const replicasKickCommand: Command = {
  name: "replicas kick",
  summary: "End the connection of a replica",
  about:
    "Ends the connection with that id, which kingbus replicas and SHOW PROCESSLIST show. A replica that is not stopped connects again and goes on where it was. Exit code 1 when there is no such connection.",
  example: "kingbus replicas kick 7",
  flags: adminFlags(),
  argument: "ID",
  restMax: 1,
  async run(input, terminal): Promise<number> {
    const [id] = input.rest;
    if (id === undefined || !/^\d{1,20}$/.test(id)) {
      throw new UsageError(
        "replicas kick needs the ID of a connection: kingbus replicas lists them",
      );
    }
    return await steer(input, terminal, {
      method: "DELETE",
      path: `/binlog/server/replicas/${id}`,
      isAnswer: isDone,
    }, { done: () => Promise.resolve(`the connection ${id} was ended`) });
  },
};
