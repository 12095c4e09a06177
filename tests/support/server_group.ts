import { ClientConnection } from "../../lib/connection/client_connection.ts";
import {
  REPLICATION_ACCOUNT,
  startMysql56,
} from "../../scripts/test_servers/mysql56.ts";
import { startMysql97 } from "./mysql97.ts";
import {
  dropDatabases,
  executedOf,
  resetLog,
  type SqlServer,
  TestReplica,
} from "./sql_server.ts";

/** A server that a test starts, stops and crashes. */
export interface GroupServer extends SqlServer, AsyncDisposable {
  readonly port: number;
  readonly running: boolean;
  connect(): Promise<ClientConnection>;
  kill(): Promise<void>;
  restart(): Promise<void>;
}

/** One server of a group. */
export class Member {
  readonly server: GroupServer;
  readonly replica: TestReplica;
  /** The folder with its binlog files. */
  readonly binlogFolder: string;
  readonly #modern: boolean;

  /**
   * @param server the server
   * @param binlogFolder the folder with its binlog files
   * @param modern whether it knows the words source and replica
   */
  constructor(server: GroupServer, binlogFolder: string, modern: boolean) {
    this.server = server;
    this.binlogFolder = binlogFolder;
    this.#modern = modern;
    this.replica = new TestReplica(server, { modern });
  }

  /** Its port. */
  get port(): number {
    return this.server.port;
  }

  /** GTIDs of all it has executed. */
  executed(): Promise<string> {
    return executedOf(this.server);
  }

  /** Runs statements in order. */
  async run(...statements: string[]): Promise<void> {
    for (const statement of statements) await this.server.query(statement);
  }

  /** Makes it a server of its own, as when it is promoted. */
  async promote(): Promise<void> {
    await this.replica.stop();
    await this.run(
      this.#modern ? "RESET REPLICA ALL" : "RESET SLAVE ALL",
      "SET GLOBAL read_only = OFF",
    );
  }

  /** Removes all binlog files and forgets all GTIDs. */
  async resetLog(): Promise<void> {
    await resetLog(this.server, { modern: this.#modern });
  }

  /** Makes it an empty server with an empty log; starts it if it is down. */
  async reset(): Promise<void> {
    if (!this.server.running) await this.server.restart();
    // A replica without TLS can log in only where the password is cached.
    await using _cached = await ClientConnection.connect({
      hostname: "127.0.0.1",
      port: this.port,
      ...REPLICATION_ACCOUNT,
    });
    await this.run("SET GLOBAL read_only = OFF");
    await this.replica.stop();
    await this.run(this.#modern ? "RESET REPLICA ALL" : "RESET SLAVE ALL");
    await dropDatabases(this.server);
    await this.resetLog();
  }
}

/** Starts one server of a generation. */
export type StartMember = (serverId: number) => Promise<Member>;

/** Starts a MySQL 5.6 server. */
export async function startMember56(serverId: number): Promise<Member> {
  const server = await startMysql56({ serverId });
  return new Member(server, `${server.dir}/data`, false);
}

/** Starts a MySQL 9.7 server of the rig. */
export async function startMember97(serverId: number): Promise<Member> {
  const server = await startMysql97(serverId);
  return new Member(server, server.onDisk.binlogFolder, true);
}

/**
 * Three servers that the tests of one file share: a source, a replica of it
 * that can take its place, and a replica for kingbus. The first test that needs
 * them starts them.
 */
export class ServerGroup {
  readonly #start: StartMember;
  readonly #firstId: number;
  #members: Promise<Member[]> | undefined;

  /**
   * Registers what ends them with the tests of this file.
   *
   * @param firstId their server ids go on from there
   */
  constructor(start: StartMember, firstId: number) {
    this.#start = start;
    this.#firstId = firstId;
    Deno.test.afterAll(async () => {
      for (const { server } of await this.#members ?? []) {
        await server[Symbol.asyncDispose]();
      }
    });
  }

  /** The three, each empty and alone. */
  async fresh(): Promise<{ a: Member; b: Member; c: Member }> {
    this.#members ??= this.#startAll();
    const members = await this.#members;
    for (const member of members) await member.reset();
    const [a, b, c] = members;
    return { a: a!, b: b!, c: c! };
  }

  async #startAll(): Promise<Member[]> {
    const ids = [0, 1, 2].map((offset) => this.#firstId + offset);
    return await Promise.all(ids.map((id) => this.#start(id)));
  }
}
