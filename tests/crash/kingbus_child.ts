import { importFlags } from "../../scripts/import_flags.ts";
import { REPLICATION_ACCOUNT } from "../../scripts/test_servers/mysql56.ts";
import { CrashError } from "./crash_error.ts";

/** Where a {@linkcode KingbusChild} works. */
export interface KingbusChildOptions {
  /** Folder for its configuration, log and data. */
  readonly folder: string;
  /** Port of its source, on 127.0.0.1. */
  readonly sourcePort: number;
  /** Port it listens on for replicas. */
  readonly serverPort: number;
  readonly adminPort: number;
}

const ROOT = new URL("../../", import.meta.url);

/** kingbus in a process of its own, which is killed and started again. */
export class KingbusChild implements AsyncDisposable {
  readonly #options: KingbusChildOptions;
  readonly #args: readonly string[];
  #process: Deno.ChildProcess | undefined;
  #logged: Promise<void> = Promise.resolve();
  #expected = false;
  #checkedTo = 0;
  /** How often it was started. */
  starts = 0;
  /** Why it is wrong that it ended; undefined while it is right. */
  fault: CrashError | undefined;

  private constructor(options: KingbusChildOptions, args: readonly string[]) {
    this.#options = options;
    this.#args = args;
  }

  /** Writes its configuration; `start` starts it. */
  static async prepare(options: KingbusChildOptions): Promise<KingbusChild> {
    const { folder, sourcePort, serverPort, adminPort } = options;
    const { user, password } = REPLICATION_ACCOUNT;
    await Deno.mkdir(folder, { recursive: true });
    const config = `${folder}/kingbus.yaml`;
    // Any JSON is YAML.
    await Deno.writeTextFile(
      config,
      JSON.stringify(
        {
          name: "crash",
          "data-dir": `${folder}/data`,
          admin: { listen: `127.0.0.1:${adminPort}` },
          server: {
            listen: `127.0.0.1:${serverPort}`,
            users: [{ name: user, password }],
            tls: { mode: "disabled" },
          },
          source: {
            address: `127.0.0.1:${sourcePort}`,
            user,
            password,
            tls: { mode: "disabled" },
            heartbeat: "500ms",
            "read-timeout": "2s",
            "connect-timeout": "3s",
          },
          log: { format: "json" },
        },
        undefined,
        2,
      ),
    );
    const args = [
      "run",
      ...await importFlags(),
      ...await startFlags(),
      "main.ts",
    ];
    return new KingbusChild(options, args);
  }

  /** Its configuration file. */
  get config(): string {
    return `${this.#options.folder}/kingbus.yaml`;
  }

  /** Root of its admin API. */
  get adminUrl(): string {
    return `http://127.0.0.1:${this.#options.adminPort}`;
  }

  /** Starts it, and does not wait for anything. */
  start(): void {
    this.starts++;
    this.#expected = false;
    const process = new Deno.Command(Deno.execPath(), {
      args: [...this.#args, "serve", `--config=${this.config}`],
      cwd: ROOT,
      env: { NO_COLOR: "1" },
      stdin: "null",
      stdout: "null",
      stderr: "piped",
      detached: true, // Ctrl-C is for the test, which then ends it
    }).spawn();
    this.#process = process;
    this.#logged = appendTo(`${this.#options.folder}/kingbus.log`, process);
    process.status.then(({ code }) => {
      if (this.#expected || this.#process !== process) return;
      this.fault = new CrashError(
        `kingbus ended by itself with exit code ${code}`,
      );
    });
  }

  /** Ends it at once, as a crash does. */
  kill(): Promise<void> {
    return this.#end("SIGKILL");
  }

  /** Lets it drain. */
  stop(): Promise<void> {
    return this.#end("SIGTERM");
  }

  /**
   * Looks through what it has logged since the last time.
   *
   * @throws {CrashError} if an error is in it: nothing that is done here is one
   */
  async checkLog(): Promise<void> {
    if (this.fault !== undefined) throw this.fault;
    const path = `${this.#options.folder}/kingbus.log`;
    const bytes = await Deno.readFile(path);
    const text = new TextDecoder().decode(bytes.subarray(this.#checkedTo));
    this.#checkedTo = bytes.length;
    for (const line of text.split("\n")) {
      if (line.includes('"level":"error"') || line.includes("panicked")) {
        throw new CrashError(`kingbus logged an error: ${line}`);
      }
    }
  }

  /** Runs another command of kingbus on its configuration. */
  async command(
    ...args: string[]
  ): Promise<{ code: number; output: string }> {
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [...this.#args, ...args],
      cwd: ROOT,
      env: { NO_COLOR: "1" },
      stdin: "null",
    }).output();
    const decoder = new TextDecoder();
    return { code, output: decoder.decode(stdout) + decoder.decode(stderr) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }

  async #end(signal: Deno.Signal): Promise<void> {
    const process = this.#process;
    if (process === undefined) return;
    this.#expected = true;
    try {
      process.kill(signal);
    } catch (error) {
      if (!(error instanceof TypeError)) throw error; // it has ended by itself
    }
    await process.status;
    await this.#logged;
    this.#process = undefined;
  }
}

/** Permissions and flags of V8 that `deno task start` gives. */
async function startFlags(): Promise<string[]> {
  const { tasks } = JSON.parse(
    await Deno.readTextFile(new URL("deno.json", ROOT)),
  );
  return String(tasks.start).match(/--(?:allow|v8-flags)\S+/g) ?? [];
}

async function appendTo(
  path: string,
  process: Deno.ChildProcess,
): Promise<void> {
  using file = await Deno.open(path, { create: true, append: true });
  for await (const chunk of process.stderr) {
    for (let rest = chunk; rest.length > 0;) {
      rest = rest.subarray(await file.write(rest));
    }
  }
}
