import type { LaunchedServer } from "./launched_server.ts";

/**
 * A server that the tests of one file share: started by the first test that
 * needs it, so that a file whose tests are all skipped starts none.
 */
export class SharedServer {
  readonly #start: () => Promise<LaunchedServer>;
  #server: Promise<LaunchedServer> | undefined;

  /** Registers what ends it with the tests of this file. */
  constructor(start: () => Promise<LaunchedServer>) {
    this.#start = start;
    Deno.test.afterAll(async () => {
      await (await this.#server)?.[Symbol.asyncDispose]();
    });
  }

  /** The server, started if it was not or is down. */
  async running(): Promise<LaunchedServer> {
    this.#server ??= this.#start();
    const server = await this.#server;
    if (!server.running) await server.restart();
    return server;
  }
}
