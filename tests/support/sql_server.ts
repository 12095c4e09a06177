import type { QueryResult } from "../../lib/connection/client_connection.ts";
import { waitUntil } from "../../scripts/test_servers/wait_until.ts";

/** A server that runs statements, of whatever kind and version. */
export interface SqlServer {
  query(sql: string): Promise<QueryResult>;
}

/** Databases that come with a server. */
const SYSTEM_DATABASES = new Set([
  "mysql",
  "sys",
  "information_schema",
  "performance_schema",
]);

/** Names quoted for SQL. */
function quoted(...names: string[]): string {
  return names.map((name) => `\`${name}\``).join(".");
}

/** The one value that a statement answers. */
export async function valueOf(server: SqlServer, sql: string): Promise<string> {
  const { rows } = await server.query(sql);
  return rows[0]?.[0] ?? "";
}

/** Runs statements in order. */
export async function runAll(
  server: SqlServer,
  ...statements: string[]
): Promise<void> {
  for (const statement of statements) await server.query(statement);
}

/** Names of the databases that tests have made. */
async function databasesOf(server: SqlServer): Promise<string[]> {
  const { rows } = await server.query("SHOW DATABASES");
  return rows.map(([name]) => name ?? "")
    .filter((name) => !SYSTEM_DATABASES.has(name));
}

/** GTIDs of all that the server has executed, as one line of text. */
export async function executedOf(server: SqlServer): Promise<string> {
  const text = await valueOf(server, "SELECT @@GLOBAL.gtid_executed");
  return text.replaceAll("\n", "");
}

/** The server's binlog files with their sizes, oldest first. */
export async function binlogsOf(
  server: SqlServer,
): Promise<{ name: string; size: number }[]> {
  const { rows } = await server.query("SHOW BINARY LOGS");
  return rows.map(([name, size]) => ({ name: name!, size: Number(size) }));
}

/** File and position at which the server's log ends. */
export async function logEndOf(
  server: SqlServer,
): Promise<{ fileName: string; position: number }> {
  const { name, size } = (await binlogsOf(server)).at(-1)!;
  return { fileName: name, position: size };
}

/**
 * A checksum of each table of the tests' databases over all its rows, and how
 * the table is defined: two servers of the same kind that agree here hold the
 * same.
 */
export async function checksumTables(
  server: SqlServer,
): Promise<Record<string, string>> {
  const sums: Record<string, string> = {};
  for (const database of await databasesOf(server)) {
    const { rows } = await server.query(`SHOW TABLES FROM ${quoted(database)}`);
    for (const [table] of rows) {
      const name = quoted(database, table!);
      const sum = await server.query(`CHECKSUM TABLE ${name} EXTENDED`);
      const count = await valueOf(server, `SELECT COUNT(*) FROM ${name}`);
      const definition = await server.query(`SHOW CREATE TABLE ${name}`);
      // the next number to give is not replicated where rows were rolled back
      const made = definition.rows[0]?.[1]?.replace(/ AUTO_INCREMENT=\d+/, "");
      sums[name] = `${sum.rows[0]?.[1]}, ${count} rows, ${made}`;
    }
  }
  return sums;
}

/** Drops the databases that tests have made; an empty `test` is there after. */
export async function dropDatabases(server: SqlServer): Promise<void> {
  for (const database of await databasesOf(server)) {
    await server.query(`DROP DATABASE ${quoted(database)}`);
  }
  await server.query("CREATE DATABASE test");
}

/** How a replica asks for the log. */
export interface ReplicateOptions {
  readonly port: number;
  /** By file and position; by GTID if not given. */
  readonly from?: { fileName: string; position: number };
  /** More of what the statement says, such as `SOURCE_SSL = 1`. */
  readonly settings?: readonly string[];
  /** Another password than the replication account has. */
  readonly password?: string;
}

/** What a server says about its replication, by name of the column. */
export type ReplicaState = Record<string, string | null>;

/** A replica that can be told to follow a source, in its version's words. */
export class TestReplica {
  readonly server: SqlServer;
  readonly #modern: boolean;

  /**
   * @param server the server to make a replica of
   * @param modern whether it knows the words source and replica (MySQL 8.0.22)
   */
  constructor(server: SqlServer, { modern = false } = {}) {
    this.server = server;
    this.#modern = modern;
  }

