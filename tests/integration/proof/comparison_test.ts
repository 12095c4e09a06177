import { AssertionError, assertRejects } from "@std/assert";
import { encodeBinlogDump } from "../../../lib/protocol/command.ts";
import { REPLICATION_ACCOUNT } from "../../../scripts/test_servers/mysql56.ts";
import {
  assertSameConversations,
  type ClientRun,
} from "../../support/recorded_pair.ts";
import { ScriptedClient } from "../../support/scripted_client.ts";
import { SharedSource56 } from "../../support/shared_mysql56.ts";
import { executedOf, runAll } from "../../support/sql_server.ts";
import { TestKingbus } from "../../support/test_kingbus.ts";

const source = new SharedSource56();

/** Asks what it is told to, and takes the log. */
function asking(...statements: string[]): (run: ClientRun) => Promise<void> {
  return async ({ address }) => {
    using client = await ScriptedClient.open(address, REPLICATION_ACCOUNT, 0);
    for (const statement of statements) await client.query(statement);
    await client.send(encodeBinlogDump({
      flags: 1,
      serverId: 0,
      fileName: "",
      position: 4,
    }));
    await client.drain();
  };
}

const QUIET = "SET @master_binlog_checksum = 'NONE'";

async function openKingbus(identity: "own" | "source"): Promise<TestKingbus> {
  await runAll(
    source.server,
    "CREATE TABLE test.t (id INT PRIMARY KEY)",
    "INSERT INTO test.t VALUES (1)",
  );
  const kingbus = await TestKingbus.following(source, { server: { identity } });
  await kingbus.waitUntilHas(await executedOf(source.server));
  return kingbus;
}

Deno.test("a comparison of conversations finds nothing where there is nothing", async () => {
  await using kingbus = await openKingbus("source");
  const client = asking(QUIET, "SELECT @@server_id");
  await assertSameConversations({ kingbus, source: source.server, client });
});

Deno.test("a comparison of conversations finds another value in an answer", async () => {
  await using kingbus = await openKingbus("own");
  const client = asking(QUIET, "SELECT @@server_id");
  await assertRejects(
    () => assertSameConversations({ kingbus, source: source.server, client }),
    AssertionError,
    "SELECT @@server_id",
  );
});

Deno.test("a comparison of conversations finds another byte in a dump", async () => {
  // only the server id in the artificial rotate differs
  await using kingbus = await openKingbus("own");
  const client = asking(QUIET);
  await assertRejects(
    () => assertSameConversations({ kingbus, source: source.server, client }),
    AssertionError,
    "packet 1: Rotate",
  );
});

Deno.test("a comparison of conversations finds a transaction that is missing", async () => {
  await using kingbus = await openKingbus("source");
  await kingbus.syncer.stop();
  await source.run("INSERT INTO test.t VALUES (2)");
  const client = asking(QUIET);
  await assertRejects(
    () => assertSameConversations({ kingbus, source: source.server, client }),
    AssertionError,
    "Xid",
  );
});

Deno.test("a comparison of conversations finds an error in place of an answer", async () => {
  await using kingbus = await openKingbus("source");
  // MySQL adds numbers; a binlog server does not
  const client = asking(QUIET, "SELECT 1 + 1");
  await assertRejects(
    () => assertSameConversations({ kingbus, source: source.server, client }),
    AssertionError,
    "1064",
  );
});
