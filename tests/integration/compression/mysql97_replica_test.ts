import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { rigTest } from "../../../scripts/test_servers/rig.ts";
import { waitUntil } from "../../../scripts/test_servers/wait_until.ts";
import {
  makeSemiSyncReplica,
  semiSyncStatus,
} from "../../support/semi_sync_plugin.ts";
import { SharedMysql97 } from "../../support/shared_mysql97.ts";
import { assertSameFiles } from "../../support/source_file.ts";
import {
  checksumTables,
  executedOf,
  runAll,
  type SqlServer,
} from "../../support/sql_server.ts";
import { TestKingbus } from "../../support/test_kingbus.ts";
import { TEST_TABLE } from "../../support/test_table.ts";
import { MYSQL97_KINDS } from "../../support/transaction_kinds.ts";

const LARGE = "--max-allowed-packet=64M";
const sources = new SharedMysql97(9781, [LARGE]);
const replicas = new SharedMysql97(9782, [
  "--replica-max-allowed-packet=256M",
  LARGE,
]);

const BOTH = { compression: ["zlib", "zstd"] } as const;
const INSERT = "INSERT INTO test.t (data) VALUES (REPEAT('some text ', 300))";

/** How a replica asks for compression. */
function asking(algorithms: string, level?: number): string[] {
  return [
    `SOURCE_COMPRESSION_ALGORITHMS = '${algorithms}'`,
    ...level === undefined ? [] : [`SOURCE_ZSTD_COMPRESSION_LEVEL = ${level}`],
  ];
}

/** Compares the replica's rows with the source's once it has all of them. */
async function assertReplicated(
  source: SqlServer,
  server: SqlServer,
): Promise<void> {
  assertEquals(await checksumTables(server), await checksumTables(source));
}

const WAYS = [
  { algorithms: "zlib", uses: "zlib" },
  { algorithms: "zstd", level: 1, uses: "zstd" },
  { algorithms: "zstd", level: 3, uses: "zstd" },
  { algorithms: "zstd", level: 22, uses: "zstd" },
  { algorithms: "zlib,zstd", uses: "zlib" },
  { algorithms: "uncompressed", uses: undefined },
] as const;

for (const way of WAYS) {
  const level = "level" in way ? way.level : undefined;
  const name = `${way.algorithms}${level === undefined ? "" : ` ${level}`}`;
  await rigTest(
    `a MySQL 9.7 replica of kingbus with SOURCE_COMPRESSION_ALGORITHMS ${name} has all transactions`,
    ["mysql97", "mysql97-replica"],
    async () => {
      const source = await sources.asSource();
      const { server, replica } = await replicas.asReplica();
      await using kingbus = await TestKingbus.following(source, {
        server: BOTH,
      });
      await runAll(source, TEST_TABLE, ...Array<string>(50).fill(INSERT));
      await replica.start({
        port: kingbus.port,
        settings: asking(way.algorithms, level),
      });
      for (
        const statements of Object.values(MYSQL97_KINDS)
      ) {
        await source.run(...statements);
      }
      await replica.waitUntilHas(await executedOf(source));
      await assertReplicated(source, server);
      await assertSameFiles(kingbus, source.onDisk);
      const [status] = await kingbus.waitUntilDumping(1);
      assertEquals(status!.compression, way.uses);
      await replica.stop();
    },
  );
}

await rigTest(
  "a MySQL 9.7 replica takes events of 20 MB over compressed packets",
  ["mysql97", "mysql97-replica"],
  async () => {
    const source = await sources.asSource();
    const { server, replica } = await replicas.asReplica();
    await using kingbus = await TestKingbus.following(source, {
      server: BOTH,
    });
    await source.run(
      TEST_TABLE,
      "SET SESSION group_concat_max_len = 50000000",
      "SET SESSION cte_max_recursion_depth = 100000",
      // one that does not get shorter, and what is around 16 MiB
      `INSERT INTO test.t (data)
       WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20500)
       SELECT GROUP_CONCAT(RANDOM_BYTES(1000) SEPARATOR '') FROM n`,
    );
    for (const size of [16777126, 16777215, 16777216, 20_000_000]) {
      await source.query(
        `INSERT INTO test.t (data) VALUES (REPEAT('y', ${size}))`,
      );
    }
    for (const settings of [asking("zstd"), asking("zlib")]) {
      await replica.reset();
      await replica.start({ port: kingbus.port, settings });
      await replica.waitUntilHas(await executedOf(source));
      await assertReplicated(source, server);
      await replica.stop();
    }
  },
);