  /** Follows a source from now on. */
  async start(options: ReplicateOptions): Promise<void> {
    const side = this.#modern ? "SOURCE" : "MASTER";
    const { port, from, password = "replpass" } = options;
    const settings = [
      `${side}_HOST = '127.0.0.1'`,
      `${side}_PORT = ${port}`,
      `${side}_USER = 'repl'`,
      `${side}_PASSWORD = '${password}'`,
      `${side}_CONNECT_RETRY = 1`,
      // As before MySQL 9, which gives up after ten: a test may restart its
      // source, which a busy machine does slowly.
      `${side}_RETRY_COUNT = 86400`,
      `${side}_HEARTBEAT_PERIOD = 1`,
      ...this.#modern ? ["SOURCE_SSL = 0"] : [],
      ...from === undefined ? [`${side}_AUTO_POSITION = 1`] : [
        `${side}_AUTO_POSITION = 0`,
        `${side}_LOG_FILE = '${from.fileName}'`,
        `${side}_LOG_POS = ${from.position}`,
      ],
      ...options.settings ?? [],
    ];
    await this.server.query(
      this.#modern
        ? `CHANGE REPLICATION SOURCE TO ${settings.join(", ")}`
        : `CHANGE MASTER TO ${settings.join(", ")}`,
    );
    await this.resume();
  }

  /** Goes on after {@linkcode stop}. */
  async resume(): Promise<void> {
    await this.server.query(this.#modern ? "START REPLICA" : "START SLAVE");
  }

  /** Stops; it can go on where it stopped. */
  async stop(): Promise<void> {
    await this.server.query(this.#modern ? "STOP REPLICA" : "STOP SLAVE");
  }

  /** Forgets its source, all data of the tests and all GTIDs. */
  async reset(): Promise<void> {
    await this.stop();
    await this.server.query(
      this.#modern ? "RESET REPLICA ALL" : "RESET SLAVE ALL",
    );
    await dropDatabases(this.server);
    await resetLog(this.server, { modern: this.#modern });
  }

  /** What it says about its replication. */
  async state(): Promise<ReplicaState> {
    const { columns, rows } = await this.server.query(
      this.#modern ? "SHOW REPLICA STATUS" : "SHOW SLAVE STATUS",
    );
    return Object.fromEntries(
      columns.map((name, index) => [name, rows[0]?.[index] ?? null]),
    );
  }

  /** Its fault, "number: text"; empty while it has none. */
  async fault(): Promise<string> {
    const state = await this.state();
    for (const part of ["IO", "SQL"]) {
      const number = state[`Last_${part}_Errno`];
      if (number !== "0" && number !== null) {
        return `${number}: ${state[`Last_${part}_Error`]}`;
      }
    }
    return "";
  }

  /** Whether its connection to the source is up. */
  async isConnected(): Promise<boolean> {
    const state = await this.state();
    return (state.Slave_IO_Running ?? state.Replica_IO_Running) === "Yes";
  }

  /** Waits until it has executed all these GTIDs; fails if it stops before. */
  async waitUntilHas(executed: string, deadlineMs = 60_000): Promise<void> {
    await waitUntil(`the replica had ${executed}`, async () => {
      const has = await valueOf(
        this.server,
        `SELECT GTID_SUBSET('${executed}', @@GLOBAL.gtid_executed)`,
      );
      if (has === "1") return true;
      await this.#checkRunning();
      return false;
    }, { deadlineMs, intervalMs: 50 });
  }

  /** Waits until it has executed all up to there; fails if it stops before. */
  async waitUntilAt(fileName: string, position: number): Promise<void> {
    await waitUntil(`the replica was at ${fileName}:${position}`, async () => {
      const state = await this.state();
      const side = this.#modern ? "Source" : "Master";
      const there = state[`Relay_${side}_Log_File`] === fileName &&
        state[`Exec_${side}_Log_Pos`] === String(position);
      if (there) return true;
      await this.#checkRunning();
      return false;
    }, { deadlineMs: 60_000, intervalMs: 50 });
  }

  /** Waits until it has stopped with a fault; answers that. */
  async waitUntilStopped(): Promise<string> {
    return await waitUntil("the replica stopped with a fault", async () => {
      const state = await this.state();
      const io = state.Slave_IO_Running ?? state.Replica_IO_Running;
      const fault = await this.fault();
      return io === "No" && fault !== "" ? fault : false;
    }, { intervalMs: 50 });
  }

  async #checkRunning(): Promise<void> {
    const state = await this.state();
    const stopped = (state.Slave_IO_Running ?? state.Replica_IO_Running) ===
        "No" ||
      (state.Slave_SQL_Running ?? state.Replica_SQL_Running) === "No";
    const fault = await this.fault();
    if (stopped && fault !== "") {
      throw new TypeError(`The replica has stopped: ${fault}`);
    }
  }
}

/** Removes all binlog files and forgets all GTIDs of a server. */
export async function resetLog(
  server: SqlServer,
  { modern = false } = {},
): Promise<void> {
  await server.query(modern ? "RESET BINARY LOGS AND GTIDS" : "RESET MASTER");
}
