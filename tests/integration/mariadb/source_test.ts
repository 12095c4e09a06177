import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { rigTest } from "../../../scripts/test_servers/rig.ts";
import { waitUntil } from "../../../scripts/test_servers/wait_until.ts";
import { formatMariadbGtid } from "../../../lib/gtid/mariadb_gtid.ts";
import {
  assertSameLog,
  caughtUp,
  MARIADB_KINDS,
  SharedMariadb,
  writeRow,
} from "../../support/mariadb_source.ts";
import { binlogsOf } from "../../support/sql_server.ts";
import { TestKingbus } from "../../support/test_kingbus.ts";
import { TRANSACTION_KINDS } from "../../support/transaction_kinds.ts";

/** What kingbus takes from a MariaDB source is what that has on its disk. */
const KINDS = {
  ...Object.fromEntries(
    Object.entries(TRANSACTION_KINDS)
      .filter(([, statements]) => !statements.join().includes("gtid_next"))
      .map(([kind, statements]) => [
        kind,
        statements.filter((one) => !one.includes("rows_query_log_events")),
      ]),
  ),
  ...MARIADB_KINDS,
};

/** The versions of MariaDB that kingbus follows here. */
const RELEASES = [
  { title: "MariaDB 10.11", part: "mariadb", release: "installed" },
  { title: "MariaDB 11", part: "mariadb-sid", release: "sid" },
] as const;

