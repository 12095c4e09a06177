import { Mysql97 } from "./mysql97.ts";
import { dropDatabases, resetLog, TestReplica } from "./sql_server.ts";

/**
 * A MySQL 9.7 server that the tests of one file share: started by the first
 * test that needs it, so that a file whose tests are skipped starts none.
 */
export class SharedMysql97 {
  readonly #options: { serverId: number; extraArgs: string[] };
  #server: Promise<Mysql97> | undefined;

  /** Registers what ends it with the tests of this file. */
  constructor(serverId: number, extraArgs: string[] = []) {
    this.#options = { serverId, extraArgs };
    Deno.test.afterAll(async () => {
      await (await this.#server)?.[Symbol.asyncDispose]();
    });
  }

  /** The server as a source: empty, with an empty log. */
  async asSource(): Promise<Mysql97> {
    const server = await this.#running();
    await dropDatabases(server);
    await resetLog(server, { modern: true });
    return server;
  }

  /** The server as a replica that has nothing yet. */
  async asReplica(): Promise<{ server: Mysql97; replica: TestReplica }> {
    const server = await this.#running();
    const replica = new TestReplica(server, { modern: true });
    await replica.reset();
    return { server, replica };
  }

  async #running(): Promise<Mysql97> {
    this.#server ??= Mysql97.start(this.#options);
    const server = await this.#server;
    if (!server.running) await server.restart();
    return server;
  }
}
