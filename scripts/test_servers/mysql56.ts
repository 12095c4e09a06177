import {
  ClientConnection,
  type QueryResult,
} from "../../lib/connection/client_connection.ts";
import { ServerError } from "../../lib/protocol/server_error.ts";
import { freePort } from "./free_port.ts";
import { installMysql56 } from "./install_mysql56.ts";
import { ProcessWatchdog } from "./process_watchdog.ts";
import { TestServerError } from "./test_server_error.ts";
import { waitUntil } from "./wait_until.ts";

/** Which server {@linkcode startMysql56} starts. */
export interface Mysql56Options {
  /** What it is for; a replica gets another server id. `source` if not given. */
  role?: "source" | "replica";
  /** Server id; 5601 for a source and 5602 for a replica if not given. */
  serverId?: number;
  /**
   * Folder for its data, log and socket, kept afterwards and taken up again if
   * it holds data; a temporary folder that goes with the server if not given.
   */
  dataDir?: string;
  /** More options of `mysqld`, such as `--binlog-checksum=NONE`. */
  extraArgs?: string[];
}

/** An account that exists on every server started here. */
export interface TestAccount {
  user: string;
  password: string;
}

/** May replicate, and nothing else. */
export const REPLICATION_ACCOUNT: TestAccount = {
  user: "repl",
  password: "replpass",
};

/** May do everything. */
export const APPLICATION_ACCOUNT: TestAccount = {
  user: "app",
  password: "apppass",
};

/**
 * Run once on a fresh data directory, without a trace in the binary log; one
 * statement a line, as `--init-file` wants it.
 */
const INIT_SQL = `SET sql_log_bin = 0;
DELETE FROM mysql.user WHERE User = '';
FLUSH PRIVILEGES;
GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO repl@'%' IDENTIFIED BY 'replpass';
GRANT ALL ON *.* TO app@'%' IDENTIFIED BY 'apppass' WITH GRANT OPTION;
CREATE DATABASE IF NOT EXISTS test;
`;

/** Times a port may turn out to be taken before giving up. */
const PORT_TRIES = 5;

/** How long a server may take to be ready, or to shut down. */
const SERVER_DEADLINE_MS = 60_000;

const READY = "ready for connections";
const PORT_TAKEN = "Do you already have another mysqld server running on port";

async function copyFolder(from: string, to: string): Promise<void> {
  await Deno.mkdir(to, { recursive: true });
  for await (const { name, isDirectory } of Deno.readDir(from)) {
    const copy = isDirectory ? copyFolder : Deno.copyFile;
    await copy(`${from}/${name}`, `${to}/${name}`);
  }
}

async function readIfThere(path: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  }
}

/** A server's folder: paths in it, and whether it goes with the server. */
class ServerFolder {
  readonly path: string;
  readonly temporary: boolean;

  constructor(path: string, temporary: boolean) {
    this.path = path;
    this.temporary = temporary;
  }

  static async open(dataDir: string | undefined): Promise<ServerFolder> {
    if (dataDir === undefined) {
      // short: the path of a socket has at most 107 bytes
      const path = await Deno.makeTempDir({ prefix: "kingbus-mysql56-" });
      return new ServerFolder(path, true);
    }
    await Deno.mkdir(dataDir, { recursive: true });
    return new ServerFolder(await Deno.realPath(dataDir), false);
  }

  get data(): string {
    return `${this.path}/data`;
  }

  get initFile(): string {
    return `${this.path}/init.sql`;
  }

  get errorLog(): string {
    return `${this.path}/error.log`;
  }

  /** Fills an empty folder from the data directory the server comes with. */
  async prepare(serverHome: string): Promise<void> {
    await Deno.mkdir(`${this.path}/tmp`, { recursive: true });
    if (await readIfThere(`${this.data}/auto.cnf`) !== "") return;
    const origin = `${serverHome}/data/mysql`;
    for (const name of ["mysql", "performance_schema"]) {
      await copyFolder(`${origin}/${name}`, `${this.data}/${name}`);
    }
    await Deno.copyFile(`${origin}/ibdata1`, `${this.data}/ibdata1`);
    await Deno.writeTextFile(this.initFile, INIT_SQL);
    // Two servers that make theirs at the same moment may make the same one.
    await Deno.writeTextFile(
      `${this.data}/auto.cnf`,
      `[auto]\nserver-uuid=${crypto.randomUUID()}\n`,
    );
  }
}

/**
 * A MySQL 5.6 server of this process on a free port of 127.0.0.1: GTIDs on, row
 * format, binary log files `binlog.000001`…, accounts `repl` and `app`.
 *
 * It ends with this process, even if that is killed. Statements are run by one
 * connection of the `app` account, one after another.
 */
