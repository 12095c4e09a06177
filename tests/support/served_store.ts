import { silentLog } from "../../lib/log/log.ts";
import { BinlogServer } from "../../lib/server/binlog_server.ts";
import { LogDumpHandler } from "../../lib/server/dump.ts";
import type { BinlogStore } from "../../lib/store/binlog_store.ts";
import { REPLICATION_ACCOUNT } from "../../scripts/test_servers/mysql56.ts";

/** A binlog server of any store, which follows nothing. */
export class ServedStore implements AsyncDisposable {
  readonly #server: BinlogServer;
  readonly port: number;

  private constructor(server: BinlogServer) {
    this.#server = server;
    const { listen } = server.status();
    this.port = Number(listen.slice(listen.lastIndexOf(":") + 1));
  }

  /** Serves a store on a free port; the store stays the caller's. */
  static async start(store: BinlogStore): Promise<ServedStore> {
    const server = new BinlogServer({
      store,
      dumpHandler: new LogDumpHandler(store),
      log: silentLog(),
    });
    await server.start({
      hostname: "127.0.0.1",
      port: 0,
      accounts: [{
        name: REPLICATION_ACCOUNT.user,
        password: REPLICATION_ACCOUNT.password,
      }],
      identity: "own",
      connectionsMax: 10,
      loginTimeoutMs: 5000,
      drainTimeoutMs: 2000,
    });
    return new ServedStore(server);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#server.stop();
  }
}
