import {
  ClientConnection,
  type QueryResult,
} from "../../lib/connection/client_connection.ts";
import { GtidSet } from "../../lib/gtid/gtid_set.ts";
import { startMysql56 } from "../test_servers/mysql56.ts";
import { Rig } from "../test_servers/rig.ts";
import { BenchError } from "./bench_error.ts";
import { loadSmallTransactions, prepareSchema } from "./small_transactions.ts";

/** An account on a server. */
export interface Account {
  readonly user: string;
  readonly password: string;
}

/** May read the binary log, on every source and on kingbus. */
export const REPLICATION: Account = { user: "repl", password: "replpass" };

/** May do everything on a source. */
export const APPLICATION: Account = { user: "app", password: "apppass" };

/** Where to read a binary log from. */
export interface LogServer {
  readonly hostname: string;
  readonly port: number;
}

/** A binary log, as its server lists it. */
export interface SourceLog {
  readonly firstFile: string;
  readonly lastFile: string;
  /** Size of the last file. */
  readonly lastPosition: number;
  /** Bytes of all files. */
  readonly bytes: number;
  readonly transactions: number;
}

/** Connections that load at the same time. */
const LOADERS = 4;

/** More bytes for a transaction than this, and they are not small. */
const SMALL_BYTES_MAX = 1000;

/** The server whose log is measured with. */
export class BenchSource implements LogServer, AsyncDisposable {
  readonly hostname: string;
  readonly port: number;
  /** Its `@@version`. */
  readonly version: string;
  readonly #control: ClientConnection;
  readonly #end: () => Promise<void>;
  #generalLog = false;

  private constructor(
    place: LogServer,
    version: string,
    control: ClientConnection,
    end: () => Promise<void>,
  ) {
    this.hostname = place.hostname;
    this.port = place.port;
    this.version = version;
    this.#control = control;
    this.#end = end;
  }

  /**
   * Finds a source or starts one.
   *
   * @param server Which; undefined: the rig's 9.7 if it answers, else 5.6.
   * @throws {BenchError} If the rig's was asked for and is not there.
   */
  static async open(server: "5.6" | "9.7" | undefined): Promise<BenchSource> {
    if (server !== "5.6") {
      const rig = await Rig.find(["mysql97"]);
      if (rig.missing.length === 0) {
        return await BenchSource.#attach(
          rig.server("mysql97"),
          () => Promise.resolve(),
        );
      }
      if (server === "9.7") throw new BenchError(rig.missing.join("; "));
    }
    const mysql = await startMysql56();
    const place = { hostname: "127.0.0.1", port: mysql.port };
    return await BenchSource.#attach(
      place,
      () => mysql[Symbol.asyncDispose](),
    );
  }

  static async #attach(
    place: LogServer,
    end: () => Promise<void>,
  ): Promise<BenchSource> {
    const { hostname, port } = place;
    const control = await ClientConnection.connect({
      hostname,
      port,
      ...APPLICATION,
    });
    const { rows } = await control.query("SELECT @@version, @@general_log");
    const source = new BenchSource(
      place,
      rows[0]?.[0] ?? "unknown",
      control,
      end,
    );
    if (rows[0]?.[1] === "1") await source.#setGeneralLog(false);
    return source;
  }

  /** Runs a statement on the one connection kept for that. */
  async query(statement: string): Promise<QueryResult> {
    return await this.#control.query(statement);
  }

  /** Opens another connection that may do everything. */
  async connect(): Promise<ClientConnection> {
    const { hostname, port } = this;
    return await ClientConnection.connect({ hostname, port, ...APPLICATION });
  }

  /** What its binary log is now. */
  async log(): Promise<SourceLog> {
    const { rows } = await this.query("SHOW BINARY LOGS");
    const files = rows.map(([name, size]) => ({
      name: name ?? "",
      size: Number(size),
    }));
    const first = files[0];
    const last = files.at(-1);
    if (first === undefined || last === undefined) {
      throw new BenchError("The source has no binary log");
    }
    const gtids = await this.query(
      "SELECT @@GLOBAL.gtid_executed, @@GLOBAL.gtid_purged",
    );
    const [executed, purged] = gtids.rows[0] ?? [];
    const held = GtidSet.parse(executed ?? "");
    held.removeSet(GtidSet.parse(purged ?? ""));
    return {
      firstFile: first.name,
      lastFile: last.name,
      lastPosition: last.size,
      bytes: files.reduce((sum, { size }) => sum + size, 0),
      transactions: Number(held.count()),
    };
  }

  /**
   * Sees to it that the log has so many bytes of small transactions; one that
   * has is left as it is.
   */
  async fill(
    bytes: number,
    progress: (missingBytes: number) => void,
  ): Promise<void> {
    const missing = async () => bytes - (await this.log()).bytes;
    await prepareSchema(this.#control);
    if (await missing() > 0) {
      const loaders = await Promise.all(
        Array.from({ length: LOADERS }, () => this.connect()),
      );
      try {
        await loadSmallTransactions(loaders, missing, progress);
      } finally {
        for (const loader of loaders) await loader.quit();
      }
    }
    const log = await this.log();
    if (log.bytes / log.transactions > SMALL_BYTES_MAX) {
      throw new BenchError(
        `The log of the source has ${log.bytes} bytes in ${log.transactions} transactions: those are not small; reset it`,
      );
    }
  }

  /** Leaves the server as it was found. */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      if (this.#generalLog) await this.#setGeneralLog(true);
      await this.#control.quit();
    } finally {
      await this.#end();
    }
  }

  async #setGeneralLog(on: boolean): Promise<void> {
    await this.query(`SET GLOBAL general_log = ${on ? "ON" : "OFF"}`);
    this.#generalLog = !on;
  }
}
