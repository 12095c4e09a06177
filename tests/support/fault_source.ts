import type { QueryResult } from "../../lib/connection/client_connection.ts";
import type { LaunchedServer } from "./launched_server.ts";
import type { SharedSource56 } from "./shared_mysql56.ts";
import type { SourceOnDisk } from "./source_file.ts";
import { executedOf, type SqlServer, valueOf } from "./sql_server.ts";

/** A source of any version, with all that can happen to one. */
export interface FaultSource extends SqlServer {
  /** How its version is told from others. */
  readonly title: "MySQL 5.6" | "MySQL 9.7";
  readonly port: number;
  readonly onDisk: SourceOnDisk;
  /** The statement that resets its log. */
  readonly resetSql: string;
  query(sql: string): Promise<QueryResult>;
  /** Runs statements in order. */
  run(...statements: string[]): Promise<void>;
  /** GTIDs of all it has executed. */
  executed(): Promise<string>;
  /** Its UUID. */
  uuid(): Promise<string>;
  /** Shuts it down in order. */
  stop(): Promise<void>;
  /** Ends it as a crash does. */
  kill(): Promise<void>;
  /** Starts it again, with more arguments this time if given. */
  restart(args?: string[]): Promise<void>;
}

/** The 5.6 server of a test file. */
export function faultSource56(shared: SharedSource56): FaultSource {
  return {
    title: "MySQL 5.6",
    port: shared.port,
    onDisk: shared.onDisk,
    resetSql: "RESET MASTER",
    query: (sql) => shared.server.query(sql),
    run: (...statements) => shared.run(...statements),
    executed: () => shared.executed(),
    uuid: () => Promise.resolve(shared.server.uuid),
    stop: () => shared.server.stop(),
    kill: () => shared.server.kill(),
    restart: (args = []) => shared.server.restart(args),
  };
}

/** A 9.7 server. */
export function faultSource97(server: LaunchedServer): FaultSource {
  return {
    title: "MySQL 9.7",
    port: server.port,
    onDisk: server.onDisk,
    resetSql: "RESET BINARY LOGS AND GTIDS",
    query: (sql) => server.query(sql),
    run: (...statements) => server.run(...statements),
    executed: () => executedOf(server),
    uuid: () => valueOf(server, "SELECT @@GLOBAL.server_uuid"),
    stop: () => server.stop(),
    kill: () => server.kill(),
    restart: (args) => server.restart(args),
  };
}
