import type { ConfigSurroundings } from "../config/read_password.ts";

/** All that a command touches of the process it runs in. */
export interface Terminal extends ConfigSurroundings {
  /** Writes a result, with its line ends. */
  readonly out: (text: string) => void;
  /** Writes what went wrong, with its line end. */
  readonly err: (text: string) => void;
  /** Whether somebody looks at `err` who sees a line drawn over. */
  readonly errIsTerminal: boolean;
  /** Asks a running node's admin API; with GET when nothing else is said. */
  readonly fetch: (
    url: string,
    signal: AbortSignal,
    request?: { readonly method: string; readonly body: string },
  ) => Promise<Response>;
}

/** The process's own. */
export function processTerminal(): Terminal {
  return {
    out: (text) => writeAll(Deno.stdout, text),
    err: (text) => writeAll(Deno.stderr, text),
    errIsTerminal: Deno.stderr.isTerminal(),
    env: (name) => Deno.env.get(name),
    readTextFile: (path) => Deno.readTextFile(path),
    fetch: (url, signal, request) =>
      fetch(url, { ...request, signal, redirect: "error" }),
  };
}

function writeAll(
  to: { writeSync(bytes: Uint8Array): number },
  text: string,
): void {
  let rest = new TextEncoder().encode(text);
  try {
    while (rest.length > 0) rest = rest.subarray(to.writeSync(rest));
  } catch (error) {
    // The reader of a pipe went away (`kingbus help | head -1`).
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
  }
}
