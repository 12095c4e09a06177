import { BenchError } from "./bench_error.ts";
import { spawnDeno } from "./bench_process.ts";
import { startFlags } from "./kingbus_process.ts";

/** One run of a command line of kingbus. */
export interface CommandRun {
  /** From its start to its end, that of Deno included. */
  readonly seconds: number;
  /** What it wrote to standard output. */
  readonly output: string;
}

/**
 * Runs a command line of kingbus to its end, with the permissions and flags of
 * `deno task start`.
 *
 * @param main entry point of kingbus
 * @throws {BenchError} If it fails; what it said went to standard error.
 */
export async function runCommand(
  main: string,
  args: readonly string[],
): Promise<CommandRun> {
  const start = performance.now();
  const child = spawnDeno(await startFlags(), main, args);
  const { success, stdout } = await child.output();
  const seconds = (performance.now() - start) / 1000;
  if (!success) throw new BenchError(`kingbus ${args[0]} failed`);
  return { seconds, output: new TextDecoder().decode(stdout) };
}
