import {
  ClientConnection,
  type QueryResult,
} from "../../lib/connection/client_connection.ts";
import { ServerError } from "../../lib/protocol/server_error.ts";
import { freePort } from "../../scripts/test_servers/free_port.ts";
import {
  APPLICATION_ACCOUNT,
  type TestAccount,
} from "../../scripts/test_servers/mysql56.ts";
import { ProcessWatchdog } from "../../scripts/test_servers/process_watchdog.ts";
import { TestServerError } from "../../scripts/test_servers/test_server_error.ts";
import { waitUntil } from "../../scripts/test_servers/wait_until.ts";
import type { SourceOnDisk } from "./source_file.ts";
import type { SqlServer } from "./sql_server.ts";

/** Run at a server's first start, without a trace in the binary log. */
const INIT_SQL = `SET sql_log_bin = 0;
CREATE USER repl@'%' IDENTIFIED WITH caching_sha2_password BY 'replpass';
GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO repl@'%';
CREATE USER app@'%' IDENTIFIED WITH caching_sha2_password BY 'apppass';
GRANT ALL ON *.* TO app@'%' WITH GRANT OPTION;
CREATE DATABASE test;
`;

const READY = "ready for connections. Version";
const START_DEADLINE_MS = 60_000;
const STOP_DEADLINE_MS = 60_000;
const PORT_TRIES = 5;

/** The root of the file system that the rig's MySQL 9.7 is installed in. */
function rigRoot(): string {
  const rig = Deno.env.get("KINGBUS_RIG") ??
    `${Deno.env.get("TMPDIR") ?? "/tmp"}/kingbus-rig`;
  return `${rig}/sid`;
}

/**
 * A MySQL 9.7 server of this process, from the rig's installation, on a free
 * port of 127.0.0.1 and on data of its own, which go with it. GTIDs on, row
 * format, files `binlog.000001`…, accounts `repl` and `app`.
 */
export class Mysql97 implements AsyncDisposable, SqlServer {
  /** TCP port on 127.0.0.1. */
  readonly port: number;
  /** Server id. */
  readonly serverId: number;
  readonly #root: string;
  /** Its folder as it names it. */
  readonly #folder: string;
  readonly #args: string[];
  #process: Deno.ChildProcess | undefined;
  #watchdog: ProcessWatchdog | undefined;
  #connection: ClientConnection | undefined;
  #lastQuery: Promise<unknown> = Promise.resolve();

  private constructor(
    root: string,
    folder: string,
    { port, serverId, extraArgs }: {
      port: number;
      serverId: number;
      extraArgs: string[];
    },
  ) {
    this.#root = root;
    this.#folder = folder;
    this.port = port;
    this.serverId = serverId;
    this.#args = serverArgs(folder, port, serverId, extraArgs);
  }

  /**
   * Starts a server on fresh data.
   *
   * @throws {TestServerError} If the rig has no MySQL 9.7 or it does not come up.
   */
  static async start(
    { serverId = 9791, extraArgs = [] }: {
      serverId?: number;
      extraArgs?: string[];
    } = {},
  ): Promise<Mysql97> {
    const root = rigRoot();
    const path = await Deno.makeTempDir({
      dir: `${root}/var/lib`,
      prefix: "kingbus-",
    });
    const folder = path.slice(root.length);
    try {
      await initialize(root, folder);
      for (let attempt = 1;; attempt++) {
        const options = { port: freePort(), serverId, extraArgs };
        const server = new Mysql97(root, folder, options);
        if (await server.#launch([`--init-file=${folder}/init.sql`])) {
          return server;
        }
        if (attempt === PORT_TRIES) {
          throw new TestServerError(
            `Cannot start MySQL 9.7: ${await server.errorLog()}`,
          );
        }
      }
    } catch (error) {
      await Deno.remove(path, { recursive: true });
      throw error;
    }
  }

  /** Whether it was started and not ended since. */
  get running(): boolean {
    return this.#process !== undefined;
  }

