/**
 * A program that serves a store to accounts of which it has only the SHA-1
 * secret, as after a move from `mysql_native_password`: who logs in with
 * `caching_sha2_password` has to send the password, encrypted. One JSON
 * `LoginServerInput` as its argument; prints its port, and stays until it is
 * killed.
 *
 * @module
 */

import { silentLog } from "../../lib/log/log.ts";
import { doubleSha1 } from "../../lib/protocol/auth.ts";
import { BinlogServer } from "../../lib/server/binlog_server.ts";
import { LogDumpHandler } from "../../lib/server/dump.ts";
import { openKvStore } from "../../lib/store/kv/open_kv_store.ts";
import { REPLICATION } from "./bench_source.ts";

/** What to serve. */
export interface LoginServerInput {
  /** Path of the store's database, which no process has open. */
  readonly database: string;
}

if (import.meta.main) {
  const input: LoginServerInput = JSON.parse(Deno.args[0] ?? "{}");
  const store = await openKvStore({ path: input.database });
  const server = new BinlogServer({
    store,
    dumpHandler: new LogDumpHandler(store),
    log: silentLog(),
  });
  await server.start({
    hostname: "127.0.0.1",
    port: 0,
    accounts: [{
      name: REPLICATION.user,
      doubleSha1: doubleSha1(REPLICATION.password),
    }],
    identity: "own",
    connectionsMax: 100,
    loginTimeoutMs: 10_000,
  });
  console.log(server.status().listen.split(":").at(-1));
}