for (const { title, part, release } of RELEASES) {
  const sources = new SharedMariadb(8111, [], release);

  for (const [kind, statements] of Object.entries(KINDS)) {
    await rigTest(
      `Syncer takes a ${title} source's files byte for byte: ${kind}`,
      [part],
      async () => {
        const source = await sources.fresh();
        await writeRow(source);
        await writeRow(source);
        await using kingbus = await TestKingbus.following(source);
        await source.run(...statements);
        await source.run("FLUSH BINARY LOGS");
        await writeRow(source);
        await assertSameLog(kingbus, source);
        assertEquals(kingbus.status.state, "following");
      },
    );
  }

  await rigTest(
    `Syncer takes a ${title} source's files through changes of its checksums`,
    [part],
    async () => {
      const source = await sources.fresh();
      await using kingbus = await TestKingbus.following(source);
      for (const checksum of ["NONE", "CRC32"]) {
        await source.run(`SET GLOBAL binlog_checksum = ${checksum}`);
        await writeRow(source);
        await source.run("FLUSH BINARY LOGS");
        await writeRow(source);
        await assertSameLog(kingbus, source);
      }
    },
  );

  await rigTest(
    `Syncer follows on after a ${title} source was shut down and started, and after a crash`,
    [part],
    async () => {
      const source = await sources.fresh();
      await writeRow(source);
      await using kingbus = await TestKingbus.following(source, { hurry: 10 });
      await assertSameLog(kingbus, source);
      await source.restart();
      await writeRow(source);
      await assertSameLog(kingbus, source);
      await source.kill();
      await source.restart();
      await writeRow(source);
      await assertSameLog(kingbus, source);
      assertEquals(kingbus.status.currentGtid, "0-8111-3");
    },
  );

  await rigTest(
    `Syncer goes on with a ${title} source where it stopped, inside a file and behind its end`,
    [part],
    async () => {
      const source = await sources.fresh();
      await writeRow(source);
      await using kingbus = await TestKingbus.following(source);
      await assertSameLog(kingbus, source);
      for (const statement of ["SELECT 1", "FLUSH BINARY LOGS"]) {
        await kingbus.stop();
        await source.run(statement);
        await writeRow(source);
        await kingbus.resume();
        await assertSameLog(kingbus, source);
      }
    },
  );

  await rigTest(
    `Syncer begins at a GTID position of ${title}`,
    [part],
    async () => {
      const source = await sources.fresh();
      for (let file = 0; file < 3; file++) {
        await writeRow(source);
        await writeRow(source);
        await source.run("FLUSH BINARY LOGS");
      }
      // The file each of these is in, or begins after.
      for (
        const [start, firstFile] of [
          ["0-8111-1", "binlog.000001"],
          ["0-8111-2", "binlog.000002"],
          ["0-8111-3", "binlog.000002"],
          ["0-8111-6,7-1-1", "binlog.000004"],
          ["newest", "binlog.000004"],
        ] as const
      ) {
        await using kingbus = await TestKingbus.following(source, {
          source: { start },
        });
        await assertSameLog(kingbus, source, firstFile);
        assertEquals(
          kingbus.status.purged,
          `${kingbus.store.files[0]!.mariadbStart}`,
        );
      }
      await waitUntil("the source had purged its files", async () => {
        await source.run("PURGE BINARY LOGS TO 'binlog.000003'");
        return (await binlogsOf(source))[0]?.name === "binlog.000003";
      });
      await using purged = await TestKingbus.following(source, {
        source: { start: "0-8111-3" },
      });
      const { cause, reason } = await purged.waitUntilState("failed");
      assertEquals(cause, "purged");
      assertStringIncludes(reason!, "binlog.000003 follows 0-8111-4");
      await using wrong = await TestKingbus.following(source, {
        source: { start: "d63952fd-e6f6-11f1-a979-02fc00000001:1-5" },
      });
      assertStringIncludes(
        (await wrong.waitUntilCause("unsuitable")).reason!,
        "a MariaDB GTID position such as '0-1-100'",
      );
    },
  );

  await rigTest(
    `Syncer finds that a ${title} source was reset, has purged what comes next, or has lost it`,
    [part],
    async () => {
      const source = await sources.fresh();
      await writeRow(source);
      await writeRow(source);
      // A log of the same names and length with other GTIDs.
      {
        await using kingbus = await TestKingbus.following(source);
        await caughtUp(kingbus, source);
        await kingbus.syncer.stop();
        await source.run(
          "RESET MASTER",
          "SET SESSION gtid_seq_no = 7",
        );
        await writeRow(source);
        await writeRow(source);
        await kingbus.follow(source);
        const { cause, reason } = await kingbus.waitUntilState("failed");
        assertEquals(cause, "reset");
        assertStringIncludes(reason!, "'0-8111-8', kingbus has '0-8111-2'");
      }
      {
        await using kingbus = await TestKingbus.following(source);
        await caughtUp(kingbus, source);
        await kingbus.syncer.stop();
        await source.run("FLUSH BINARY LOGS");
        await writeRow(source);
        await source.run("FLUSH BINARY LOGS");
        // A file stays as long as the dump that has ended is not known to have.
        await waitUntil("the source had purged its files", async () => {
          await source.run("PURGE BINARY LOGS TO 'binlog.000003'");
          return (await binlogsOf(source))[0]?.name === "binlog.000003";
        });
        await kingbus.follow(source);
        const { cause, reason } = await kingbus.waitUntilState("failed");
        assertEquals(cause, "purged");
        assertStringIncludes(reason!, "those up to 0-8111-9");
      }
      {
        await using kingbus = await TestKingbus.following(source, {
          source: { start: "newest" },
        });
        await writeRow(source);
        await caughtUp(kingbus, source);
        const { fileName } = kingbus.head;
        const { position } = kingbus.head;
        await writeRow(source);
        await caughtUp(kingbus, source);
        await kingbus.syncer.stop();
        await source.stop();
        await Deno.truncate(
          `${source.onDisk.binlogFolder}/${fileName}`,
          position,
        );
        await source.restart();
        await kingbus.follow(source);
        const { cause } = await kingbus.waitUntilState("failed");
        assertEquals(cause, "source-lost-events");
      }
    },
  );

  await rigTest(
    `Syncer acknowledges a semi-synchronous ${title} source`,
    [part],
    async () => {
      const source = await sources.fresh();
      await source.run(
        "SET GLOBAL rpl_semi_sync_master_timeout = 3600000",
        "SET GLOBAL rpl_semi_sync_master_enabled = ON",
      );
      try {
        await using kingbus = await TestKingbus.following(source, {
          source: { semiSync: true },
        });
        await waitUntil(
          "the source had a semi-synchronous replica",
          async () => {
            const { rows } = await source.query(
              "SHOW STATUS LIKE 'Rpl_semi_sync_master_clients'",
            );
            return rows[0]?.[1] === "1";
          },
        );
        for (let n = 1; n <= 10; n++) {
          if (n === 6) await source.run("FLUSH BINARY LOGS");
          // The source waits for an hour: that it answers is the acknowledgement.
          await writeRow(source);
          const newest = kingbus.head.mariadb?.lastOf(0);
          assertEquals(newest && formatMariadbGtid(newest), `0-8111-${n}`);
        }
        await assertSameLog(kingbus, source);
        assert(kingbus.status.semiSync!.acks >= 10);
      } finally {
        await using other = await source.connect();
        await other.query("SET GLOBAL rpl_semi_sync_master_enabled = OFF");
      }
    },
  );
}
