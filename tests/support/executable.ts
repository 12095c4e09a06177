import { fileURLToPath } from "node:url";
import { fileExists } from "../../lib/tls/file_exists.ts";
import { denoShortfall } from "../../scripts/compile/deno_version.ts";
import { permissionFlags } from "../../scripts/compile/permission_flags.ts";
import { importFlags } from "../../scripts/import_flags.ts";
import { type KingbusLaunch, runToEnd } from "./kingbus_process.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** Names an executable to test instead of one that is made for it. */
const EXECUTABLE_VARIABLE = "KINGBUS_EXECUTABLE";

/** Names the Deno that belongs to DENORT_BIN, if that is another one. */
const DENO_VARIABLE = "DENO";

/** Where executables are made for a test run; git ignores it. */
const FOLDER = `${ROOT}dist/e2e`;

/** How {@linkcode Executable.launch} starts it. */
export interface LaunchOptions {
  /** Folder it is started in. */
  readonly cwd: string;
  /** All of its environment; nothing else is in it. */
  readonly env?: Readonly<Record<string, string>>;
  /** Number of the user and group to run as; this process's if not given. */
  readonly user?: number;
}

/** kingbus as users have it: one file, run without Deno. */
export class Executable {
  readonly #command: readonly string[];
  /** What does not work in it, since its runtime is too old; else undefined. */
  readonly shortfall: string | undefined;

  private constructor(command: readonly string[], shortfall?: string) {
    this.#command = command;
    this.shortfall = shortfall;
  }

  /**
   * One that there is, or that was made.
   *
   * @throws {TypeError} If it does not run.
   */
  static async at(path: string): Promise<Executable> {
    const { stdout, stderr } = await runToEnd(
      new Deno.Command(path, {
        args: ["version"],
        stdin: "null",
        stdout: "piped",
        stderr: "piped",
      }),
    );
    const [, version] = /\(Deno (\S+),/.exec(stdout) ?? [];
    if (version === undefined) throw new TypeError(`${path}: ${stderr}`);
    return new Executable([path], denoShortfall(version));
  }

  /**
   * The same with all features: itself where its runtime has them, otherwise
   * the modules that it is made of, run by this Deno with its permissions.
   */
  async whole(): Promise<Executable> {
    if (this.shortfall === undefined) return this;
    console.error(`NOT AS AN EXECUTABLE: ${this.shortfall}`);
    const flags = permissionFlags(Deno.build.os, {
      folders: [],
      variables: [],
    }).map((flag) =>
      // Modules of workers are read from disk there.
      flag.startsWith("--allow-read=") ? `${flag},${ROOT}` : flag
    );
    const imports = (await importFlags())
      .map((flag) => flag.replace("=scripts/", `=${ROOT}scripts/`));
    return new Executable([
      Deno.execPath(),
      "run",
      `--config=${ROOT}deno.json`,
      ...imports,
      ...flags,
      `${ROOT}main.ts`,
    ]);
  }

  /** Its file. */
  get path(): string {
    return this.#command[0]!;
  }

  /** Makes commands that start it. */
  launch({ cwd, env, user }: LaunchOptions): KingbusLaunch {
    const [program, ...first] = this.#command;
    // Deno run keeps its cache below HOME.
    const home = this.#command.length === 1 ? {} : Deno.env.toObject();
    return (args) =>
      new Deno.Command(program!, {
        args: [...first, ...args],
        cwd,
        clearEnv: true,
        env: { ...home, NO_COLOR: "1", ...env },
        ...user === undefined ? {} : { uid: user, gid: user },
        stdin: "null",
        stdout: "piped",
        stderr: "piped",
      });
  }
}

/**
 * Makes an executable with `deno task compile`, once for all files of a test
 * run, with the Deno that DENO names if it is set.
 *
 * @param name Tells it from others with other arguments.
 * @returns It, or why it can't be had here.
 */
export async function makeExecutable(
  name: string,
  args: readonly string[] = [],
): Promise<Executable | string> {
  const given = Deno.env.get(EXECUTABLE_VARIABLE);
  if (given !== undefined && args.length === 0) {
    return await Executable.at(given);
  }
  await removeOlder();
  const output = `${FOLDER}/${Deno.pid}/${name}`;
  if (!await fileExists(output)) {
    const fault = await compile([`--output=${output}`, ...args]);
    if (fault !== undefined) return fault;
  }
  return await Executable.at(output);
}

async function compile(args: readonly string[]): Promise<string | undefined> {
  const deno = Deno.env.get(DENO_VARIABLE) ?? Deno.execPath();
  const { code, stderr } = await runToEnd(
    new Deno.Command(deno, {
      args: ["task", "--quiet", "compile", ...args],
      cwd: ROOT,
      env: { NO_COLOR: "1" },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }),
  );
  if (code === 0) return undefined;
  const said = /^compile: (.*)/m.exec(stderr)?.[1];
  return `no executable could be made: ${said ?? stderr}`;
}

/** Removes what test runs that are over have left. */
async function removeOlder(): Promise<void> {
  if (!await fileExists(FOLDER)) return;
  for (const { name } of [...Deno.readDirSync(FOLDER)]) {
    if (name === String(Deno.pid) || await fileExists(`/proc/${name}`)) {
      continue;
    }
    await Deno.remove(`${FOLDER}/${name}`, { recursive: true });
  }
}
