/**
 * `deno task demo`: kingbus at work between a real source and a real replica.
 * See `--help`.
 *
 * @module
 */

import { describeError } from "../lib/log/describe_error.ts";
import { compareTables } from "./demo/compare_tables.ts";
import { Interruption } from "./demo/demo_error.ts";
import {
  DEMO_HELP,
  type DemoOptions,
  DemoUsageError,
  parseDemoOptions,
} from "./demo/demo_options.ts";
import { DemoOutput } from "./demo/demo_output.ts";
import { exitCodeOf, formatReport } from "./demo/demo_report.ts";
import { readProcess } from "./demo/process_list.ts";
import { runDemo } from "./demo/run_demo.ts";
import type { ScreenTerminal } from "./demo/screen.ts";

/** Exit codes of a process that a signal ended, as shells give them. */
const SIGNAL_EXIT_CODES: ReadonlyMap<Deno.Signal, number> = new Map([
  ["SIGHUP", 129],
  ["SIGINT", 130],
  ["SIGTERM", 143],
]);

/**
 * Ctrl-C reaches the demo twice where the process that started it passes it on
 * as well; what comes so soon after the first is no second Ctrl-C.
 */
const SAME_SIGNAL_MS = 1_000;

/** Time between two looks at the process that started the demo. */
const LAUNCHER_LOOK_MS = 500;

function write(text: string): void {
  let rest = new TextEncoder().encode(text);
  while (rest.length > 0) rest = rest.subarray(Deno.stdout.writeSync(rest));
}

/** The terminal that the demo may draw on; `undefined` if there is none. */
async function findTerminal(): Promise<ScreenTerminal | undefined> {
  if (!Deno.stdout.isTerminal() || Deno.env.get("TERM") === "dumb") {
    return undefined;
  }
  if (!await isInForeground()) return undefined;
  return { write, size: terminalSize, color: !Deno.noColor };
}

/** Some terminals do not know their size; they are as large as those of old. */
function terminalSize(): { columns: number; rows: number } {
  const { columns, rows } = Deno.consoleSize();
  return { columns: columns || 80, rows: rows || 24 };
}

/** Whether the terminal's keys go to this process. */
async function isInForeground(): Promise<boolean> {
  const own = await readProcess(Deno.pid);
  return own === undefined || own.groupId === own.foregroundGroupId;
}

/** Aborts when Enter, or Ctrl-D, is pressed while the live view is shown. */
async function abortOnEnter(
  finish: AbortController,
  output: DemoOutput,
): Promise<void> {
  const keys = new Uint8Array(256);
  try {
    let pressed: number | null;
    do {
      pressed = await Deno.stdin.read(keys);
      if (output.live) finish.abort();
    } while (pressed !== null && !finish.signal.aborted);
  } catch {
    // the terminal went away; a signal says so
  }
}

/** A proxy of this network has no way to servers of this machine. */
function reachLoopbackDirectly(): void {
  for (const name of ["NO_PROXY", "no_proxy"]) {
    const names = Deno.env.get(name);
    Deno.env.set(name, names ? `${names},127.0.0.1` : "127.0.0.1");
  }
}

/** Has signals end the demo in order, and a second one at once. */
function handleSignals(giveUp: AbortController, output: DemoOutput): void {
  let firstMs: number | undefined;
  for (const [signal, exitCode] of SIGNAL_EXIT_CODES) {
    Deno.addSignalListener(signal, () => {
      firstMs ??= performance.now();
      if (performance.now() - firstMs > SAME_SIGNAL_MS) {
        output[Symbol.dispose]();
        Deno.exit(exitCode); // the folder's guard ends what still runs
      }
      giveUp.abort(new Interruption(signal));
    });
  }
}

/**
 * Ends the demo when npx, through which it was started, is ended by a signal:
 * npx passes that on to the shell between it and Deno, but no further.
 */
async function followNpx(giveUp: AbortController): Promise<void> {
  if (Deno.env.get("npm_command") !== "exec") return;
  const parentPid = Deno.ppid; // deno task
  const shell = (await readProcess(parentPid))?.parentPid;
  if (shell === undefined) return;
  setInterval(async () => {
    const parent = await readProcess(parentPid);
    if (parent?.parentPid === shell) return;
    giveUp.abort(new Interruption("SIGTERM"));
  }, LAUNCHER_LOOK_MS);
}

async function runOnProcess(options: DemoOptions): Promise<number> {
  reachLoopbackDirectly();
  const terminal = await findTerminal();
  using output = new DemoOutput({
    write,
    terminal,
    now: () => performance.now(),
  });
  // a bug must not leave the terminal without its cursor
  globalThis.addEventListener("unload", () => output[Symbol.dispose]());
  const giveUp = new AbortController();
  const finish = new AbortController();
  handleSignals(giveUp, output);
  await followNpx(giveUp);
  if (terminal !== undefined) {
    Deno.addSignalListener("SIGWINCH", () => output.redraw());
    if (Deno.stdin.isTerminal()) abortOnEnter(finish, output);
  }
  try {
    const report = await runDemo(options, {
      output,
      giveUp: giveUp.signal,
      finish: finish.signal,
      compare: compareTables,
    });
    output.say(`\n${formatReport(report)}`);
    return exitCodeOf(report);
  } catch (error) {
    output[Symbol.dispose]();
    if (error instanceof Interruption) {
      const folder = options.keep ? "the folder stays" : "removed its folder";
      output.say(`\n${error.message}: stopped all it had started, ${folder}`);
      return SIGNAL_EXIT_CODES.get(error.signal) ?? 1;
    }
    console.error(`demo: ${describe(error)}`);
    return 1;
  }
}

/** Its message in full, log lines included, and its causes. */
function describe(error: unknown): string {
  if (error instanceof SuppressedError) {
    return `${describe(error.suppressed)}\nthen: ${describe(error.error)}`;
  }
  if (!(error instanceof Error)) return String(error);
  const { cause, message } = error;
  const known = cause === undefined || message.includes(describeError(cause));
  return known ? message : `${message}: ${describeError(cause)}`;
}

if (import.meta.main) {
  let code: number;
  try {
    const options = parseDemoOptions(Deno.args);
    if (options === "help") {
      console.log(DEMO_HELP);
      code = 0;
    } else {
      code = await runOnProcess(options);
    }
  } catch (error) {
    if (!(error instanceof DemoUsageError)) throw error;
    console.error(`demo: ${error.message} (--help tells more)`);
    code = 2;
  }
  Deno.exit(code);
}
