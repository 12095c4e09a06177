import { assert, assertEquals } from "@std/assert";
import { ClientConnection } from "../../../lib/connection/client_connection.ts";
import { REPLICATION_ACCOUNT } from "../../../scripts/test_servers/mysql56.ts";
import { rigTest } from "../../../scripts/test_servers/rig.ts";
import { assertSameConversations } from "../../support/recorded_pair.ts";
import type { LaunchedServer } from "../../support/launched_server.ts";
import { SharedMysql97 } from "../../support/shared_mysql97.ts";
import {
  checksumTables,
  executedOf,
  logEndOf,
  type TestReplica,
} from "../../support/sql_server.ts";
import { TestKingbus } from "../../support/test_kingbus.ts";
import { TEST_TABLE } from "../../support/test_table.ts";
import {
  MODERN_KINDS,
  TRANSACTION_KINDS,
} from "../../support/transaction_kinds.ts";

const sources = new SharedMysql97(9763);
const replicas = new SharedMysql97(9764);

/** A source with transactions of all kinds in three files. */
async function openSource(): Promise<LaunchedServer> {
  const source = await sources.asSource();
  await source.run(
    TEST_TABLE,
    "INSERT INTO test.t (data) VALUES ('one'), ('two')",
    ...Object.entries(TRANSACTION_KINDS)
      .filter(([kind]) => !kind.includes("megabytes"))
      .flatMap(([, statements]) => statements),
    "FLUSH LOGS",
    ...Object.values(MODERN_KINDS).flat(),
    "FLUSH LOGS",
    "INSERT INTO test.t (data) VALUES ('last')",
  );
  return source;
}

for (const mode of ["GTID", "position"] as const) {
  await rigTest(
    `a MySQL 9.7 replica by ${mode} says and hears the same at kingbus and at the source, packet by packet`,
    ["mysql97"],
    async () => {
      const source = await openSource();
      let { server, replica } = await replicas.asReplica();
      await using kingbus = await TestKingbus.following(source, {
        server: { identity: "source" },
      });
      const { fileName, position } = await logEndOf(source);
      await kingbus.waitUntilAt(fileName, position);
      // a replica without TLS can log in only where the password is cached
      await using _cached = await ClientConnection.connect({
        hostname: "127.0.0.1",
        port: source.port,
        ...REPLICATION_ACCOUNT,
      });
      const expected = await checksumTables(source);
      const found = await assertSameConversations({
        kingbus,
        source,
        client: async ({ address, sentAll }) => {
          await follow(replica, address.port, mode);
          await sentAll();
          await replica.waitUntilHas(await executedOf(source));
          assertEquals(await checksumTables(server), expected);
          await replica.stop();
        },
        between: async () => {
          ({ server, replica } = await replicas.asReplica());
        },
      });
      assert(found.has("connection-id"));
    },
  );
}

async function follow(
  replica: TestReplica,
  port: number,
  mode: "GTID" | "position",
): Promise<void> {
  await replica.start({
    port,
    ...mode === "GTID"
      ? {}
      : { from: { fileName: "binlog.000001", position: 4 } },
  });
}
