import { adminUrl } from "../admin/admin_url.ts";
import type { ReadinessCheck } from "../admin/readiness.ts";
import { parseDuration } from "../config/duration.ts";
import { loadConfig } from "../config/load_config.ts";
import type { Command, CommandInput } from "./command.ts";
import { configFileFlag, configFlags, configSources } from "./config_flags.ts";
import { describeFetchFault } from "./describe_fetch_fault.ts";
import { reachableAddress } from "./reachable_address.ts";
import type { Terminal } from "./terminal.ts";
import { UsageError } from "./usage_error.ts";

const ADMIN_FLAG = "admin-listen";
const SERVING_FLAG = "serving";
const WAIT_FLAG = "wait";
const TIMEOUT_MS = 5_000;
const INTERVAL_MS = 200;

/** What a node says of itself, or that it says nothing. */
type Readiness = { readonly ready: true } | {
  readonly ready: false;
  readonly why: string;
};

/** `kingbus ready`. */
export const readyCommand: Command = {
  name: "ready",
  summary: "Tell by the exit code whether the running node is ready",
  about:
    "Asks the running node's /readyz. Exit code 0 when all that is meant to run runs, 1 when something does not, with what and why, or when no node answers. A source that is away makes a node unready, though it goes on serving its log; with --serving it does not count. For scripts, service managers and load balancers.",
  example: "kingbus ready --serving --wait 30s",
  flags: [
    configFileFlag(),
    ...configFlags().filter(({ name }) => name === ADMIN_FLAG),
    {
      name: SERVING_FLAG,
      value: undefined,
      about:
        "Only ask whether replicas are served; not whether the source is followed.",
    },
    {
      name: WAIT_FLAG,
      value: "DURATION",
      about: "Ask again until it is ready, for so long at most, such as 30s.",
    },
  ],
  restMax: 0,
  async run(input, terminal): Promise<number> {
    const waitMs = readWait(input);
    const { tree } = await loadConfig(configSources(input, terminal));
    const url = `${adminUrl(reachableAddress(tree.admin.listen))}/readyz`;
    const serving = input.switches.has(SERVING_FLAG);
    const end = performance.now() + waitMs;
    let readiness = await ask(url, serving, terminal);
    while (!readiness.ready && performance.now() < end) {
      await new Promise((resolve) => setTimeout(resolve, INTERVAL_MS));
      readiness = await ask(url, serving, terminal);
    }
    if (readiness.ready) return 0;
    terminal.err(`kingbus: ${readiness.why}\n`);
    return 1;
  },
};

function readWait({ values }: CommandInput): number {
  const text = values.get(WAIT_FLAG);
  if (text === undefined) return 0;
  try {
    return parseDuration(text);
  } catch (cause) {
    throw new UsageError(
      `--${WAIT_FLAG} takes a duration such as 30s, not ${
        JSON.stringify(text.slice(0, 100))
      }`,
      { cause },
    );
  }
}

async function ask(
  url: string,
  serving: boolean,
  terminal: Terminal,
): Promise<Readiness> {
  try {
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const response = await terminal.fetch(url, signal);
    return judge(await response.json(), response.ok, serving);
  } catch (error) {
    const why = describeFetchFault(error);
    return { ready: false, why: `no node answers at ${url}: ${why}` };
  }
}

/** @param ok whether the node calls itself ready, all parts of it. */
function judge(answer: unknown, ok: boolean, serving: boolean): Readiness {
  if (ok) return { ready: true };
  const { message, data } = answer as {
    message?: string;
    data?: { checks?: ReadinessCheck[] };
  };
  const checks = data?.checks;
  const why = message ?? "what answers there is no kingbus of this version";
  if (!serving || checks === undefined) return { ready: false, why };
  return checks.every(({ part, ready }) => ready || part === "syncer")
    ? { ready: true }
    : { ready: false, why };
}
