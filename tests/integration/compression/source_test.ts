import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { Compression } from "../../../lib/protocol/compression.ts";
import { rigTest } from "../../../scripts/test_servers/rig.ts";
import { waitUntil } from "../../../scripts/test_servers/wait_until.ts";
import { startMariadb } from "../../support/mariadb.ts";
import { checkpointed } from "../../support/mariadb_checkpoint.ts";
import {
  makeSemiSyncSource,
  semiSyncStatus,
} from "../../support/semi_sync_plugin.ts";
import { SharedSource56 } from "../../support/shared_mysql56.ts";
import { SharedMysql97 } from "../../support/shared_mysql97.ts";
import { readFile } from "../../support/read_stored_file.ts";
import { assertSameBytes, assertSameFiles } from "../../support/source_file.ts";
import { executedOf, logEndOf, valueOf } from "../../support/sql_server.ts";
import { TestKingbus } from "../../support/test_kingbus.ts";
import { TEST_TABLE } from "../../support/test_table.ts";
import {
  MYSQL97_KINDS,
  TRANSACTION_KINDS,
} from "../../support/transaction_kinds.ts";

const LARGE = "--max-allowed-packet=64M";
const sources = new SharedMysql97(9783, [LARGE]);
const source56 = new SharedSource56([LARGE]);

const ZLIB: Compression = { algorithm: "zlib", level: 6 };
const ZSTD: Compression = { algorithm: "zstd", level: 3 };
const INSERT = "INSERT INTO test.t (data) VALUES (REPEAT('some text ', 300))";
/** Of 20 MB, and what is around 16 MiB. */
const LARGE_INSERTS = [16_777_126, 16_777_215, 16_777_216, 20_000_000].map(
  (size) => `INSERT INTO test.t (data) VALUES (REPEAT('y', ${size}))`,
);

/** Bytes that the source has sent to all clients, compressed ones as sent. */
async function sentBy(
  source: Parameters<typeof valueOf>[0],
): Promise<number> {
  const { rows } = await source.query("SHOW GLOBAL STATUS LIKE 'Bytes_sent'");
  return Number(rows[0]?.[1]);
}

for (const compression of [ZLIB, ZSTD]) {
  const { algorithm } = compression;
  await rigTest(
    `kingbus follows MySQL 9.7 with source.compression ${algorithm}, byte for byte`,
    ["mysql97"],
    async () => {
      const source = await sources.asSource();
      await source.run(TEST_TABLE, ...Array<string>(200).fill(INSERT));
      const before = await sentBy(source);
      await using kingbus = await TestKingbus.following(source, {
        source: { compression },
      });
      await kingbus.waitUntilHas(await executedOf(source));
      const sent = await sentBy(source) - before;
      assert(sent < 200_000, `${sent} bytes for some 600 KB: not compressed`);
      for (
        const statements of Object.values(MYSQL97_KINDS)
      ) {
        await source.run(...statements);
      }
      await source.run(...LARGE_INSERTS, "FLUSH LOGS", INSERT);
      await kingbus.waitUntilHas(await executedOf(source));
      await assertSameFiles(kingbus, source.onDisk);
      assertEquals(kingbus.status.source?.compression, algorithm);
      // heartbeats come through, and the connection lives on
      const { connectedAt, heardAt } = kingbus.status;
      await waitUntil("a heartbeat had come", () => {
        return kingbus.status.heardAt! > new Date(heardAt!.getTime() + 900);
      });
      assertEquals(kingbus.status.connectedAt, connectedAt);
    },
  );

  await rigTest(
    `a semi-synchronous MySQL 9.7 source gets acknowledgements compressed with ${algorithm}`,
    ["mysql97"],
    async () => {
      const source = await sources.asSource();
      await source.run(TEST_TABLE);
      await using _semiSync = await makeSemiSyncSource(source);
      await using kingbus = await TestKingbus.following(source, {
        source: { compression, semiSync: true },
      });
      await kingbus.waitUntilHas(await executedOf(source));
      await kingbus.waitUntilState("following");
      const { connectedAt } = kingbus.status;
      const before = await semiSyncStatus(source);
      for (let n = 0; n < 300; n++) await source.query(INSERT);
      const [large] = LARGE_INSERTS;
      await source.run(large!, INSERT, "FLUSH LOGS", INSERT);
      const after = await semiSyncStatus(source);
      assertEquals([after.clients, after.status], ["1", "ON"]);
      assertEquals(Number(after.yes_tx) - Number(before.yes_tx), 303);
      assertEquals(after.no_tx, before.no_tx);
      assertEquals(kingbus.status.connectedAt, connectedAt);
      await kingbus.waitUntilHas(await executedOf(source));
      await assertSameFiles(kingbus, source.onDisk);
    },
  );
}

