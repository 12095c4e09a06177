import { resolve } from "node:path";
import { usualFolders } from "./usual_folders.ts";

/**
 * Environment variable that `scripts/compile.ts` puts into an executable made
 * with `--folder`: the folders given, separated by commas.
 */
export const MORE_FOLDERS_VARIABLE = "KINGBUS_EXECUTABLE_FOLDERS";

/** What {@linkcode describeDenial} has to know of the process. */
export interface DenialSurroundings {
  /** Whether it is an executable that `deno compile` made. */
  readonly isExecutable: boolean;
  readonly os: typeof Deno.build.os;
  /** The folder it was started in; undefined where that can't be told. */
  readonly startedIn: string | undefined;
  /** Whether it may do that with a folder. */
  readonly mayUse: (kind: "read" | "write", folder: string) => boolean;
  /** An environment variable that it may read. */
  readonly env: (name: string) => string | undefined;
}

/** How Deno says what was refused: `Requires read access to "/x", …`. */
const REFUSAL = /^Requires (\w+) access(?: to (?:"([^"]+)"|(\S+?)))?[,;]/;

const HOW_TO_MAKE = "make an executable that may: deno task compile";

/**
 * Says what a process was not permitted, by whom, and what to do, in words of
 * those who run kingbus. Deno's own words are for those who start `deno`, and
 * stay for them.
 */
export function describeDenial(
  error: Error,
  surroundings: DenialSurroundings = ownSurroundings(),
): string {
  const [, kind, quoted, plain] = REFUSAL.exec(error.message) ?? [];
  const what = quoted ?? plain;
  if (!surroundings.isExecutable || what === undefined) return error.message;
  if (kind === "read" || kind === "write") {
    const verb = kind === "read" ? "read" : "write";
    return `this executable may not ${verb} ${what}: it may only use ${
      describeFolders(surroundings)
    }; start it in a folder that holds it, or ${HOW_TO_MAKE} --folder ${
      folderOf(resolve(surroundings.startedIn ?? "/", what))
    }`;
  }
  if (kind === "env") {
    return `this executable may not read the environment variable ${what}: it reads those whose names begin with KINGBUS_; give it such a name, or ${HOW_TO_MAKE} --env ${what}`;
  }
  return error.message.replace(/, specify the required permissions.*$/, "");
}

/** `/a (where it was started) and /b, and read /c`. */
function describeFolders(
  { os, startedIn, mayUse, env }: DenialSurroundings,
): string {
  const usual = usualFolders(os);
  const more = (env(MORE_FOLDERS_VARIABLE) ?? "").split(",").filter(Boolean);
  const title = (folder: string): string =>
    folder === "."
      ? `the folder it was started in${startedIn ? ` (${startedIn})` : ""}`
      : folder;
  const both = [...usual.write, ...more].filter((one) => mayUse("write", one));
  const only = usual.read.filter((one) => mayUse("read", one));
  return [
    both.map(title).join(", "),
    ...only.length === 0 ? [] : [`and read ${only.join(", ")}`],
  ].join(", ");
}

/** The folder to name for what was refused: a file's own, or it itself. */
function folderOf(path: string): string {
  const [, parent] = /^(.*[^/\\])[/\\][^/\\]+\.\w+(?:[-.]\w+)*$/.exec(path) ??
    [];
  return parent ?? path;
}

function ownSurroundings(): DenialSurroundings {
  return {
    isExecutable: Deno.build.standalone,
    os: Deno.build.os,
    startedIn: startedIn(),
    mayUse: (name, path) =>
      Deno.permissions.querySync({ name, path }).state === "granted",
    env: (variable) => {
      const asked = { name: "env", variable } as const;
      return Deno.permissions.querySync(asked).state === "granted"
        ? Deno.env.get(variable)
        : undefined;
    },
  };
}

function startedIn(): string | undefined {
  try {
    return Deno.cwd();
  } catch {
    // It was removed, or may not be known.
    return undefined;
  }
}
