import type { ConfigSurroundings } from "../config/read_password.ts";
import { Style, wantsColor } from "./style.ts";

/** A request to the admin API. */
export interface AdminRequest {
  /** GET when absent. */
  readonly method?: string;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Certificates, in PEM, that are trusted beside the system's. */
  readonly ca?: string;
}

/** Columns and rows of a terminal. */
export interface TerminalSize {
  readonly columns: number;
  readonly rows: number;
}

/** What a view that is drawn over and over is told of. */
export interface TerminalEvents {
  /** Keys were pressed, as the terminal sends them. */
  readonly onKeys: (keys: string) => void;
  /** The terminal has another size. */
  readonly onResize: () => void;
}

/** All that a command touches of the process it runs in. */
export interface Terminal extends ConfigSurroundings {
  /** Writes a result, with its line ends. */
  readonly out: (text: string) => void;
  /** Whether nobody reads `out` any more (`kingbus events | head`). */
  readonly isOutClosed: () => boolean;
  /** Writes what went wrong, with its line end. */
  readonly err: (text: string) => void;
  /** Whether somebody looks at `out`. */
  readonly outIsTerminal: boolean;
  /** Whether somebody looks at `err` who sees a line drawn over. */
  readonly errIsTerminal: boolean;
  /** How large the terminal is; undefined where there is none. */
  readonly size: () => TerminalSize | undefined;
  /** Colours what goes to `out`, or does not. */
  readonly style: Style;
  /** Listens to keys, without their being shown, until it is disposed of. */
  readonly listen: (events: TerminalEvents) => Disposable;
  /** Asks a running node's admin API. */
  readonly fetch: (
    url: string,
    signal: AbortSignal,
    request?: AdminRequest,
  ) => Promise<Response>;
}

/** The process's own. */
export function processTerminal(): Terminal {
  const env = (name: string) => Deno.env.get(name);
  const outIsTerminal = Deno.stdout.isTerminal();
  let outIsClosed = false;
  return {
    out: (text) => {
      outIsClosed ||= !writeAll(Deno.stdout, text);
    },
    isOutClosed: () => outIsClosed,
    err: (text) => void writeAll(Deno.stderr, text),
    outIsTerminal,
    errIsTerminal: Deno.stderr.isTerminal() && env("TERM") !== "dumb",
    size: consoleSize,
    style: new Style(wantsColor("auto", env, outIsTerminal)),
    listen,
    env,
    readTextFile: (path) => Deno.readTextFile(path),
    fetch: fetchFrom,
  };
}

async function fetchFrom(
  url: string,
  signal: AbortSignal,
  { ca, ...request }: AdminRequest = {},
): Promise<Response> {
  const init = { ...request, signal, redirect: "error" } as const;
  if (ca === undefined) return await fetch(url, init);
  using client = Deno.createHttpClient({ caCerts: [ca] });
  const response = await fetch(url, { ...init, client });
  // The client's connections go with it, so all is read before.
  const { status, headers } = response;
  return new Response(await response.bytes(), { status, headers });
}

function consoleSize(): TerminalSize | undefined {
  try {
    const { columns, rows } = Deno.consoleSize();
    // Some terminals, those of serial lines above all, do not say.
    return columns > 0 && rows > 0 ? { columns, rows } : undefined;
  } catch {
    return undefined;
  }
}

function listen({ onKeys, onResize }: TerminalEvents): Disposable {
  const stack = new DisposableStack();
  if (Deno.build.os !== "windows") {
    Deno.addSignalListener("SIGWINCH", onResize);
    stack.defer(() => Deno.removeSignalListener("SIGWINCH", onResize));
  }
  if (Deno.stdin.isTerminal()) {
    // Ctrl-C still is a signal.
    Deno.stdin.setRaw(true, { cbreak: Deno.build.os !== "windows" });
    stack.defer(() => Deno.stdin.setRaw(false));
    void readKeys(onKeys);
  }
  return stack;
}

/** Reads on for as long as the process lives: nothing else reads there. */
async function readKeys(onKeys: (keys: string) => void): Promise<void> {
  const decoder = new TextDecoder();
  const chunk = new Uint8Array(64);
  for (;;) {
    const length = await Deno.stdin.read(chunk).catch(() => null);
    if (length === null) return;
    onKeys(decoder.decode(chunk.subarray(0, length), { stream: true }));
  }
}

/** A text could not be written where it was to go, such as to a full disk. */
class OutputError extends Error {
  override readonly name = "OutputError";
}

/** False when the reader of a pipe went away (`kingbus help | head -1`). */
function writeAll(
  to: { writeSync(bytes: Uint8Array): number },
  text: string,
): boolean {
  let rest = new TextEncoder().encode(text);
  try {
    while (rest.length > 0) rest = rest.subarray(to.writeSync(rest));
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.BrokenPipe) return false;
    throw new OutputError("the output can't be written", { cause: error });
  }
}
