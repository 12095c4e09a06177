import type { ClientConnection } from "../../lib/connection/client_connection.ts";
import { describeError } from "../../lib/log/describe_error.ts";
import {
  type Mysql56,
  REPLICATION_ACCOUNT,
  startMysql56,
} from "../test_servers/mysql56.ts";
import { DemoError } from "./demo_error.ts";
import { KingbusProcess } from "./kingbus_process.ts";
import { schemaStatements } from "./schema.ts";

/** How {@linkcode DemoServers.start} starts the servers. */
export interface DemoServersOptions {
  /** Folder that all of them work in. */
  readonly folder: string;
  /** Whether their data must be fit to be looked at afterwards. */
  readonly keep: boolean;
  /** Ends the start between two servers, and that of kingbus. */
  readonly signal: AbortSignal;
  /** Told of each server that runs. */
  readonly say: (text: string) => void;
  /** Told what a start that takes long waits for. */
  readonly progress: (text: string) => void;
}

const NAME_WIDTH = 9;

/** A source with the demo's tables, kingbus following it, and its replica. */
export class DemoServers implements AsyncDisposable {
  readonly source: Mysql56;
  readonly kingbus: KingbusProcess;
  readonly replica: Mysql56;
  readonly #started: AsyncDisposableStack;

  private constructor(
    source: Mysql56,
    kingbus: KingbusProcess,
    replica: Mysql56,
    started: AsyncDisposableStack,
  ) {
    this.source = source;
    this.kingbus = kingbus;
    this.replica = replica;
    this.#started = started;
  }

  /**
   * Starts all three, and replication between them; what has started is ended
   * again if a later one does not.
   *
   * @throws {TestServerError} If a MySQL server does not come up.
   * @throws {DemoError} If kingbus does not.
   */
  static async start(options: DemoServersOptions): Promise<DemoServers> {
    const { folder, signal } = options;
    const say = (name: string, text: string): void =>
      options.say(`  ${name.padEnd(NAME_WIDTH)}${text}`);
    await using started = new AsyncDisposableStack();
    const source = await startServer("source", options, started);
    say("source", `MySQL 5.6 on 127.0.0.1:${source.port}`);
    for (const statement of schemaStatements()) await source.query(statement);
    signal.throwIfAborted();
    const kingbus = await KingbusProcess.start({
      folder,
      sourcePort: source.port,
      account: REPLICATION_ACCOUNT,
      signal,
      progress: (text) => options.progress(`  kingbus: ${text}`),
    });
    started.defer(async () => void await kingbus.stop());
    say(
      "kingbus",
      `on 127.0.0.1:${kingbus.port}, admin API on ${kingbus.adminUrl}`,
    );
    const replica = await startServer("replica", options, started);
    await replicateFrom(kingbus.port, replica);
    say(
      "replica",
      `MySQL 5.6 on 127.0.0.1:${replica.port}, replicating from kingbus`,
    );
    signal.throwIfAborted();
    return new DemoServers(source, kingbus, replica, started.move());
  }

  /** Opens a connection to the source or the replica. */
  async connect(role: "source" | "replica"): Promise<ClientConnection> {
    try {
      return await this[role].connect();
    } catch (cause) {
      throw new DemoError(`cannot connect to the ${role}`, { cause });
    }
  }

  /** What the servers logged last, for when something went wrong. */
  async describeLogs(): Promise<string> {
    const parts = [`kingbus's log ends with:\n${await this.kingbus.logEnd()}`];
    for (const role of ["source", "replica"] as const) {
      try {
        await (await this[role].connect()).quit();
      } catch (error) {
        parts.push(`the ${role} can't be reached: ${describeError(error)}`);
      }
      const errors = (await this[role].errorLog()).split("\n")
        .filter((line) => /\[ERROR\]|got signal/.test(line)).slice(-5);
      if (errors.length > 0) {
        parts.push(`errors in the ${role}'s log:\n${errors.join("\n")}`);
      }
    }
    return parts.join("\n");
  }

  /** Ends all three. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#started.disposeAsync();
  }
}

async function startServer(
  role: "source" | "replica",
  options: DemoServersOptions,
  started: AsyncDisposableStack,
): Promise<Mysql56> {
  const dataDir = `${options.folder}/${role}`;
  const server = await startMysql56({ role, dataDir });
  // an orderly end takes seconds, and is for data that stay
  started.defer(() => options.keep ? server.stop() : server.kill());
  options.signal.throwIfAborted();
  return server;
}

async function replicateFrom(port: number, replica: Mysql56): Promise<void> {
  const { user, password } = REPLICATION_ACCOUNT;
  await replica.query(
    `CHANGE MASTER TO MASTER_HOST = '127.0.0.1', MASTER_PORT = ${port}, MASTER_USER = '${user}', MASTER_PASSWORD = '${password}', MASTER_AUTO_POSITION = 1, MASTER_CONNECT_RETRY = 1, MASTER_HEARTBEAT_PERIOD = 1`,
  );
  await replica.query("START SLAVE");
}
