import type { Terminal } from "../../../lib/cli/terminal.ts";

/** What a command may find around it. */
export interface Surroundings {
  files?: Record<string, string>;
  env?: Record<string, string>;
  fetch?: Terminal["fetch"];
  errIsTerminal?: boolean;
}

/** A terminal that keeps what is written to it. */
export function memoryTerminal(
  { files, env, fetch, errIsTerminal = false }: Surroundings = {},
): Terminal & { output: () => string; errors: () => string } {
  let output = "";
  let errors = "";
  return {
    out: (text) => {
      output += text;
    },
    err: (text) => {
      errors += text;
    },
    errIsTerminal,
    env: (name) => env?.[name],
    readTextFile: (path) => {
      const text = files?.[path];
      if (text !== undefined) return Promise.resolve(text);
      return Promise.reject(new Deno.errors.NotFound("no such file"));
    },
    fetch: fetch ?? (() => Promise.reject(new TypeError("nobody there"))),
    output: () => output,
    errors: () => errors,
  };
}
