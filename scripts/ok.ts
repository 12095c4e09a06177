/**
 * The gate of every change, `deno task ok`: format, lint (with the project's own
 * rules), types, and the tests that need no server, in some minutes.
 *
 * @module
 */

import { fileExists } from "../lib/tls/file_exists.ts";
import { importFlags } from "./import_flags.ts";

const ROOT = new URL("../", import.meta.url);

/** Tests of code that does no IO, and is given no permission to. */
const PURE_TESTS = ["binlog", "gtid", "protocol"]
  .map((area) => `tests/unit/${area}`);

/** One command of the gate. */
interface Step {
  name: string;
  args: string[];
}

/** Files of the project below a folder, by how their names end. */
async function filesOf(ending: string, folder = ""): Promise<string[]> {
  const files: string[] = [];
  for await (
    const { name, isDirectory } of Deno.readDir(new URL(folder || ".", ROOT))
  ) {
    const path = `${folder}${name}`;
    if (isDirectory && !isOutside(path)) {
      files.push(...await filesOf(ending, `${path}/`));
    } else if (name.endsWith(ending)) files.push(path);
  }
  return files.sort();
}

/** Folders that are none of the project's, or that deno.json excludes. */
function isOutside(path: string): boolean {
  return path.startsWith(".") ||
    ["tests/fixtures", "data", "dist", "node_modules"].includes(path);
}

async function steps(): Promise<Step[]> {
  const flags = await importFlags();
  const pure: string[] = [];
  for (const path of PURE_TESTS) {
    if (await fileExists(new URL(path, ROOT))) pure.push(path);
  }
  const slow = ["tests/integration", "tests/documents", "tests/e2e", ...pure]
    .join(",");
  return [
    { name: "format", args: ["fmt", "--check"] },
    { name: "lint", args: ["lint"] },
    { name: "types", args: ["check", ...flags, ...await filesOf(".ts")] },
    {
      // Apart: the types of a browser are not those of Deno.
      name: "types of the page",
      args: ["check", ...flags, ...await filesOf(".js", "lib/")],
    },
    {
      name: "tests without permissions",
      args: ["test", ...flags, "--allow-read=tests/fixtures", ...pure],
    },
    {
      name: "other fast tests",
      args: ["test", ...flags, "-A", `--ignore=${slow}`],
    },
  ];
}

async function run({ args }: Step): Promise<boolean> {
  const { success } = await new Deno.Command(Deno.execPath(), {
    args,
    cwd: ROOT,
    stdin: "null",
    stdout: "inherit",
    stderr: "inherit",
  }).output();
  return success;
}

if (import.meta.main) {
  const failed: string[] = [];
  for (const step of await steps()) {
    console.log(`\n== ${step.name}`);
    const start = performance.now();
    if (!await run(step)) failed.push(step.name);
    const seconds = (performance.now() - start) / 1000;
    console.log(`== ${step.name}: ${seconds.toFixed(1)} s`);
  }
  console.log(failed.length === 0 ? "\nok" : `\nFAILED: ${failed.join(", ")}`);
  Deno.exit(failed.length === 0 ? 0 : 1);
}
