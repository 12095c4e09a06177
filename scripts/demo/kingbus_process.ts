import type { NodeStatus } from "../../lib/admin/node_status.ts";
import { describeError } from "../../lib/log/describe_error.ts";
import { importFlags } from "../import_flags.ts";
import { freePort } from "../test_servers/free_port.ts";
import { DemoError } from "./demo_error.ts";
import { formatKingbusConfig } from "./kingbus_config.ts";
import { pause } from "./pause.ts";

/** How {@linkcode KingbusProcess.start} starts kingbus. */
export interface KingbusOptions {
  /** Folder for its store, configuration and log. */
  readonly folder: string;
  readonly sourcePort: number;
  /** On the source, and for replicas. */
  readonly account: { readonly user: string; readonly password: string };
  /** Ends the start. */
  readonly signal: AbortSignal;
  /** Told now and then what a start that takes long waits for. */
  readonly progress: (text: string) => void;
}

/** Root of the project. */
const ROOT = new URL("../../", import.meta.url);

/** What the task `start` of deno.json allows. */
const PERMISSIONS = ["net", "read", "write", "env", "sys"]
  .map((name) => `--allow-${name}`);

/** Times a port may turn out to be taken before giving up. */
const PORT_TRIES = 5;
/** Deno may have packages to download first. */
const START_DEADLINE_MS = 120_000;
const STOP_DEADLINE_MS = 15_000;
const ANSWER_DEADLINE_MS = 5_000;
const LOOK_MS = 50;
/** A start that takes longer is explained. */
const PATIENCE_MS = 3_000;

/** A kingbus of its own process, run as users run it. */
export class KingbusProcess {
  /** Port for replicas, on 127.0.0.1. */
  readonly port: number;
  /** Root of the admin API, without a slash at its end. */
  readonly adminUrl: string;
  readonly #process: Deno.ChildProcess;
  readonly #logPath: string;
  readonly #logged: Promise<void>;
  #exitCode: number | undefined;

  private constructor(
    process: Deno.ChildProcess,
    port: number,
    adminPort: number,
    logPath: string,
    logged: Promise<void>,
  ) {
    this.port = port;
    this.adminUrl = `http://127.0.0.1:${adminPort}`;
    this.#process = process;
    this.#logPath = logPath;
    this.#logged = logged;
    process.status.then(({ code }) => this.#exitCode = code);
  }

  /**
   * Starts kingbus and waits until it follows the source and serves replicas.
   *
   * @throws {DemoError} If it does not come to that.
   */
  static async start(options: KingbusOptions): Promise<KingbusProcess> {
    for (let attempt = 1;; attempt++) {
      const kingbus = await KingbusProcess.#spawn(options);
      try {
        await kingbus.#becomeReady(options);
        return kingbus;
      } catch (error) {
        await kingbus.kill();
        options.signal.throwIfAborted();
        const log = await kingbus.logEnd();
        const portTaken = /AddrInUse|address already in use/i.test(log);
        if (portTaken && attempt < PORT_TRIES) continue;
        const message = `${describeError(error)}; its log ends with:\n${log}`;
        throw new DemoError(message, { cause: error });
      }
    }
  }

  static async #spawn(options: KingbusOptions): Promise<KingbusProcess> {
    const { folder, sourcePort, account } = options;
    const [port, adminPort] = twoFreePorts();
    const configPath = `${folder}/kingbus.yaml`;
    const logPath = `${folder}/kingbus.log`;
    await Deno.writeTextFile(
      configPath,
      formatKingbusConfig({
        dataDir: `${folder}/kingbus`,
        adminPort,
        serverPort: port,
        sourcePort,
        account,
      }),
    );
    const flags = await importFlags();
    const log = await Deno.open(logPath, { create: true, append: true });
    const process = new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        ...flags,
        ...PERMISSIONS,
        "main.ts",
        "serve",
        `--config=${configPath}`, // the folder's guard knows it by this
      ],
      cwd: ROOT,
      stdin: "null",
      stdout: "null",
      stderr: "piped",
      detached: true, // Ctrl-C is for the demo, which then ends it in order
    }).spawn();
    const logged = copyTo(log, process.stderr);
    return new KingbusProcess(process, port, adminPort, logPath, logged);
  }

  /** Resolves when it ends, with its exit code. */
  get ended(): Promise<number> {
    return this.#process.status.then(({ code }) => code);
  }

  /** What `GET /status` tells. */
  async status(signal: AbortSignal): Promise<NodeStatus> {
    const response = await this.#get("/status", signal);
    const { data } = await response.json() as { data: NodeStatus };
    return data;
  }

  /** The last lines of its log. */
  async logEnd(): Promise<string> {
    return (await this.#logLines()).slice(-12).join("\n");
  }

  /** Lines of its log that report an error. */
  async loggedErrors(): Promise<string[]> {
    return (await this.#logLines()).filter((line) => / ERROR /.test(line));
  }

  /**
   * Lets it drain.
   *
   * @returns Its exit code; that of a kill if it takes too long.
   */
  async stop(): Promise<number> {
    const impatience = setTimeout(
      () => this.#signal("SIGKILL"),
      STOP_DEADLINE_MS,
    );
    this.#signal("SIGTERM");
    const code = await this.ended;
    clearTimeout(impatience);
    await this.#logged;
    return code;
  }

  /** Ends it at once. */
  async kill(): Promise<void> {
    this.#signal("SIGKILL");
    await this.ended;
    await this.#logged;
  }

  async #logLines(): Promise<string[]> {
    const text = await Deno.readTextFile(this.#logPath);
    return text.trimEnd().split("\n");
  }

  #signal(signal: Deno.Signal): void {
    try {
      this.#process.kill(signal);
    } catch (error) {
      const ended = error instanceof TypeError ||
        error instanceof Deno.errors.NotFound;
      if (!ended) throw error;
    }
  }

  async #get(path: string, signal: AbortSignal): Promise<Response> {
    const limit = AbortSignal.timeout(ANSWER_DEADLINE_MS);
    return await fetch(`${this.adminUrl}${path}`, {
      signal: AbortSignal.any([signal, limit]),
    });
  }

  async #becomeReady({ signal, progress }: KingbusOptions): Promise<void> {
    const startMs = performance.now();
    const deadlineMs = startMs + START_DEADLINE_MS;
    let why = "";
    while (performance.now() < deadlineMs) {
      if (this.#exitCode !== undefined) {
        throw new DemoError(
          `kingbus ended with exit code ${this.#exitCode} while it started`,
        );
      }
      try {
        const response = await this.#get("/readyz", signal);
        const { message } = await response.json() as { message: string };
        if (response.ok) return;
        why = message;
      } catch (error) {
        signal.throwIfAborted();
        why = describeError(error);
      }
      if (performance.now() - startMs > PATIENCE_MS) progress(why);
      await pause(LOOK_MS, signal);
    }
    throw new DemoError(
      `kingbus was not ready after ${START_DEADLINE_MS / 1000} s: ${why}`,
    );
  }
}

/** Unlike `pipeTo`, which may hold back what it has, writes what comes at once. */
async function copyTo(
  file: Deno.FsFile,
  chunks: ReadableStream<Uint8Array>,
): Promise<void> {
  using open = file;
  for await (const chunk of chunks) {
    for (let rest = chunk; rest.length > 0;) {
      rest = rest.subarray(await open.write(rest));
    }
  }
}

/** Two different ones: the first is free again when the second is looked for. */
function twoFreePorts(): [number, number] {
  const first = freePort();
  for (;;) {
    const second = freePort();
    if (second !== first) return [first, second];
  }
}
