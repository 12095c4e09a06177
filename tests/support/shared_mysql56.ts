import {
  type Mysql56,
  startMysql56,
} from "../../scripts/test_servers/mysql56.ts";
import type { SourceOnDisk } from "./source_file.ts";
import {
  dropDatabases,
  executedOf,
  resetLog,
  TestReplica,
} from "./sql_server.ts";

/**
 * A MySQL 5.6 source that the tests of one file share: started before the first
 * one, as good as new before each.
 */
export class SharedSource56 {
  readonly #extraArgs: string[];
  #server: Mysql56 | undefined;

  /** Registers what starts, resets and ends it with the tests of this file. */
  constructor(extraArgs: string[] = []) {
    this.#extraArgs = extraArgs;
    Deno.test.beforeAll(async () => {
      this.#server = await startMysql56({ extraArgs: this.#extraArgs });
    });
    Deno.test.beforeEach(() => this.reset());
    Deno.test.afterAll(() => this.#server?.[Symbol.asyncDispose]());
  }

  /** The server. */
  get server(): Mysql56 {
    if (this.#server === undefined) throw new TypeError("Not started yet");
    return this.#server;
  }

  /** Its port. */
  get port(): number {
    return this.server.port;
  }

  /** Its files. */
  get onDisk(): SourceOnDisk {
    return { server: this.server, binlogFolder: `${this.server.dir}/data` };
  }

  /** GTIDs of all it has executed. */
  executed(): Promise<string> {
    return executedOf(this.server);
  }

  /** Runs statements in order. */
  async run(...statements: string[]): Promise<void> {
    for (const statement of statements) await this.server.query(statement);
  }

  /** Makes it an empty server with an empty log; starts it if it is down. */
  async reset(): Promise<void> {
    if (!this.server.running) await this.server.restart();
    await dropDatabases(this.server);
    await resetLog(this.server);
  }
}

/** A MySQL 5.6 replica that the tests of one file share. */
export class SharedReplica56 {
  #server: Mysql56 | undefined;
  #replica: TestReplica | undefined;

  /** Registers what starts, resets and ends it with the tests of this file. */
  constructor(extraArgs: string[] = []) {
    Deno.test.beforeAll(async () => {
      this.#server = await startMysql56({ role: "replica", extraArgs });
      this.#replica = new TestReplica(this.#server);
    });
    Deno.test.beforeEach(async () => {
      if (!this.server.running) await this.server.restart();
      await this.replica.reset();
    });
    Deno.test.afterAll(() => this.#server?.[Symbol.asyncDispose]());
  }

  /** The server. */
  get server(): Mysql56 {
    if (this.#server === undefined) throw new TypeError("Not started yet");
    return this.#server;
  }

  /** Its replication. */
  get replica(): TestReplica {
    if (this.#replica === undefined) throw new TypeError("Not started yet");
    return this.#replica;
  }
}
