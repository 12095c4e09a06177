import { basename, dirname, join } from "node:path";
import { CompileError } from "./compile_error.ts";
import type { DenoCommand } from "./deno_command.ts";

/** A worker as kingbus starts it: `new URL("./name.ts", import.meta.url)`. */
const WORKER = /new URL\(\s*"\.\/([\w-]+\.ts)",\s*import\.meta\.url,?\s*\)/g;

/** Where packages were cached, as the bundle names their modules. */
const CACHE = /(?:\.\.\/)+[^\s"]*?\/npm\/[^\s"/]+\//g;

/** An entry point, and further modules that it starts as workers. */
export interface EntryPoints {
  readonly main: string;
  readonly workers: readonly string[];
}

/** The modules of `lib/` that are started as workers, relative to `root`. */
export async function findWorkers(root: string): Promise<string[]> {
  const workers: string[] = [];
  const visit = async (folder: string): Promise<void> => {
    for await (
      const { name, isDirectory } of Deno.readDir(join(root, folder))
    ) {
      const path = `${folder}/${name}`;
      if (isDirectory) await visit(path);
      if (!name.endsWith(".ts")) continue;
      const text = await Deno.readTextFile(join(root, path));
      for (const [, worker] of text.matchAll(WORKER)) {
        workers.push(`${dirname(path)}/${worker}`);
      }
    }
  };
  await visit("lib");
  return workers.sort();
}

/**
 * Puts the modules of each entry point together, since an executable with few
 * modules starts faster than one with hundreds. What is only imported when it
 * is needed stays apart, and is not read before. Workers keep their names and
 * lie beside the main module, where it looks for them.
 *
 * @throws {CompileError} If Deno can't.
 */
export async function bundleModules(
  entry: EntryPoints,
  folder: string,
  bundle: DenoCommand,
): Promise<EntryPoints> {
  const main = join(folder, basename(entry.main).replace(/\.ts$/, ".js"));
  await bundle([
    "bundle",
    "--code-splitting",
    "--outdir",
    folder,
    entry.main,
  ]);
  const workers: string[] = [];
  for (const path of entry.workers) {
    // JavaScript is TypeScript, too.
    const output = join(folder, basename(path));
    if (workers.includes(output)) {
      throw new CompileError(
        `Two workers are called ${basename(path)}: rename one`,
      );
    }
    workers.push(output);
    await bundle(["bundle", "--output", output, path]);
  }
  for await (const { name } of Deno.readDir(folder)) {
    const path = join(folder, name);
    const text = await Deno.readTextFile(path);
    await Deno.writeTextFile(path, text.replaceAll(CACHE, "npm/"));
  }
  return { main, workers };
}
