import { parseArgs } from "@std/cli";
import { VERSION } from "../../lib/version.ts";
import { CompileError } from "./compile_error.ts";
import {
  COMPILE_TARGETS,
  type CompileTarget,
  parseTarget,
  programSuffix,
} from "./compile_target.ts";

/** One executable to make. */
export interface CompileJob {
  readonly target: CompileTarget;
  /** Path of the executable. */
  readonly output: string;
}

/** What the command line asks for. */
export interface CompileOptions {
  readonly jobs: readonly CompileJob[];
  /** The file that lists the executables' SHA-256 sums. */
  readonly sums: string;
  /** Folders it may read and write besides the usual ones. */
  readonly folders: readonly string[];
  /** Environment variables it may read besides its own. */
  readonly variables: readonly string[];
  /** Whether it has Deno's OpenTelemetry on. */
  readonly telemetry: boolean;
  /** Whether its modules are put into one file first. */
  readonly bundle: boolean;
}

/** Printed for `--help`. */
export const COMPILE_USAGE = `deno task compile [options]

Makes an executable of kingbus that needs no Deno: dist/kingbus, for this
machine, and dist/kingbus.sha256. It may use the network, the folder it is
started in, the usual folders of its system (docs/binary.md has the list), and
nothing else.

  --target T      make it for another system, as dist/kingbus-${VERSION}-T with
                  dist/SHA256SUMS; can be repeated, all is for all of:
                  ${COMPILE_TARGETS.join("\n                  ")}
  --output PATH   where it goes (one target only)
  --folder PATH   a folder it may read and write, too; can be repeated
  --env NAME      an environment variable it may read, too; can be repeated
  --telemetry     have it export traces and metrics by OpenTelemetry, as
                  OTEL_DENO=true does
  --no-bundle     keep its modules apart: larger, starts slower
  --help          this text

It is made of Deno's runtime, denort, which Deno downloads. Where it can't,
DENORT_BIN names a file that is the denort of this Deno's version and of the
target's system.
`;

/**
 * Reads the command line; undefined when help is wanted.
 *
 * @param host The target that this machine is.
 * @throws {CompileError} If it can't be understood.
 */
export function parseCompileOptions(
  args: readonly string[],
  host: string,
): CompileOptions | undefined {
  const flags = parseArgs([...args], {
    string: ["target", "output", "folder", "env"],
    collect: ["target", "folder", "env"],
    boolean: ["help", "telemetry", "bundle"],
    negatable: ["bundle"],
    default: { bundle: true },
    unknown: (arg) => {
      throw new CompileError(`There is no option ${JSON.stringify(arg)}`);
    },
  });
  if (flags.help) return undefined;
  const jobs = jobsOf(texts(flags.target), host, flags.output);
  return {
    jobs,
    sums: jobs.length === 1 && (flags.output !== undefined ||
        flags.target.length === 0)
      ? `${jobs[0]!.output}.sha256`
      : "dist/SHA256SUMS",
    folders: texts(flags.folder).map((path) => checkFolder(path)),
    variables: texts(flags.env).map((name) => checkVariable(name)),
    telemetry: flags.telemetry,
    bundle: flags.bundle,
  };
}

function texts(values: readonly unknown[]): string[] {
  return values.map((value) => String(value));
}

function jobsOf(
  asked: readonly string[],
  host: string,
  output: string | undefined,
): CompileJob[] {
  const targets = asked.includes("all")
    ? [...COMPILE_TARGETS]
    : [...new Set(asked.map((text) => parseTarget(text)))];
  if (output !== undefined) {
    if (output === "") throw new CompileError("--output takes a path");
    const [target = parseTarget(host), ...more] = targets;
    if (more.length === 0) return [{ target, output }];
    throw new CompileError(
      "--output names one executable: give one --target with it, or none",
    );
  }
  if (targets.length === 0) {
    const target = parseTarget(host);
    return [{ target, output: `dist/kingbus${programSuffix(target)}` }];
  }
  return targets.map((target) => ({
    target,
    output: `dist/kingbus-${VERSION}-${target}${programSuffix(target)}`,
  }));
}

function checkFolder(path: string): string {
  // Deno separates the paths of a permission by commas.
  if (path !== "" && !/[,'"\n]/.test(path)) return path;
  throw new CompileError(
    `--folder takes a path without commas, quotes and line feeds, not "${path}"`,
  );
}

function checkVariable(name: string): string {
  if (/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) return name;
  throw new CompileError(
    `--env takes the name of one environment variable, not "${name}"`,
  );
}
