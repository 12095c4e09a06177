import { Style } from "../../../lib/cli/style.ts";
import type {
  Terminal,
  TerminalEvents,
  TerminalSize,
} from "../../../lib/cli/terminal.ts";

/** What a command may find around it. */
export interface Surroundings {
  files?: Record<string, string>;
  env?: Record<string, string>;
  fetch?: Terminal["fetch"];
  errIsTerminal?: boolean;
  outIsTerminal?: boolean;
  size?: TerminalSize;
  colored?: boolean;
  /** Gets what a view listens with. */
  listen?: (events: TerminalEvents) => void;
}

/** A terminal that keeps what is written to it. */
export function memoryTerminal(
  {
    files,
    env,
    fetch,
    errIsTerminal = false,
    outIsTerminal = false,
    size,
    colored = false,
    listen,
  }: Surroundings = {},
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
    isOutClosed: () => false,
    errIsTerminal,
    outIsTerminal,
    size: () => size,
    style: new Style(colored),
    listen: (events) => {
      listen?.(events);
      return { [Symbol.dispose]: () => {} };
    },
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