export class Mysql56 implements AsyncDisposable {
  /** TCP port on 127.0.0.1. */
  readonly port: number;
  /** Server id. */
  readonly serverId: number;
  /** Server UUID. */
  readonly uuid: string;
  readonly #serverHome: string;
  readonly #folder: ServerFolder;
  #extraArgs: string[];
  #process: Deno.ChildProcess | undefined;
  #watchdog: ProcessWatchdog | undefined;
  #connection: ClientConnection | undefined;
  #lastQuery: Promise<unknown> = Promise.resolve();

  private constructor(
    serverHome: string,
    folder: ServerFolder,
    running: RunningServer,
    extraArgs: string[],
  ) {
    this.#serverHome = serverHome;
    this.#folder = folder;
    this.#extraArgs = extraArgs;
    this.port = running.port;
    this.serverId = running.serverId;
    this.uuid = running.uuid;
    this.#adopt(running);
  }

  /**
   * Starts a server, installing it first if need be.
   *
   * @throws {TestServerError} If it cannot be installed or does not come up.
   */
  static async start(options: Mysql56Options = {}): Promise<Mysql56> {
    const { role = "source", extraArgs = [] } = options;
    const serverId = options.serverId ?? (role === "source" ? 5601 : 5602);
    const serverHome = await installMysql56();
    const folder = await ServerFolder.open(options.dataDir);
    try {
      await folder.prepare(serverHome);
      for (let attempt = 1;; attempt++) {
        const port = freePort();
        const running = await launch(
          { serverHome, folder, port, serverId, extraArgs },
        );
        if (running !== undefined) {
          return new Mysql56(serverHome, folder, running, extraArgs);
        }
        if (attempt === PORT_TRIES) {
          throw new TestServerError(
            `Cannot start MySQL 5.6: ${PORT_TRIES} free ports were taken before it could bind`,
          );
        }
      }
    } catch (error) {
      if (folder.temporary) await Deno.remove(folder.path, { recursive: true });
      throw error;
    }
  }

  /** Folder with its data (in `data/`), its error log and its socket. */
  get dir(): string {
    return this.#folder.path;
  }

  /** Whether it was started and not ended since. */
  get running(): boolean {
    return this.#process !== undefined;
  }

  /** Its process id while it runs. */
  get pid(): number | undefined {
    return this.#process?.pid;
  }

  /**
   * Runs a statement as `app`.
   *
   * @throws {ServerError} If the server refuses it.
   * @throws {ConnectionError} If the server is not there.
   */
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

  /** Opens another connection, as `app` if no account is given. */
  async connect(
    account: TestAccount = APPLICATION_ACCOUNT,
    database?: string,
  ): Promise<ClientConnection> {
    return await ClientConnection.connect({
      hostname: "127.0.0.1",
      port: this.port,
      ...account,
      database,
    });
  }

