/**
 * `deno task compile`: makes executables of kingbus.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { CompileError } from "./compile/compile_error.ts";
import {
  COMPILE_USAGE,
  type CompileOptions,
  parseCompileOptions,
} from "./compile/compile_options.ts";
import { denoShortfall } from "./compile/deno_version.ts";
import { makeExecutables } from "./compile/make_executables.ts";
import { importFlags } from "./import_flags.ts";

const ROOT = new URL("../", import.meta.url);

async function compile(options: CompileOptions): Promise<void> {
  const denoVersion = Deno.version.deno;
  const shortfall = denoShortfall(denoVersion);
  if (shortfall !== undefined) console.error(`WARNING: ${shortfall}`);
  await makeExecutables(options, {
    root: fileURLToPath(ROOT),
    importFlags: await importFlags(),
    denoVersion,
    host: Deno.build.target,
    stub: Deno.env.get("DENORT_BIN") || undefined,
    progress: (what) => console.error(`… ${what}`),
  });
  for (const { output } of options.jobs) console.log(`made ${output}`);
  console.log(`made ${options.sums}`);
}

if (import.meta.main) {
  try {
    const options = parseCompileOptions(Deno.args, Deno.build.target);
    if (options === undefined) console.log(COMPILE_USAGE);
    else await compile(options);
  } catch (error) {
    if (!(error instanceof CompileError)) throw error;
    console.error(`compile: ${error.message}`);
    Deno.exit(1);
  }
}
