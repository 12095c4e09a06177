import { dirname, resolve } from "node:path";
import { MORE_FOLDERS_VARIABLE } from "../../lib/permission/describe_denial.ts";
import { VERSION } from "../../lib/version.ts";
import {
  bundleModules,
  type EntryPoints,
  findWorkers,
} from "./bundle_modules.ts";
import { checkStub } from "./check_stub.ts";
import { CompileError } from "./compile_error.ts";
import type { CompileJob, CompileOptions } from "./compile_options.ts";
import { osOf } from "./compile_target.ts";
import { denoCommand } from "./deno_command.ts";
import { loadFlags } from "./deno_version.ts";
import { permissionFlags } from "./permission_flags.ts";
import { writeSums } from "./write_sums.ts";

/** What is as it is on this machine. */
export interface CompileSetting {
  /** Folder of the project. */
  readonly root: string;
  /** Flags with which Deno can load the project's packages. */
  readonly importFlags: readonly string[];
  /** Version of the Deno that makes the executables. */
  readonly denoVersion: string;
  /** The target that this machine is. */
  readonly host: string;
  /** What DENORT_BIN says. */
  readonly stub: string | undefined;
  /** Told what is being done. */
  readonly progress: (what: string) => void;
}

/**
 * V8's flags of `deno task start`, and no cache of compiled code: Deno would
 * keep that in the folder for temporary files, under a name that any user of
 * the machine could take first to have their code run.
 */
const RUNTIME_FLAGS = [
  "--unstable-kv",
  "--no-code-cache",
  "--v8-flags=--min-semi-space-size=4,--max-semi-space-size=4",
];

/** Types are what `deno task ok` is for, and no lock file is written here. */
const BUILD_FLAGS = ["--quiet", "--no-check"];

/**
 * The arguments of `deno compile`.
 *
 * @param envFile A file with variables that the executable sets, if it does.
 */
export function compileArguments(
  { target, output }: CompileJob,
  entry: EntryPoints,
  options: CompileOptions,
  envFile: string | undefined,
): string[] {
  return [
    "compile",
    ...RUNTIME_FLAGS,
    ...permissionFlags(osOf(target), options),
    ...entry.workers.map((path) => `--include=${path}`),
    ...envFile === undefined ? [] : [`--env-file=${envFile}`],
    `--target=${target}`,
    `--output=${output}`,
    entry.main,
  ];
}

/**
 * Makes executables and the file with their sums. What is there already is
 * replaced once the new one is whole.
 *
 * @throws {CompileError} If one can't be made, or does not run here though it
 * is for this machine.
 */
export async function makeExecutables(
  options: CompileOptions,
  setting: CompileSetting,
): Promise<void> {
  const { root, progress, denoVersion: version, stub } = setting;
  for (const { target } of options.jobs) {
    if (stub !== undefined) await checkStub(stub, { version, target });
  }
  const stage = await Deno.makeTempDir({ prefix: "kingbus-compile-" });
  try {
    const entry = await prepareModules(options, setting, stage);
    const envFile = await writeEnvFile(options, stage);
    for (const job of options.jobs) {
      progress(`${job.output} for ${job.target}`);
      const output = resolve(root, job.output);
      await Deno.mkdir(dirname(output), { recursive: true });
      // Deno replaces only what it has made itself.
      const made = `${stage}/made${output.endsWith(".exe") ? ".exe" : ""}`;
      await compilerOf(options, setting)(
        compileArguments({ ...job, output: made }, entry, options, envFile),
      );
      if (job.target === setting.host) await checkRun(made);
      await moveFile(made, output);
    }
    await writeSums(
      resolve(root, options.sums),
      options.jobs.map(({ output }) => resolve(root, output)),
    );
  } finally {
    await Deno.remove(stage, { recursive: true });
  }
}

async function prepareModules(
  { bundle }: CompileOptions,
  { root, importFlags, denoVersion, progress }: CompileSetting,
  stage: string,
): Promise<EntryPoints> {
  const entry = { main: "main.ts", workers: await findWorkers(root) };
  if (!bundle) return entry;
  progress("all modules into one");
  const flags = [...BUILD_FLAGS, ...loadFlags(denoVersion), ...importFlags];
  const run = denoCommand({ cwd: root, flags, env: {} });
  const folder = `${stage}/modules`;
  await Deno.mkdir(folder);
  return await bundleModules(entry, folder, run);
}

function compilerOf(
  { bundle, telemetry }: CompileOptions,
  { root, importFlags, denoVersion }: CompileSetting,
): ReturnType<typeof denoCommand> {
  return denoCommand({
    cwd: root,
    flags: [
      ...BUILD_FLAGS,
      ...loadFlags(denoVersion),
      ...bundle ? ["--no-config", "--no-lock"] : importFlags,
    ],
    // Whether it is on is decided here, not when the executable is started.
    env: telemetry ? { OTEL_DENO: "true" } : {},
  });
}

/** So that the executable can tell which folders it may use. */
async function writeEnvFile(
  { folders }: CompileOptions,
  stage: string,
): Promise<string | undefined> {
  if (folders.length === 0) return undefined;
  const path = `${stage}/executable.env`;
  await Deno.writeTextFile(
    path,
    `${MORE_FOLDERS_VARIABLE}='${folders.join(",")}'\n`,
  );
  return path;
}

/** Starts what was made: a runtime of another version fails only then. */
async function checkRun(path: string): Promise<void> {
  const { success, stdout, stderr } = await new Deno.Command(path, {
    args: ["version"],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).output();
  const said = new TextDecoder().decode(stdout);
  if (success && said.startsWith(`kingbus ${VERSION} `)) return;
  throw new CompileError(
    `The executable does not run on this machine:\n${said}${
      new TextDecoder().decode(stderr).trim()
    }`,
  );
}

/** Puts a file in its place at once, also where that is on another disk. */
async function moveFile(from: string, to: string): Promise<void> {
  const beside = `${to}.new`;
  await Deno.copyFile(from, beside);
  await Deno.remove(from);
  await Deno.rename(beside, to);
}
