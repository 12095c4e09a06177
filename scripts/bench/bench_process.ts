import { importFlags } from "../import_flags.ts";
import { BenchError } from "./bench_error.ts";

const ROOT = new URL("../../", import.meta.url);

/** Looked for once: it may take seconds, and starts are measured. */
const IMPORT_FLAGS = await importFlags();

/**
 * Starts a program of this project in a Deno of its own, so that it shares no
 * thread with what is measured.
 */
export function spawnDeno(
  permissions: readonly string[],
  program: string,
  args: readonly string[],
): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", ...IMPORT_FLAGS, ...permissions, program, ...args],
    cwd: ROOT,
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
}

/**
 * Runs a program of this folder that takes one JSON value as its argument and
 * prints one.
 *
 * @throws {BenchError} If it fails; what it said went to standard error.
 */
export async function runBenchProgram<Result>(
  fileName: string,
  input: unknown,
  permissions: readonly string[] = ["-A"],
): Promise<Result> {
  const program = new URL(fileName, import.meta.url).pathname;
  const child = spawnDeno(permissions, program, [JSON.stringify(input)]);
  const { success, stdout } = await child.output();
  if (!success) throw new BenchError(`${fileName} failed`);
  return JSON.parse(new TextDecoder().decode(stdout));
}
