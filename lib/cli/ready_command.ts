import type { ReadinessCheck } from "../admin/readiness.ts";
import { adminFlags, openAdmin, tellAdminError } from "./admin_access.ts";
import { type AdminClient, AdminError } from "./admin_client.ts";
import type { Command, CommandInput } from "./command.ts";
import { ExitCode } from "./exit_code.ts";
import { readDuration } from "./read_value.ts";

const SERVING_FLAG = "serving";
const WAIT_FLAG = "wait";
const TIMEOUT_MS = 5_000;
const INTERVAL_MS = 200;
/** HTTP status of a node that answers that it is not ready. */
const UNREADY = 503;
const WAIT_MS_MAX = 24 * 3_600_000;

/** What a node says of itself, or that it says nothing. */
type Readiness = { readonly ready: true } | {
  readonly ready: false;
  readonly error: AdminError;
};

/** `kingbus ready`. */
export const readyCommand: Command = {
  name: "ready",
  summary: "Tell by the exit code whether the running node is ready",
  about:
    "Asks the running node's /readyz. Exit code 0 when all that is meant to run runs, 3 when something does not, with what and why, 1 when no node answers. A source that is away makes a node unready, though it goes on serving its log; with --serving it does not count. For scripts, service managers and load balancers.",
  example: "kingbus ready --serving --wait 30s",
  flags: [
    ...adminFlags(),
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
    const { client } = await openAdmin(input, terminal);
    const serving = input.switches.has(SERVING_FLAG);
    const end = performance.now() + waitMs;
    let readiness = await ask(client, serving);
    while (!readiness.ready && performance.now() < end) {
      await new Promise((resolve) => setTimeout(resolve, INTERVAL_MS));
      readiness = await ask(client, serving);
    }
    if (readiness.ready) return ExitCode.DONE;
    const code = tellAdminError(readiness.error, terminal);
    return readiness.error.status === UNREADY ? ExitCode.NOT_READY : code;
  },
};

function readWait({ values }: CommandInput): number {
  const text = values.get(WAIT_FLAG);
  return text === undefined
    ? 0
    : readDuration(WAIT_FLAG, text, { minMs: 0, maxMs: WAIT_MS_MAX });
}

async function ask(
  client: AdminClient,
  serving: boolean,
): Promise<Readiness> {
  try {
    await client.ask({
      path: "/readyz",
      timeoutMs: TIMEOUT_MS,
      isAnswer: isReady,
    });
    return { ready: true };
  } catch (error) {
    if (!(error instanceof AdminError)) throw error;
    const isServing = serving && isReadiness(error.data) &&
      error.data.checks.every(({ part, ready }) => ready || part === "syncer");
    return isServing ? { ready: true } : { ready: false, error };
  }
}

/** Whether an answer has details. */
function isReadiness(
  data: unknown,
): data is { readonly checks: readonly ReadinessCheck[] } {
  return typeof data === "object" && data !== null && "checks" in data &&
    Array.isArray(data.checks);
}

/** Whether that is an answer at all: it may be one without details. */
function isReady(data: unknown): data is { readonly ready: boolean } {
  return typeof data === "object" && data !== null && "ready" in data;
}
