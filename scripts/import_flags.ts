/**
 * Prints the flags with which Deno can load this project's packages on this
 * network: nothing where JSR answers or its packages are cached already, else
 * an import map that gives the same names from npm.
 *
 * The tasks of deno.json use it as `deno run $(deno run -A scripts/import_flags.ts) …`.
 * `KINGBUS_IMPORTS=jsr` or `KINGBUS_IMPORTS=npm` decides without looking.
 *
 * @module
 */

/** The map gives all packages: with it, those of deno.json are not looked at. */
const NPM_FLAGS = ["--import-map=scripts/npm_imports/import_map.json"];

/** How long a registry may say nothing before it counts as out of reach. */
const SILENCE_MS = 3_000;

/** How long the first download from a slow registry may take altogether. */
const DOWNLOAD_MS = 60_000;

/** Where and how {@linkcode importFlags} looks. */
export interface ImportFlagsOptions {
  /** Folder of deno.json; that of this project if not given. */
  root?: URL;
  /** Milliseconds a registry may say nothing; 3000 if not given. */
  silenceMs?: number;
  /** Environment variables set for Deno beside those of this process. */
  env?: Record<string, string>;
}

/**
 * Has Deno load the JSR packages; tells whether it could.
 *
 * Deno reports each download as it begins, so as long as the other side sends
 * anything there is something to read: silence means that it does not answer.
 */
async function canLoad(
  flags: string[],
  { root, silenceMs, env }: Required<ImportFlagsOptions>,
): Promise<boolean> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["check", ...flags, "scripts/jsr_probe.ts"],
    cwd: root,
    env,
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const stop = (): void => {
    try {
      child.kill("SIGKILL");
    } catch {
      // it ended by itself in the meantime
    }
  };
  const deadline = setTimeout(stop, DOWNLOAD_MS);
  let silence = setTimeout(stop, silenceMs);
  for await (const _report of child.stderr) {
    clearTimeout(silence);
    silence = setTimeout(stop, silenceMs);
  }
  const { success } = await child.status;
  clearTimeout(silence);
  clearTimeout(deadline);
  return success;
}

/**
 * Finds the flags with which `deno run`, `test`, `check` and `compile` can load
 * this project's packages.
 *
 * Looks at Deno's cache first, which costs no network and some 20 ms; nothing
 * is remembered between calls, so a registry that comes back is used again.
 *
 * @returns Arguments to pass to Deno; none if deno.json's imports work as they are.
 */
export async function importFlags(
  options: ImportFlagsOptions = {},
): Promise<string[]> {
  const settings: Required<ImportFlagsOptions> = {
    root: options.root ?? new URL("../", import.meta.url),
    silenceMs: options.silenceMs ?? SILENCE_MS,
    env: options.env ?? {},
  };
  const choice = settings.env["KINGBUS_IMPORTS"] ??
    Deno.env.get("KINGBUS_IMPORTS");
  if (choice === "jsr") return [];
  if (choice === "npm") return [...NPM_FLAGS];
  const loads = await canLoad(["--cached-only"], settings) ||
    await canLoad([], settings);
  return loads ? [] : [...NPM_FLAGS];
}

if (import.meta.main) {
  const flags = await importFlags();
  if (flags.length > 0) console.log(flags.join(" "));
}