  /** Its binlog files. */
  get onDisk(): SourceOnDisk {
    return {
      server: this,
      binlogFolder: `${this.#root}${this.#folder}/data`,
    };
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

  /** What the server wrote about itself. */
  async errorLog(): Promise<string> {
    return await Deno.readTextFile(
      `${this.#root}${this.#folder}/error.log`,
    ).catch(() => "");
  }

  /** Shuts it down in order. */
  stop(): Promise<void> {
    return this.#end("SIGTERM");
  }

  /** Ends it as a crash does. */
  kill(): Promise<void> {
    return this.#end("SIGKILL");
  }

  /** Starts it again, shutting it down first if it runs. */
  async restart(): Promise<void> {
    await this.stop();
    if (await this.#launch([])) return;
    throw new TestServerError(
      `Cannot restart MySQL 9.7: ${await this.errorLog()}`,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#end("SIGKILL");
    await Deno.remove(`${this.#root}${this.#folder}`, { recursive: true });
  }

  /** Starts the process; false if it ended before it was ready. */
  async #launch(args: string[]): Promise<boolean> {
    const earlier = (await this.errorLog()).length;
    const process = spawn(this.#root, [...this.#args, ...args]);
    let ended = false;
    process.status.then(() => ended = true);
    await waitUntil(
      `MySQL 9.7 was ready on port ${this.port}`,
      async () => {
        return ended || (await this.errorLog()).slice(earlier).includes(READY);
      },
      { deadlineMs: START_DEADLINE_MS, intervalMs: 50 },
    );
    if (ended) return false;
    this.#process = process;
    const path = `${this.#root}${this.#folder}`;
    this.#watchdog = new ProcessWatchdog(process.pid, path);
    return true;
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
    const impatience = setTimeout(
      () => process.kill("SIGKILL"),
      STOP_DEADLINE_MS,
    );
    await process.status;
    clearTimeout(impatience);
    await this.#watchdog?.dismiss();
    this.#watchdog = undefined;
  }
}

function serverArgs(
  folder: string,
  port: number,
  serverId: number,
  extraArgs: string[],
): string[] {
  return [
    ...commonArgs(folder),
    `--socket=${folder}/mysqld.sock`,
    `--pid-file=${folder}/mysqld.pid`,
    `--log-error=${folder}/error.log`,
    `--port=${port}`,
    "--bind-address=127.0.0.1",
    "--mysqlx=0",
    "--skip-name-resolve",
    "--skip-replica-start",
    `--server-id=${serverId}`,
    "--gtid-mode=ON",
    "--enforce-gtid-consistency=ON",
    "--log-bin=binlog",
    "--relay-log=relay",
    "--binlog-format=ROW",
    "--sync-binlog=0",
    "--innodb-flush-log-at-trx-commit=2",
    "--performance-schema=OFF",
    ...extraArgs,
  ];
}

/** What the data directory is made with too. */
function commonArgs(folder: string): string[] {
  return [
    "--no-defaults",
    "--user=root",
    `--datadir=${folder}/data`,
    "--secure-file-priv=",
    "--innodb-buffer-pool-size=64M",
    "--innodb-redo-log-capacity=64M",
    "--innodb-doublewrite=OFF",
  ];
}

function spawn(root: string, args: string[]): Deno.ChildProcess {
  return new Deno.Command("/usr/sbin/chroot", {
    args: [root, "/usr/sbin/mysqld", ...args],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
}

/** Makes a fresh data directory. */
async function initialize(root: string, folder: string): Promise<void> {
  await Deno.writeTextFile(`${root}${folder}/init.sql`, INIT_SQL);
  const log = `${folder}/initialize.log`;
  const { success } = await spawn(root, [
    ...commonArgs(folder),
    "--initialize-insecure",
    `--log-error=${log}`,
  ]).status;
  if (success) return;
  throw new TestServerError(
    `Cannot make a data directory for MySQL 9.7: ${await Deno.readTextFile(
      `${root}${log}`,
    )}`,
  );
}
