import {
  ClientConnection,
  type QueryResult,
} from "../../lib/connection/client_connection.ts";
import { ServerError } from "../../lib/protocol/server_error.ts";
import {
  APPLICATION_ACCOUNT,
  type TestAccount,
} from "../../scripts/test_servers/mysql56.ts";
import { ProcessWatchdog } from "../../scripts/test_servers/process_watchdog.ts";
import { TestServerError } from "../../scripts/test_servers/test_server_error.ts";
import { waitUntil } from "../../scripts/test_servers/wait_until.ts";
import type { SourceOnDisk } from "./source_file.ts";
import type { SqlServer } from "./sql_server.ts";

/** How a server is started, and where its things are. */
export interface LaunchPlan {
  /** What to call it towards people. */
  readonly title: string;
  /** Program and arguments. */
  readonly command: readonly string[];
  /** More arguments at the first start, which makes the accounts. */
  readonly firstArgs: readonly string[];
  /** Folder that goes with the server. */
  readonly folder: string;
  /** Folder in it with its data and binlog files. */
  readonly dataFolder: string;
  readonly errorLog: string;
  /** What it writes there when it can be connected to. */
  readonly ready: string;
  readonly port: number;
}

const DEADLINE_MS = 60_000;

/**
 * A server of this process from the rig's installation, on a free port of
 * 127.0.0.1 and on data of its own, which go with it. Accounts `repl` and
 * `app`; files `binlog.000001`…; statements run one after another.
 */
export class LaunchedServer implements AsyncDisposable, SqlServer {
  /** TCP port on 127.0.0.1. */
  readonly port: number;
  readonly #plan: LaunchPlan;
  #process: Deno.ChildProcess | undefined;
  #watchdog: ProcessWatchdog | undefined;
  #connection: ClientConnection | undefined;
  #lastQuery: Promise<unknown> = Promise.resolve();

  private constructor(plan: LaunchPlan) {
    this.#plan = plan;
    this.port = plan.port;
  }

  /**
   * Starts a server for the first time.
   *
   * @throws {TestServerError} If it does not come up; its folder is left.
   */
  static async launch(plan: LaunchPlan): Promise<LaunchedServer> {
    const server = new LaunchedServer(plan);
    await server.#launch(plan.firstArgs);
    return server;
  }

  /** Whether it was started and not ended since. */
  get running(): boolean {
    return this.#process !== undefined;
  }

  /** Its binlog files. */
  get onDisk(): SourceOnDisk {
    return { server: this, binlogFolder: this.#plan.dataFolder };
  }

  /** Runs a statement as the account that may do everything. */
  async query(sql: string): Promise<QueryResult> {
    const run = async (): Promise<QueryResult> => {
      this.#connection ??= await this.connect();
      return await this.#connection.query(sql);
    };
    const result = this.#lastQuery.then(run);
    this.#lastQuery = result.catch((error: unknown) => {
      if (!(error instanceof ServerError)) this.#dropConnection();
    });
    return await result;
  }

  /** Runs statements in order. */
  async run(...statements: string[]): Promise<void> {
    for (const statement of statements) await this.query(statement);
  }

  /** Opens another connection. */
  connect(
    account: TestAccount = APPLICATION_ACCOUNT,
  ): Promise<ClientConnection> {
    return ClientConnection.connect({
      hostname: "127.0.0.1",
      port: this.port,
      ...account,
    });
  }

  /** Shuts it down in order. */
  stop(): Promise<void> {
    return this.#end("SIGTERM");
  }

  /** Ends it as a crash does. */
  kill(): Promise<void> {
    return this.#end("SIGKILL");
  }

  /**
   * Starts it again, shutting it down first if it runs.
   *
   * @param args More arguments, for this time.
   */
  async restart(args: readonly string[] = []): Promise<void> {
    await this.stop();
    await this.#launch(args);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#end("SIGKILL");
    await Deno.remove(this.#plan.folder, { recursive: true });
  }

  async #launch(args: readonly string[]): Promise<void> {
    const { title, command, folder, ready, port } = this.#plan;
    const earlier = (await this.#errorLog()).length;
    const [program = "", ...first] = command;
    const process = new Deno.Command(program, {
      args: [...first, ...args],
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    let ended = false;
    process.status.then(() => ended = true);
    await waitUntil(`${title} was ready on port ${port}`, async () => {
      return ended || (await this.#errorLog()).slice(earlier).includes(ready);
    }, { deadlineMs: DEADLINE_MS, intervalMs: 50 });
    if (ended) {
      const log = (await this.#errorLog()).slice(earlier);
      throw new TestServerError(`Cannot start ${title}: ${log}`);
    }
    this.#process = process;
    this.#watchdog = new ProcessWatchdog(process.pid, folder);
  }

  async #errorLog(): Promise<string> {
    try {
      return await Deno.readTextFile(this.#plan.errorLog);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return "";
      throw error;
    }
  }

  #dropConnection(): void {
    this.#connection?.close();
    this.#connection = undefined;
  }

  async #end(signal: "SIGTERM" | "SIGKILL"): Promise<void> {
    this.#dropConnection();
    const process = this.#process;
    if (process === undefined) return;
    this.#process = undefined;
    process.kill(signal);
    const impatience = setTimeout(() => process.kill("SIGKILL"), DEADLINE_MS);
    await process.status;
    clearTimeout(impatience);
    await this.#watchdog?.dismiss();
    this.#watchdog = undefined;
  }
}

/** Times that another process may take a server's port before it does. */
const TRIES = 3;

/**
 * Makes a folder, and a server in it by a plan for it; tries again where that
 * fails, and leaves no folder then.
 */
export async function launchInFolder(
  parent: string,
  plan: (folder: string) => Promise<LaunchPlan>,
): Promise<LaunchedServer> {
  for (let attempt = 1;; attempt++) {
    const folder = await Deno.makeTempDir({ dir: parent, prefix: "kingbus-" });
    try {
      return await LaunchedServer.launch(await plan(folder));
    } catch (error) {
      await Deno.remove(folder, { recursive: true });
      if (attempt === TRIES || !(error instanceof TestServerError)) throw error;
    }
  }
}
