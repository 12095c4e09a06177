import { usualFolders } from "../../lib/permission/usual_folders.ts";

/** What kingbus reads of the environment; Deno takes a `*` at the end. */
const VARIABLES = [
  "KINGBUS_*",
  "NO_COLOR",
  "FORCE_COLOR",
  "TERM",
  // npm's package yaml, in place of JSR's, asks for these.
  "LOG_STREAM",
  "LOG_TOKENS",
];

/**
 * What it asks the system: its name, for its own certificate, how much of a
 * disk is free, and as whom it runs, for whether that user can write a folder.
 */
const SYSTEM_QUESTIONS = ["hostname", "statfs", "uid", "gid"];

/** What an executable is permitted besides the usual. */
export interface MorePermissions {
  /** Folders to read and write. */
  readonly folders: readonly string[];
  /** Environment variables to read. */
  readonly variables: readonly string[];
}

/**
 * The permissions of an executable of kingbus, as flags of Deno: no programs,
 * no libraries of other languages, no code from elsewhere, and no questions.
 *
 * @param os The system it will run on, as `Deno.build.os` names it.
 */
export function permissionFlags(
  os: typeof Deno.build.os,
  { folders, variables }: MorePermissions,
): string[] {
  const usual = usualFolders(os);
  const write = [...usual.write, ...folders];
  return [
    "--no-prompt",
    "--allow-net",
    `--allow-read=${[...write, ...usual.read].join(",")}`,
    `--allow-write=${write.join(",")}`,
    `--allow-env=${[...VARIABLES, ...variables].join(",")}`,
    `--allow-sys=${SYSTEM_QUESTIONS.join(",")}`,
  ];
}
