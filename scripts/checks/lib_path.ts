const ROOT = new URL("../../", import.meta.url).pathname;

/** Where in `lib/` a module is. */
export interface LibPath {
  /** Its path from `lib/` on, such as `store/kv/kv_engine.ts`. */
  path: string;
  /** The folder of `lib/` it is in, or its own name where it is in none. */
  area: string;
}

/** Says where in `lib/` a file is; `undefined` if it is elsewhere. */
export function libPath(filename: string): LibPath | undefined {
  if (!filename.startsWith(`${ROOT}lib/`)) return undefined;
  const path = filename.slice(ROOT.length + "lib/".length);
  return { path, area: path.split("/")[0] ?? path };
}

/** The file that a relative import of another file names. */
export function resolveImport(filename: string, specifier: string): string {
  return new URL(specifier, `file://${filename}`).pathname;
}
