import type { LaunchedServer } from "./launched_server.ts";
import { startMysql97 } from "./mysql97.ts";
import { SharedServer } from "./shared_server.ts";
import { dropDatabases, resetLog, TestReplica } from "./sql_server.ts";

/** A MySQL 9.7 server that the tests of one file share. */
export class SharedMysql97 {
  readonly #shared: SharedServer;

  /** Registers what ends it with the tests of this file. */
  constructor(serverId: number, extraArgs: string[] = []) {
    this.#shared = new SharedServer(() => startMysql97(serverId, extraArgs));
  }

  /** The server as a source: empty, with an empty log. */
  async asSource(): Promise<LaunchedServer> {
    const server = await this.#shared.running();
    await dropDatabases(server);
    await resetLog(server, { modern: true });
    return server;
  }

  /** The server as a replica that has nothing yet. */
  async asReplica(): Promise<{ server: LaunchedServer; replica: TestReplica }> {
    const server = await this.#shared.running();
    const replica = new TestReplica(server, { modern: true });
    await replica.reset();
    return { server, replica };
  }
}