Deno.test("kingbus follows MySQL 5.6 with source.compression zlib, byte for byte", async () => {
  await source56.run(TEST_TABLE, ...Array<string>(200).fill(INSERT));
  const before = await sentBy(source56.server);
  await using kingbus = await TestKingbus.following(source56, {
    source: { compression: ZLIB },
  });
  await kingbus.waitUntilHas(await source56.executed());
  const sent = await sentBy(source56.server) - before;
  assert(sent < 200_000, `${sent} bytes for some 600 KB: not compressed`);
  for (const statements of Object.values(TRANSACTION_KINDS)) {
    await source56.run(...statements);
  }
  await source56.run(
    // its redo log has no room for such rows
    "CREATE TABLE test.large_rows (data LONGBLOB) ENGINE = MyISAM",
    ...LARGE_INSERTS.map((sql) => sql.replace("test.t", "test.large_rows")),
    "FLUSH LOGS",
    INSERT,
  );
  await kingbus.waitUntilHas(await source56.executed());
  await assertSameFiles(kingbus, source56.onDisk);
});

Deno.test("kingbus does not follow a source without the compression it is to use", async () => {
  await using kingbus = await TestKingbus.following(source56, {
    source: { compression: ZSTD },
  });
  const { reason } = await kingbus.waitUntilCause("unsuitable");
  assertStringIncludes(reason!, "does not offer compression with zstd");
  assertStringIncludes(reason!, "source.compression");
});

await rigTest(
  "kingbus does not follow MySQL 9.7 whose protocol_compression_algorithms lack it",
  ["mysql97"],
  async () => {
    const source = await sources.asSource();
    await source.run(
      "SET GLOBAL protocol_compression_algorithms = 'zlib,uncompressed'",
    );
    try {
      await using kingbus = await TestKingbus.following(source, {
        source: { compression: ZSTD },
      });
      await kingbus.waitUntilCause("unsuitable");
      await source.run(TEST_TABLE);
      await kingbus.syncer.stop();
      await kingbus.follow(source, { compression: ZLIB });
      await kingbus.waitUntilHas(await executedOf(source));
    } finally {
      await source.run(
        "SET GLOBAL protocol_compression_algorithms = 'zlib,zstd,uncompressed'",
      );
    }
  },
);

await rigTest(
  "kingbus follows MariaDB with source.compression zlib, semi-synchronously",
  ["mariadb"],
  async () => {
    await using source = await startMariadb(8098, [
      LARGE,
      "--rpl-semi-sync-master-enabled=ON",
      "--rpl-semi-sync-master-timeout=3600000",
    ]);
    await using kingbus = await TestKingbus.following(source, {
      source: { compression: ZLIB, semiSync: true },
    });
    await kingbus.waitUntilState("following");
    await waitUntil(
      "kingbus was there",
      async () => (await semiSyncStatus(source)).clients === "1",
    );
    const { connectedAt } = kingbus.status;
    await source.run(TEST_TABLE);
    for (let n = 0; n < 100; n++) await source.query(INSERT);
    await source.run(...LARGE_INSERTS, "FLUSH LOGS", INSERT);
    const status = await semiSyncStatus(source);
    assertEquals(status.no_tx, "0");
    await checkpointed(source);
    const { fileName, position } = await logEndOf(source);
    await kingbus.waitUntilAt(fileName, position);
    assertEquals(kingbus.status.connectedAt, connectedAt);
    // the same as without compression
    await using plain = await TestKingbus.following(source, {
      source: { serverId: 4712, uuid: crypto.randomUUID() },
    });
    await plain.waitUntilAt(fileName, position);
    for (const [index, file] of kingbus.store.files.entries()) {
      assertSameBytes(
        file.name,
        await readFile(kingbus.store, file),
        await readFile(plain.store, plain.store.files[index]!),
      );
    }
    assertEquals(kingbus.store.files.length, 2);
    await source.query("SET GLOBAL rpl_semi_sync_master_enabled = OFF");
  },
);
