import { CompileError } from "./compile_error.ts";

/** Runs `deno` with a sub-command and its arguments. */
export type DenoCommand = (args: readonly string[]) => Promise<void>;

/** How {@linkcode denoCommand} runs it. */
export interface DenoCommandOptions {
  /** Folder it is run in. */
  readonly cwd: string;
  /** Flags behind the sub-command. */
  readonly flags: readonly string[];
  /** More of its environment. */
  readonly env: Readonly<Record<string, string>>;
}

/**
 * Room for Deno's threads, in bytes: those of Rust's default overflow with the
 * large minified files that some packages bring.
 */
const STACK_BYTES = 64 * 1024 * 1024;

/**
 * Runs the Deno that runs this program; what it says is shown when it fails.
 *
 * @throws {CompileError} If it fails.
 */
export function denoCommand(options: DenoCommandOptions): DenoCommand {
  return async ([command = "", ...args]) => {
    const { success, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [command, ...options.flags, ...args],
      cwd: options.cwd,
      env: {
        RUST_MIN_STACK: String(STACK_BYTES),
        ...options.env,
        NO_COLOR: "1",
      },
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).output();
    if (success) return;
    const said = new TextDecoder().decode(stderr).trim();
    throw new CompileError(
      `deno ${command} failed${adviceOn(command, said)}\n${said}`,
    );
  };
}

function adviceOn(command: string, said: string): string {
  if (/denort|base binary/i.test(said)) return `: ${NO_STUB}`;
  return command === "bundle"
    ? ": it needs esbuild, which Deno takes from npm; --no-bundle does without"
    : "";
}

const NO_STUB =
  `Deno can't download denort, the runtime that executables are made of. Where it is not to be had from the network, have DENORT_BIN name a file that is the denort of Deno ${Deno.version.deno} and of the target's system (Deno's releases have it as denort-TARGET.zip)`;
