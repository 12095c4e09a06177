import { assertEquals } from "@std/assert";
import { rigTest } from "../../../scripts/test_servers/rig.ts";
import { waitUntil } from "../../../scripts/test_servers/wait_until.ts";
import { RawCopy } from "../../support/raw_copy.ts";
import {
  makeSemiSyncReplica,
  makeSemiSyncSource,
  semiSyncStatus,
} from "../../support/semi_sync_plugin.ts";
import { SharedMysql97 } from "../../support/shared_mysql97.ts";
import {
  assertSameBytes,
  assertSameFiles,
  readSourceFile,
} from "../../support/source_file.ts";
import {
  checksumTables,
  executedOf,
  logEndOf,
} from "../../support/sql_server.ts";
import {
  TestAuthority,
  TestCertificateFolder,
} from "../../support/test_authority.ts";
import { TestKingbus } from "../../support/test_kingbus.ts";
import { TEST_TABLE } from "../../support/test_table.ts";
import { MYSQL97_KINDS } from "../../support/transaction_kinds.ts";

const LARGE = "--max-allowed-packet=64M";
const sources = new SharedMysql97(9785, [LARGE]);
const replicas = new SharedMysql97(9786, [
  LARGE,
  "--replica-max-allowed-packet=256M",
]);
const authority = await TestAuthority.make("test authority");

const BOTH = { compression: ["zlib", "zstd"] } as const;
const INSERT = "INSERT INTO test.t (data) VALUES (REPEAT('some text ', 300))";
const LARGE_INSERT = "INSERT INTO test.t (data) VALUES (REPEAT('y', 20000000))";
const KINDS = Object.values(MYSQL97_KINDS).flat();

for (const algorithm of ["zlib", "zstd"]) {
  await rigTest(
    `a semi-synchronous MySQL 9.7 replica follows kingbus with ${algorithm} inside TLS`,
    ["mysql97", "mysql97-replica"],
    async () => {
      const source = await sources.asSource();
      const { server, replica } = await replicas.asReplica();
      await makeSemiSyncReplica(server);
      await using folder = await TestCertificateFolder.make();
      const tls = await folder.serverTls(authority);
      await using kingbus = await TestKingbus.following(source, {
        server: { ...BOTH, tls, semiSync: { replicas: 0, timeoutMs: 1000 } },
      });
      await source.run(TEST_TABLE, ...Array<string>(50).fill(INSERT));
      await replica.start({
        port: kingbus.port,
        settings: [
          "SOURCE_SSL = 1",
          `SOURCE_COMPRESSION_ALGORITHMS = '${algorithm}'`,
        ],
      });
      await replica.waitUntilHas(await executedOf(source));
      const [begun] = await kingbus.waitUntilDumping(1);
      await source.run(LARGE_INSERT, ...KINDS);
      for (const batch of [1, 100]) {
        await source.run(...Array<string>(batch).fill(INSERT));
      }
      await replica.waitUntilHas(await executedOf(source));
      assertEquals(await checksumTables(server), await checksumTables(source));
      await assertSameFiles(kingbus, source.onDisk);
      const { fileName, position } = await logEndOf(source);
      await waitUntil("the replica has acknowledged all", () => {
        const acks = kingbus.replicas[0]?.acks;
        return acks?.file === fileName && acks.position === position;
      });
      const [status] = await kingbus.waitUntilDumping(1);
      assertEquals(status!.connectionId, begun!.connectionId);
      assertEquals(status!.compression, algorithm);
      assertEquals(status!.tls?.version, "TLSv1.3");
      await replica.stop();
    },
  );

  await rigTest(
    `kingbus follows a semi-synchronous MySQL 9.7 source with ${algorithm} inside TLS`,
    ["mysql97"],
    async () => {
      const source = await sources.asSource();
      await source.run(TEST_TABLE);
      await using _semiSync = await makeSemiSyncSource(source);
      await using kingbus = await TestKingbus.following(source, {
        source: {
          semiSync: true,
          tls: { mode: "required", files: {} },
          compression: {
            algorithm: algorithm === "zlib" ? "zlib" : "zstd",
            level: algorithm === "zlib" ? 6 : 3,
          },
        },
      });
      await kingbus.waitUntilHas(await executedOf(source));
      await kingbus.waitUntilState("following");
      const { connectedAt } = kingbus.status;
      await source.run(...Array<string>(100).fill(INSERT), LARGE_INSERT);
      await source.run(...KINDS, "FLUSH LOGS", INSERT);
      assertEquals((await semiSyncStatus(source)).no_tx, "0");
      await kingbus.waitUntilHas(await executedOf(source));
      await assertSameFiles(kingbus, source.onDisk);
      assertEquals(kingbus.status.connectedAt, connectedAt);
      assertEquals(kingbus.status.source?.compression, algorithm);
    },
  );

  await rigTest(
    `mysqlbinlog copies files of kingbus byte for byte with ${algorithm} inside TLS`,
    ["mysql97", "mysqlbinlog"],
    async (rig) => {
      const source = await sources.asSource();
      await source.run(TEST_TABLE, INSERT, LARGE_INSERT, ...KINDS);
      await using folder = await TestCertificateFolder.make();
      const tls = await folder.serverTls(authority);
      await using kingbus = await TestKingbus.following(source, {
        server: { ...BOTH, tls },
      });
      await kingbus.waitUntilHas(await executedOf(source));
      for (const version of ["TLSv1.2", "TLSv1.3"]) {
        const program = rig.program("mysqlbinlog");
        await using copy = await RawCopy.open(program, kingbus.port);
        await copy.run(
          "--ssl-mode=REQUIRED",
          `--tls-version=${version}`,
          `--compression-algorithms=${algorithm}`,
          "--read-from-remote-server",
          "binlog.000001",
        );
        const bytes = copy.files().get("binlog.000001")!;
        const expected = await readSourceFile(source.onDisk, "binlog.000001");
        assertSameBytes("binlog.000001", bytes, expected);
      }
    },
  );
}
