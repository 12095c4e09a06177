/**
 * `deno task test:crash`: kills kingbus and everything around it, again and
 * again, and proves that nothing was lost. See `--help`.
 *
 * @module
 */

import { runKingbus } from "../support/kingbus_process.ts";
import { CrashInterruption } from "./crash_error.ts";
import {
  CRASH_HELP,
  type CrashOptions,
  CrashUsageError,
  parseCrashOptions,
} from "./crash_options.ts";
import { formatCrashReport } from "./crash_report.ts";
import { runCrash } from "./crash_run.ts";

/** Exit codes of a process that a signal ended, as shells give them. */
const SIGNAL_EXIT_CODES: ReadonlyMap<Deno.Signal, number> = new Map([
  ["SIGHUP", 129],
  ["SIGINT", 130],
  ["SIGTERM", 143],
]);

async function run(options: CrashOptions): Promise<number> {
  const end = new AbortController();
  for (const signal of SIGNAL_EXIT_CODES.keys()) {
    Deno.addSignalListener(signal, () => {
      end.abort(new CrashInterruption(signal));
    });
  }
  console.log(`seed ${options.seed}, ${options.rounds} rounds`);
  const help = await runKingbus(["--help"]);
  try {
    const report = await runCrash(options, {
      signal: end.signal,
      say: (line) => console.log(line),
      canVerify: /^\s+verify\b/m.test(help.stdout),
    });
    console.log(`\n${formatCrashReport(report)}`);
    return report.failure === undefined ? 0 : 1;
  } catch (error) {
    if (!(error instanceof CrashInterruption)) throw error;
    console.log(`${error.message}; everything it had started has ended`);
    return SIGNAL_EXIT_CODES.get(error.signal) ?? 1;
  }
}

/** A proxy of this network has no way to servers of this machine. */
function reachLoopbackDirectly(): void {
  for (const name of ["NO_PROXY", "no_proxy"]) {
    const names = Deno.env.get(name);
    Deno.env.set(name, names ? `${names},127.0.0.1` : "127.0.0.1");
  }
}

if (import.meta.main) {
  let code: number;
  try {
    const [seed = 0] = crypto.getRandomValues(new Uint32Array(1));
    const options = parseCrashOptions(Deno.args, seed);
    if (options === "help") {
      console.log(CRASH_HELP);
      code = 0;
    } else {
      reachLoopbackDirectly();
      code = await run(options);
    }
  } catch (error) {
    if (!(error instanceof CrashUsageError)) throw error;
    console.error(`test:crash: ${error.message} (--help tells more)`);
    code = 2;
  }
  Deno.exit(code);
}
