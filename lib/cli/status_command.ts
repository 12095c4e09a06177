import { adminUrl } from "../admin/admin_url.ts";
import type { NodeStatus } from "../admin/node_status.ts";
import { loadConfig } from "../config/load_config.ts";
import type { Command } from "./command.ts";
import { configFileFlag, configFlags, configSources } from "./config_flags.ts";
import { describeFetchFault } from "./describe_fetch_fault.ts";
import { formatStatus } from "./format_status.ts";
import { reachableAddress } from "./reachable_address.ts";
import type { Terminal } from "./terminal.ts";

const JSON_FLAG = "json";
const ADMIN_FLAG = "admin-listen";
const TIMEOUT_MS = 10_000;

/** `kingbus status`. */
export const statusCommand: Command = {
  name: "status",
  summary: "Show what the running node does",
  about:
    "Asks the admin API of the running node and shows its source, its log and its replicas. Exit code 1 when it can't be asked.",
  example: "kingbus status --admin-listen 127.0.0.1:9595",
  flags: [
    configFileFlag(),
    ...configFlags().filter(({ name }) => name === ADMIN_FLAG),
    {
      name: JSON_FLAG,
      value: undefined,
      about: "Print the API's answer as it is.",
    },
  ],
  restMax: 0,
  async run(input, terminal): Promise<number> {
    const { tree } = await loadConfig(configSources(input, terminal));
    const url = `${adminUrl(reachableAddress(tree.admin.listen))}/status`;
    try {
      const text = await ask(url, terminal);
      const status = readStatus(text);
      terminal.out(input.switches.has(JSON_FLAG) ? text : formatStatus(status));
      return 0;
    } catch (error) {
      const why = describeFetchFault(error);
      terminal.err(
        `kingbus: no node answers at ${url}: ${why}; is it running, and is its address right (--${ADMIN_FLAG})?\n`,
      );
      return 1;
    }
  },
};

/** Something answered, but not what a node answers. */
class AnswerError extends Error {
  override readonly name = "AnswerError";
}

async function ask(url: string, terminal: Terminal): Promise<string> {
  const response = await terminal.fetch(url, AbortSignal.timeout(TIMEOUT_MS));
  const text = await response.text();
  if (response.ok) return text;
  throw new AnswerError(`it answered with HTTP status ${response.status}`);
}

function readStatus(text: string): NodeStatus {
  const notOurs = "what answers there is no kingbus of this version";
  let answer: { data?: Partial<NodeStatus> } | null;
  try {
    answer = JSON.parse(text);
  } catch (error) {
    throw new AnswerError(notOurs, { cause: error });
  }
  const data = answer?.data;
  const parts = [data?.syncer, data?.server, data?.retention];
  if (parts.includes(undefined)) {
    throw new AnswerError(notOurs);
  }
  return data as NodeStatus;
}
