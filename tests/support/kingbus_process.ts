import { importFlags } from "../../scripts/import_flags.ts";
import { waitUntil } from "../../scripts/test_servers/wait_until.ts";

const ROOT = new URL("../../", import.meta.url);

/** The permissions of `deno task start`. */
const PERMISSIONS = ["net", "read", "write", "env", "sys"].map((name) =>
  `--allow-${name}`
);

const IMPORT_FLAGS = await importFlags();

/** How a process ended. */
export interface ProcessEnd {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A line of a log in JSON. */
export type LogLine = Record<string, unknown> & { message: string };

/** Makes the command that starts kingbus with these arguments. */
export type KingbusLaunch = (args: readonly string[]) => Deno.Command;

/** Runs one command line of kingbus to its end. */
export async function runKingbus(
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<ProcessEnd> {
  return await runToEnd(commandOf(args, env));
}

/** Runs a command whose output is piped to its end. */
export async function runToEnd(command: Deno.Command): Promise<ProcessEnd> {
  const output = await command.output();
  const decoder = new TextDecoder();
  return {
    code: output.code,
    stdout: decoder.decode(output.stdout),
    stderr: decoder.decode(output.stderr),
  };
}

/**
 * `kingbus serve` as users run it, on free ports unless its arguments say
 * otherwise, logging in JSON. Killed when it is disposed of.
 */
export class KingbusProcess implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  /** Every line it has logged. */
  readonly lines: LogLine[] = [];
  readonly #reading: Promise<void>;
  #ended = false;

  private constructor(child: Deno.ChildProcess) {
    this.#child = child;
    this.#reading = this.#read();
  }

  /**
   * Starts it and waits until it is up.
   *
   * @param launch How it is started; from its modules if not given.
   */
  static async start(
    args: readonly string[],
    launch: KingbusLaunch = commandOf,
  ): Promise<KingbusProcess> {
    const usual = [
      "--server-listen=127.0.0.1:0",
      "--admin-listen=127.0.0.1:0",
      "--log-format=json",
    ].filter((flag) => {
      const [name] = flag.split("=");
      return !args.some((arg) => arg.startsWith(`${name}=`));
    });
    const command = launch(["serve", ...usual, ...args]);
    const process = new KingbusProcess(command.spawn());
    await process.logged("kingbus is up");
    return process;
  }

  /** `http://host:port` of its admin API. */
  get adminUrl(): string {
    return String(this.#up["admin"]);
  }

  /** `host:port` replicas connect to. */
  get serverListen(): string {
    return String(this.#up["replicas_connect_to"]);
  }

  get #up(): LogLine {
    return this.lines.find(({ message }) => message === "kingbus is up")!;
  }

  /**
   * Waits for a line whose message begins so.
   *
   * @throws {TestServerError} when it does not come within three minutes
   */
  logged(beginning: string): Promise<LogLine> {
    return waitUntil(`kingbus said "${beginning}"`, () => {
      const line = this.lines.find(({ message }) =>
        message.startsWith(beginning)
      );
      if (line === undefined && this.#ended) {
        throw new TypeError(
          `kingbus ended without saying "${beginning}": ${
            JSON.stringify(this.lines)
          }`,
        );
      }
      return line;
    }, { deadlineMs: 180_000 });
  }

  /** Asks its admin API. */
  async ask(
    method: string,
    path: string,
    body?: unknown,
  ): Promise<{ status: number; message: string; data: unknown }> {
    const response = await fetch(`${this.adminUrl}${path}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const { message, data } = await response.json();
    return { status: response.status, message, data };
  }

  /** Its process id. */
  get pid(): number {
    return this.#child.pid;
  }

  signal(signal: Deno.Signal): void {
    this.#child.kill(signal);
  }

  /** Waits for its end and gives the exit code. */
  async ended(): Promise<number> {
    const { code } = await this.#child.status;
    await this.#reading;
    return code;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#ended) this.#child.kill("SIGKILL");
    await this.ended();
    await this.#child.stdout.cancel();
  }

  async #read(): Promise<void> {
    let rest = "";
    const text = this.#child.stderr.pipeThrough(new TextDecoderStream());
    for await (const chunk of text) {
      const lines = (rest + chunk).split("\n");
      rest = lines.pop()!;
      for (const line of lines) this.lines.push(parseLine(line));
    }
    this.#ended = true;
  }
}

/** What is no JSON (Deno's own words) is kept as a message. */
function parseLine(line: string): LogLine {
  return line.startsWith("{") ? JSON.parse(line) : { message: line };
}

/** Program and arguments that run kingbus in whichever folder. */
export function kingbusProgram(args: readonly string[]): string[] {
  const root = ROOT.pathname;
  return [
    Deno.execPath(),
    "run",
    ...IMPORT_FLAGS.map((flag) =>
      flag.replace("=scripts/", `=${root}scripts/`)
    ),
    ...PERMISSIONS,
    `${root}main.ts`,
    ...args,
  ];
}

/** A command line of kingbus, run from its modules; its output is piped. */
export function commandOf(
  args: readonly string[],
  env: Record<string, string> = {},
): Deno.Command {
  const [program = "", ...rest] = kingbusProgram(args);
  return new Deno.Command(program, {
    args: rest,
    cwd: ROOT,
    env: { NO_COLOR: "1", ...env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });
}
