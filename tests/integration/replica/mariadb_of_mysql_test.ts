import { assertEquals } from "@std/assert";
import { type RigPart, rigTest } from "../../../scripts/test_servers/rig.ts";
import { type MariadbRelease, startMariadb } from "../../support/mariadb.ts";
import { MariadbReplica } from "../../support/mariadb_replica.ts";
import { SharedSource56 } from "../../support/shared_mysql56.ts";
import { SharedMysql97 } from "../../support/shared_mysql97.ts";
import {
  executedOf,
  logEndOf,
  type SqlServer,
  valueOf,
} from "../../support/sql_server.ts";
import { type ServerAddress, TestKingbus } from "../../support/test_kingbus.ts";
import {
  TestAuthority,
  TestCertificateFolder,
} from "../../support/test_authority.ts";
import { waitUntil } from "../../../scripts/test_servers/wait_until.ts";
import { TEST_TABLE } from "../../support/test_table.ts";

/** Collations that both products know. */
const COLLATIONS = [
  "--character-set-server=utf8mb4",
  "--collation-server=utf8mb4_general_ci",
];

const sources97 = new SharedMysql97(9797, COLLATIONS);
const source56 = new SharedSource56();

const INSERT = "INSERT INTO test.t (data) VALUES ('x')";

for (const release of ["installed", "sid"] as const) {
  const part: RigPart = release === "sid" ? "mariadb-sid" : "mariadb";
  const version = release === "sid" ? "11.8" : "10.11";

  await rigTest(
    `a MariaDB ${version} replica follows a MySQL 9.7 source through kingbus by file and position`,
    ["mysql97", part],
    async () => {
      const source = await sources97.asSource();
      await using server = await startReplica(release);
      const replica = new MariadbReplica(server);
      await replica.reset();
      await source.run(
        TEST_TABLE,
        INSERT,
        "BEGIN",
        "UPDATE test.t SET data = REPEAT('y', 100000)",
        INSERT,
        "COMMIT",
        "FLUSH LOGS",
        INSERT,
      );
      await using kingbus = await TestKingbus.following(source);
      await kingbus.waitUntilHas(await executedOf(source));
      await replica.start({
        port: kingbus.port,
        from: { fileName: "binlog.000001", position: 4 },
      });
      await source.run("DELETE FROM test.t WHERE id = 1", INSERT);
      const { fileName, position } = await logEndOf(source);
      await replica.waitUntilAt(fileName, position);
      assertEquals(await rowsOf(server), await rowsOf(source));
      await replica.stop();
    },
  );

  await rigTest(
    `a MariaDB ${version} replica that asks by GTID falls back to positions at a MySQL log of kingbus as at the source`,
    [part],
    async () => {
      await source56.run(TEST_TABLE, INSERT, INSERT);
      await using kingbus = await TestKingbus.following(source56);
      await kingbus.waitUntilHas(await source56.executed());
      await using server = await startReplica(release);
      const replica = new MariadbReplica(server);
      const followed: unknown[] = [];
      const addresses: ServerAddress[] = [source56.server, kingbus];
      for (const { port } of addresses) {
        await replica.reset();
        await replica.start({ port });
        const { fileName, position } = await logEndOf(source56.server);
        await replica.waitUntilAt(fileName, position);
        const { Using_Gtid, Gtid_IO_Pos, Last_IO_Error } = await replica
          .state();
        followed.push({
          Using_Gtid,
          Gtid_IO_Pos,
          Last_IO_Error,
          position: await valueOf(server, "SELECT @@gtid_slave_pos"),
          rows: await rowsOf(server),
        });
        await replica.stop();
      }
      assertEquals(followed[1], followed[0]);
    },
  );
}

await rigTest(
  "a semi-synchronous MariaDB 11.8 replica follows a MySQL 5.6 log of kingbus over TLS, compressed",
  ["mariadb-sid"],
  async () => {
    // of 9.7 it would not know the variables of semi-synchronous replication
    const source = source56;
    await source.run(TEST_TABLE, INSERT);
    await using folder = await TestCertificateFolder.make();
    const authority = await TestAuthority.make("test authority");
    await using kingbus = await TestKingbus.following(source, {
      server: {
        tls: await folder.serverTls(authority, { required: true }),
        compression: ["zlib", "zstd"],
        semiSync: { replicas: 0, timeoutMs: 10_000 },
      },
    });
    await kingbus.waitUntilHas(await source.executed());
    await using server = await startMariadb(8120, [
      ...COLLATIONS,
      "--slave-compressed-protocol=1",
      "--rpl-semi-sync-slave-enabled=ON",
    ], "sid");
    const replica = new MariadbReplica(server);
    await replica.start({
      port: kingbus.port,
      from: { fileName: "binlog.000001", position: 4 },
      settings: ["MASTER_SSL = 1"],
    });
    const catchUp = async () => {
      const { fileName, position } = await logEndOf(source.server);
      await replica.waitUntilAt(fileName, position);
      return { fileName, position };
    };
    await catchUp();
    await source.run("UPDATE test.t SET data = REPEAT('y', 100000)", INSERT);
    const end = await catchUp();
    const acks = await waitUntil("it had acknowledged all", () => {
      const [dump] = kingbus.replicas;
      return dump?.acks?.position === end.position && dump.acks;
    });
    assertEquals([acks.received, acks.file], [2, end.fileName]);
    const [dump] = await kingbus.waitUntilDumping(1);
    assertEquals([dump!.tls?.version, dump!.compression], ["TLSv1.3", "zlib"]);
    assertEquals(await rowsOf(server), await rowsOf(source.server));
    await replica.stop();
  },
);

/** A MariaDB server whose databases are as those of the sources. */
function startReplica(release: MariadbRelease) {
  return startMariadb(8120, COLLATIONS, release);
}

async function rowsOf(server: SqlServer): Promise<unknown> {
  const sql = "SELECT id, SHA2(data, 256) FROM test.t ORDER BY id";
  return (await server.query(sql)).rows;
}