  /** What the server wrote about itself. */
  async errorLog(): Promise<string> {
    return await readIfThere(this.#folder.errorLog);
  }

  /** Shuts it down in order; its data stay for {@linkcode restart}. */
  async stop(): Promise<void> {
    await this.#end("SIGTERM");
  }

  /** Ends it as a crash does; its data stay for {@linkcode restart}. */
  async kill(): Promise<void> {
    await this.#end("SIGKILL");
  }

  /**
   * Starts it again on the same port and data, shutting it down first if it runs.
   *
   * @param extraArgs Replace those it was started with, if given.
   */
  async restart(extraArgs?: string[]): Promise<void> {
    await this.stop();
    this.#extraArgs = extraArgs ?? this.#extraArgs;
    const running = await launch({
      serverHome: this.#serverHome,
      folder: this.#folder,
      port: this.port,
      serverId: this.serverId,
      extraArgs: this.#extraArgs,
    });
    if (running === undefined) {
      throw new TestServerError(
        `Cannot restart MySQL 5.6: port ${this.port} was taken meanwhile`,
      );
    }
    this.#adopt(running);
  }

  /** Ends it; removes its folder unless that was given. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#end(this.#folder.temporary ? "SIGKILL" : "SIGTERM");
    if (!this.#folder.temporary) return;
    await Deno.remove(this.#folder.path, { recursive: true });
  }

  #adopt({ process }: RunningServer): void {
    this.#process = process;
    const folder = this.#folder.temporary ? this.#folder.path : "";
    this.#watchdog = new ProcessWatchdog(process.pid, folder);
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
    sendSignal(process, signal);
    const impatience = setTimeout(
      () => sendSignal(process, "SIGKILL"),
      SERVER_DEADLINE_MS,
    );
    await process.status;
    clearTimeout(impatience);
    await this.#watchdog?.dismiss();
    this.#watchdog = undefined;
  }
}

/** Sends a signal to a process that may have ended by itself. */
function sendSignal(process: Deno.ChildProcess, signal: Deno.Signal): void {
  try {
    process.kill(signal);
  } catch (error) {
    const ended = error instanceof TypeError ||
      error instanceof Deno.errors.NotFound;
    if (!ended) throw error;
  }
}

/** What {@linkcode launch} starts. */
interface LaunchOptions {
  serverHome: string;
  folder: ServerFolder;
  port: number;
  serverId: number;
  extraArgs: string[];
}

/** A server that is ready for connections. */
interface RunningServer {
  process: Deno.ChildProcess;
  port: number;
  serverId: number;
  uuid: string;
}

/**
 * The options of `mysqld`. Data need not survive a crash of the machine, only
 * one of the server, so nothing is synced; small files make the start fast.
 */
function serverArgs(options: LaunchOptions, fresh: boolean): string[] {
  const { serverHome, folder, port, serverId, extraArgs } = options;
  return [
    "--no-defaults",
    ...(Deno.uid() === 0 ? ["--user=root"] : []),
    ...(fresh ? [`--init-file=${folder.initFile}`] : []),
    `--basedir=${serverHome}`,
    `--lc-messages-dir=${serverHome}/share`,
    `--character-sets-dir=${serverHome}/share/charsets`,
    `--datadir=${folder.data}`,
    `--tmpdir=${folder.path}/tmp`,
    `--socket=${folder.path}/mysqld.sock`,
    `--pid-file=${folder.path}/mysqld.pid`,
    `--log-error=${folder.errorLog}`,
    `--port=${port}`,
    "--bind-address=127.0.0.1",
    "--skip-name-resolve",
    "--skip-slave-start",
    `--server-id=${serverId}`,
    "--gtid-mode=ON",
    "--enforce-gtid-consistency",
    "--log-slave-updates",
    "--log-bin=binlog",
    "--relay-log=relay",
    "--binlog-format=ROW",
    "--sync-binlog=0",
    "--innodb-flush-log-at-trx-commit=2",
    "--innodb-log-file-size=8M",
    "--innodb-buffer-pool-size=64M",
    "--innodb-doublewrite=0",
    "--performance-schema=OFF",
    "--explicit-defaults-for-timestamp=1",
    "--secure-file-priv=",
    ...extraArgs,
  ];
}

/** Starts a server and waits until it is ready; `undefined` if its port is taken. */
async function launch(
  options: LaunchOptions,
): Promise<RunningServer | undefined> {
  const { serverHome, folder, port, serverId } = options;
  const uuidFile = `${folder.data}/auto.cnf`;
  const fresh = await readIfThere(folder.initFile) !== "";
  const earlierLog = (await readIfThere(folder.errorLog)).length;
  const process = new Deno.Command(`${serverHome}/mysqld`, {
    args: serverArgs(options, fresh),
    env: { LD_LIBRARY_PATH: serverHome },
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  let code: number | undefined;
  const ended = process.status.then((status) => {
    code = status.code;
  });
  const log = async (): Promise<string> =>
    (await readIfThere(folder.errorLog)).slice(earlierLog);
  try {
    await waitUntil(
      `MySQL 5.6 was ready on port ${port}`,
      async () => code !== undefined || (await log()).includes(READY),
      { deadlineMs: SERVER_DEADLINE_MS },
    );
  } catch (error) {
    sendSignal(process, "SIGKILL");
    await ended;
    throw error;
  }
  if (code !== undefined) {
    const text = await log();
    if (text.includes(PORT_TAKEN)) return undefined;
    throw new TestServerError(
      `Cannot start MySQL 5.6: it ended with code ${code}\n${
        text || "It wrote nothing: is this x86-64 Linux with glibc?"
      }`,
    );
  }
  // It has been run by now: the server is ready only after it.
  if (fresh) await Deno.remove(folder.initFile);
  const [, uuid] = /server-uuid=(\S+)/.exec(await readIfThere(uuidFile)) ?? [];
  if (uuid === undefined) {
    throw new TestServerError(`Cannot find a server uuid in "${uuidFile}"`);
  }
  return { process, port, serverId, uuid };
}

/**
 * Starts a MySQL 5.6 server for tests or the demo.
 *
 * @throws {TestServerError} If it cannot be installed or does not come up.
 */
export async function startMysql56(
  options: Mysql56Options = {},
): Promise<Mysql56> {
  return await Mysql56.start(options);
}
