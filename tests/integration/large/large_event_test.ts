import { assert, assertEquals } from "@std/assert";
import { type Rig, rigTest } from "../../../scripts/test_servers/rig.ts";
import { insertRandom, insertValue } from "../../support/large_rows.ts";
import type { LaunchedServer } from "../../support/launched_server.ts";
import { RawCopy } from "../../support/raw_copy.ts";
import { SharedMysql97 } from "../../support/shared_mysql97.ts";
import { assertSameBytes, readSourceFile } from "../../support/source_file.ts";
import { executedOf, logEndOf, valueOf } from "../../support/sql_server.ts";
import { TestKingbus } from "../../support/test_kingbus.ts";

/**
 * Size of the event. Up to 1073, which is the most there can be: then it takes
 * minutes, and 10 GB of disk.
 */
const MEGABYTES = Number(Deno.env.get("KINGBUS_LARGE_MEGABYTES") ?? 40);

/** What a replica may take for it on a busy machine. */
const REPLICA_MS = 60_000 + 300 * MEGABYTES;

const PACKET = ["--max-allowed-packet=1G", "--max-binlog-size=1G"];
const sources = new SharedMysql97(9764, PACKET);
const replicas = new SharedMysql97(9765, [
  ...PACKET,
  "--replica-max-allowed-packet=1G",
]);

const FILE = "binlog.000001";

/** Transactions with one large event. */
const LARGE: Record<string, { type: string; statements: string[] }> = {
  "a rows event": {
    type: "Write_rows",
    statements: [insertValue(MEGABYTES * 1e6 - 100)],
  },
  "a compressed transaction": {
    type: "Transaction_payload",
    statements: [
      "SET SESSION cte_max_recursion_depth = 4294967295",
      "SET SESSION group_concat_max_len = 1073741824",
      "SET SESSION binlog_transaction_compression = ON",
      // A little of it can be compressed, else it would not be.
      `${insertRandom(Math.floor(MEGABYTES * 980))}`,
      "SET SESSION binlog_transaction_compression = OFF",
    ],
  },
};

for (const [what, { type, statements }] of Object.entries(LARGE)) {
  await rigTest(
    `${what} of ${MEGABYTES} MB comes to everyone through kingbus`,
    ["mysql97", "mysql97-replica", "mysqlbinlog"],
    async (rig, context) => {
      const source = await sources.asSource();
      await source.run(
        "CREATE TABLE test.large (id INT, data LONGBLOB) ENGINE = BLACKHOLE",
        insertValue(10),
        ...statements,
        insertValue(10),
      );
      const { rows } = await source.query("SHOW BINLOG EVENTS");
      const sizes = rows.filter(([, , name]) => name === type)
        .map(([, start, , , end]) => Number(end) - Number(start));
      assert(Math.max(...sizes) > MEGABYTES * 0.97e6, `${sizes}`);
      await using kingbus = await TestKingbus.following(source);
      const { fileName, position } = await logEndOf(source);
      assertEquals(fileName, FILE);
      await kingbus.waitUntilAt(fileName, position);
      for (const how of ["BINLOG-DUMP-NON-GTIDS", "BINLOG-DUMP-GTIDS"]) {
        await context.step(
          `to mysqlbinlog --raw, ${how}`,
          () => assertCopied(rig, kingbus.port, source, how),
        );
      }
      await context.step("through a second kingbus", async () => {
        await using second = await TestKingbus.following(kingbus);
        await second.waitUntilAt(fileName, position);
        await assertCopied(rig, second.port, source, "BINLOG-DUMP-GTIDS");
      });
      const uuid = await valueOf(source, "SELECT @@server_uuid");
      for (const gtids of ["", `${uuid}:1-2`]) {
        await context.step(
          `to a MySQL 9.7 replica that has ${gtids || "nothing"}`,
          async () => {
            const { server, replica } = await replicas.asReplica();
            if (gtids !== "") {
              await server.run(
                `SET GLOBAL gtid_purged = '${gtids}'`,
                "SET SESSION sql_log_bin = 0",
                "CREATE TABLE test.large (id INT, data LONGBLOB) ENGINE = BLACKHOLE",
                "SET SESSION sql_log_bin = 1",
              );
            }
            await replica.start({ port: kingbus.port });
            const executed = await executedOf(source);
            await replica.waitUntilHas(executed, REPLICA_MS);
          },
        );
      }
    },
  );
}

async function assertCopied(
  rig: Rig,
  port: number,
  source: LaunchedServer,
  how: string,
): Promise<void> {
  await using copy = await RawCopy.open(rig.program("mysqlbinlog"), port);
  await copy.run(`--read-from-remote-source=${how}`, FILE);
  const bytes = copy.files().get(FILE);
  assert(bytes !== undefined);
  assertSameBytes(FILE, bytes, await readSourceFile(source.onDisk, FILE));
}