await rigTest(
  "a MySQL 9.7 replica gets heartbeats through compression, and goes on",
  ["mysql97", "mysql97-replica"],
  async () => {
    const source = await sources.asSource();
    const { replica } = await replicas.asReplica();
    await using kingbus = await TestKingbus.following(source, {
      server: BOTH,
    });
    await runAll(source, TEST_TABLE, INSERT);
    for (const settings of [asking("zstd"), asking("zlib")]) {
      await replica.start({ port: kingbus.port, settings });
      await replica.waitUntilHas(await executedOf(source));
      const [begun] = await kingbus.waitUntilDumping(1);
      const { connectionId, bytesSent } = begun!;
      await waitUntil("heartbeats had come", () => {
        const [now] = kingbus.replicas;
        return now !== undefined && now.bytesSent > bytesSent + 100n;
      });
      await source.query(INSERT);
      await replica.waitUntilHas(await executedOf(source));
      const [now] = await kingbus.waitUntilDumping(1);
      assertEquals(now!.connectionId, connectionId, "the same connection");
      await replica.stop();
    }
  },
);

await rigTest(
  "a semi-synchronous MySQL 9.7 replica acknowledges through compression",
  ["mysql97", "mysql97-replica"],
  async () => {
    const source = await sources.asSource();
    const { server, replica } = await replicas.asReplica();
    await makeSemiSyncReplica(server);
    await using kingbus = await TestKingbus.following(source, {
      server: { ...BOTH, semiSync: { replicas: 0, timeoutMs: 1000 } },
    });
    await source.run(TEST_TABLE);
    for (const settings of [asking("zstd"), asking("zlib")]) {
      await replica.start({ port: kingbus.port, settings });
      await replica.waitUntilHas(await executedOf(source));
      assertEquals((await semiSyncStatus(server)).status, "ON");
      const [begun] = await kingbus.waitUntilDumping(1);
      const { connectionId } = begun!;
      // single ones, and many at once, of which several are asked for in one buffer
      for (const batch of [1, 1, 40, 300, 2, 300]) {
        await source.run(...Array<string>(batch).fill(INSERT));
        await replica.waitUntilHas(await executedOf(source));
      }
      await waitUntil("all was acknowledged", () => {
        const acks = kingbus.replicas[0]?.acks;
        return acks !== undefined && acks.asked === acks.received &&
          acks.asked >= 600;
      });
      const [now] = await kingbus.waitUntilDumping(1);
      assertEquals(now!.connectionId, connectionId, "the same connection");
      assertEquals(await replica.fault(), "");
      await replica.stop();
    }
    await assertReplicated(source, server);
  },
);

await rigTest(
  "a MySQL 9.7 replica that asks for what is not offered is not served",
  ["mysql97", "mysql97-replica"],
  async () => {
    const source = await sources.asSource();
    const { replica } = await replicas.asReplica();
    await using kingbus = await TestKingbus.following(source, {
      server: { compression: ["zlib"] },
    });
    await runAll(source, TEST_TABLE, INSERT);
    await replica.start({ port: kingbus.port, settings: asking("zstd") });
    const fault = await waitUntil(
      "the replica says what is wrong",
      async () => (await replica.fault()) || false,
    );
    assertStringIncludes(fault, "ompression");
    assert(kingbus.replicas.every(({ state }) => state !== "dumping"));
    await replica.stop();
    // with another choice it falls back to what there is
    await replica.start({
      port: kingbus.port,
      settings: asking("zstd,uncompressed"),
    });
    await replica.waitUntilHas(await executedOf(source));
    const [status] = await kingbus.waitUntilDumping(1);
    assertEquals(status!.compression, undefined);
    await replica.stop();
  },
);
