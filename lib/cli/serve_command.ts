import type { App } from "../app.ts";
import { loadOptions } from "../config/load_config.ts";
import { describeError } from "../log/describe_error.ts";
import { type Log, openLog } from "../log/log.ts";
import { findTelemetry } from "../telemetry/find_telemetry.ts";
import type { Command } from "./command.ts";
import { configFlags, configSources } from "./config_flags.ts";
import { StopSignals } from "./stop_signals.ts";

/** `kingbus serve`, which is what kingbus does when told nothing. */
export const serveCommand: Command = {
  name: "serve",
  summary: "Follow the source and serve replicas (what it does by default)",
  about:
    "Follows the source, keeps its binary log and serves it to replicas, until SIGTERM or SIGINT; it then drains and ends with exit code 0. A second signal ends it at once with exit code 1. SIGHUP makes it read its certificates and the tokens of its admin API again.",
  example: "kingbus serve --config kingbus.yaml",
  flags: configFlags(),
  restMax: 0,
  async run(input, terminal): Promise<number> {
    const options = await loadOptions(configSources(input, terminal));
    const log = openLog({ ...options.log });
    try {
      using signals = new StopSignals(() => Deno.exit(1));
      using _guard = guardFailures(log);
      const open = async () => {
        // Other commands have no use for all that serving takes.
        const { openApp } = await import("../app.ts");
        return await openApp(options, log, await findTelemetry());
      };
      return await serve(open, signals, log);
    } finally {
      log.close();
    }
  },
};

async function serve(
  open: () => Promise<App>,
  signals: StopSignals,
  log: Log,
): Promise<number> {
  let app: App | undefined;
  // Before all else: without a listener the signal ends the process. What is
  // read at the start need not be read again meanwhile.
  using _reload = onReload(async () => await app?.reloadSecrets());
  try {
    app = await open();
  } catch (error) {
    log.error("can't start", { error: describeError(error) });
    return 1;
  }
  const signal = await signals.first;
  log.info("draining; the same signal again ends it at once", { signal });
  try {
    await app.close();
  } catch (error) {
    log.error("can't drain", { error: describeError(error) });
    return 1;
  }
  log.info("stopped");
  return 0;
}

/** Does something on SIGHUP, which Windows does not have in that sense. */
function onReload(reload: () => Promise<void>): Disposable {
  if (Deno.build.os === "windows") return { [Symbol.dispose]: () => {} };
  const listener = () => void reload();
  Deno.addSignalListener("SIGHUP", listener);
  return {
    [Symbol.dispose]: () => Deno.removeSignalListener("SIGHUP", listener),
  };
}

/**
 * A failure that nobody handled must not end the process and every replica's
 * connection with it: it is a bug, and is said to be one.
 */
function guardFailures(log: Log): Disposable {
  const say = (failure: unknown): void => {
    const stack = failure instanceof Error ? failure.stack : undefined;
    const fields = { error: describeError(failure), stack };
    log.error("bug: a failure nobody handled", fields);
  };
  const events = new AbortController();
  globalThis.addEventListener("unhandledrejection", (event) => {
    event.preventDefault();
    say(event.reason);
  }, { signal: events.signal });
  globalThis.addEventListener("error", (event) => {
    event.preventDefault();
    say(event.error);
  }, { signal: events.signal });
  return { [Symbol.dispose]: () => events.abort() };
}
