import type { NodeStatus } from "../admin/node_status.ts";
import type { AdminQuestion } from "./admin_client.ts";
import { formatFound, type Found } from "./ask_node.ts";
import { ExitCode } from "./exit_code.ts";
import { formatOptions } from "./format_options.ts";
import { formatStatus } from "./format_status.ts";
import { isNodeStatus } from "./node_answers.ts";
import type { Terminal } from "./terminal.ts";

/** Asks a node for all there is to say about it. */
export const NODE_QUESTION: AdminQuestion<NodeStatus> = {
  path: "/status",
  isAnswer: isNodeStatus,
};

/** Prints a node's status, and gives the exit code. */
export function tellStatus(
  found: Found<NodeStatus>,
  json: boolean,
  terminal: Terminal,
): number {
  terminal.out(
    json
      ? formatFound(found)
      : formatStatus(found.data, formatOptions(terminal)),
  );
  if (found.from === "store") return ExitCode.FAILED;
  return found.data.ready ? ExitCode.DONE : ExitCode.NOT_READY;
}
