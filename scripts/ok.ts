/**
 * The gate of every change, `deno task ok`: format, lint (with the project's own
 * rules), types, and the tests that need no server, in some minutes. What failed
 * is said again at the end.
 *
 * @module
 */

import { fileExists } from "../lib/tls/file_exists.ts";
import { failureDigest, WHAT_FAILED } from "./failures/failure_digest.ts";
import { teeCommand } from "./failures/tee_command.ts";
import { importFlags } from "./import_flags.ts";

const ROOT = new URL("../", import.meta.url);

/** Tests of code that does no IO, and is given no permission to. */
const PURE_TESTS = ["binlog", "gtid", "protocol"]
  .map((area) => `tests/unit/${area}`);

/** What is said again at the end of a step that failed. */
const DIGEST = { lines: 60, failureLines: 20, failureCharacters: 2_000 };

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

if (import.meta.main) {
  const failed: string[] = [];
  const reasons: string[] = [];
  for (const { name, args } of await steps()) {
    console.log(`\n== ${name}`);
    const start = performance.now();
    const { success, output } = await teeCommand(args, ROOT);
    if (!success) {
      failed.push(name);
      reasons.push(`${name}:`, ...failureDigest(output, DIGEST), "");
    }
    const seconds = (performance.now() - start) / 1000;
    console.log(`== ${name}: ${seconds.toFixed(1)} s`);
  }
  if (failed.length > 0) {
    console.log(`\n${WHAT_FAILED}\n${reasons.join("\n")}`);
  }
  console.log(failed.length === 0 ? "\nok" : `FAILED: ${failed.join(", ")}`);
  Deno.exit(failed.length === 0 ? 0 : 1);
}
