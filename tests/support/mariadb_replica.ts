import { parseMariadbGtidPosition } from "../../lib/gtid/mariadb_gtid_position.ts";
import { waitUntil } from "../../scripts/test_servers/wait_until.ts";
import {
  dropDatabases,
  type ReplicaState,
  resetLog,
  type SqlServer,
  TestReplica,
  valueOf,
} from "./sql_server.ts";

/** How a MariaDB replica follows. */
export interface MariadbReplicateOptions {
  /** Port of the source on 127.0.0.1. */
  readonly port: number;
  /** By GTID from the replica's own position if not given; else by file and position. */
  readonly from?: { readonly fileName: string; readonly position: number };
  /** More of what the statement says, such as `MASTER_SSL = 1`. */
  readonly settings?: readonly string[];
}

/** A MariaDB server that can be told to follow a source. */
export class MariadbReplica {
  readonly server: SqlServer;
  readonly #replica: TestReplica;

  constructor(server: SqlServer) {
    this.server = server;
    this.#replica = new TestReplica(server);
  }

  /** Follows a source from now on; after another one it goes on by GTID. */
  async start(options: MariadbReplicateOptions): Promise<void> {
    await this.change(options);
    await this.resume();
  }

  /** Names the source to follow. */
  async change(options: MariadbReplicateOptions): Promise<void> {
    const { port, from } = options;
    const settings = [
      "MASTER_HOST = '127.0.0.1'",
      `MASTER_PORT = ${port}`,
      "MASTER_USER = 'repl'",
      "MASTER_PASSWORD = 'replpass'",
      "MASTER_CONNECT_RETRY = 1",
      "MASTER_HEARTBEAT_PERIOD = 1",
      // From 11.4 on a replica insists on TLS as long as it is to verify.
      "MASTER_SSL_VERIFY_SERVER_CERT = 0",
      ...from === undefined ? ["MASTER_USE_GTID = slave_pos"] : [
        "MASTER_USE_GTID = no",
        `MASTER_LOG_FILE = '${from.fileName}'`,
        `MASTER_LOG_POS = ${from.position}`,
      ],
      ...options.settings ?? [],
    ];
    await this.server.query(`CHANGE MASTER TO ${settings.join(", ")}`);
  }

  /** Goes on after {@linkcode stop}. */
  resume(): Promise<void> {
    return this.#replica.resume();
  }

  /** Stops; it can go on where it stopped. */
  stop(): Promise<void> {
    return this.#replica.stop();
  }

  /** Forgets its source, all data of the tests and all GTIDs. */
  async reset(): Promise<void> {
    await this.server.query("STOP ALL SLAVES");
    await this.server.query("RESET SLAVE ALL");
    await dropDatabases(this.server);
    await resetLog(this.server);
    await this.server.query("SET GLOBAL gtid_slave_pos = ''");
  }

  /** What it says about its replication. */
  state(): Promise<ReplicaState> {
    return this.#replica.state();
  }

  /** Waits until it has stopped with a fault; answers that. */
  waitUntilStopped(): Promise<string> {
    return this.#replica.waitUntilStopped();
  }

  /** Waits until it has executed all up to there; fails if it stops before. */
  waitUntilAt(fileName: string, position: number): Promise<void> {
    return this.#replica.waitUntilAt(fileName, position);
  }

  /** Waits until it has executed all that a server has logged; fails if it stops before. */
  async waitUntilHasAllOf(source: SqlServer): Promise<void> {
    const wanted = await valueOf(source, "SELECT @@GLOBAL.gtid_binlog_pos");
    const position = parseMariadbGtidPosition(wanted);
    await waitUntil(`the replica had ${wanted}`, async () => {
      const has = parseMariadbGtidPosition(
        await valueOf(this.server, "SELECT @@GLOBAL.gtid_slave_pos"),
      );
      const isThere = position.every(({ domain, server, sequence }) =>
        has.some((gtid) =>
          gtid.domain === domain && gtid.server === server &&
          gtid.sequence === sequence
        )
      );
      if (isThere) return true;
      const fault = await this.#replica.fault();
      const state = await this.state();
      const runs = state.Slave_IO_Running !== "No" &&
        state.Slave_SQL_Running !== "No";
      if (!runs && fault !== "") {
        throw new TypeError(`The replica has stopped: ${fault}`);
      }
      return false;
    }, { deadlineMs: 60_000, intervalMs: 50 });
  }
}
