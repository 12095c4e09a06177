import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { rigTest } from "../../../scripts/test_servers/rig.ts";
import { waitUntil } from "../../../scripts/test_servers/wait_until.ts";
import { DumpClient } from "../../support/dump_client.ts";
import { FAULT_SCENARIOS } from "../../support/fault_scenarios.ts";
import { faultSource97 } from "../../support/fault_source.ts";
import type { LaunchedServer } from "../../support/launched_server.ts";
import { SharedMysql97 } from "../../support/shared_mysql97.ts";
import { assertSameFiles } from "../../support/source_file.ts";
import { executedOf, valueOf } from "../../support/sql_server.ts";
import {
  KINGBUS_SERVER_ID,
  KINGBUS_UUID,
  TestKingbus,
} from "../../support/test_kingbus.ts";
import { TEST_TABLE } from "../../support/test_table.ts";

const sources = new SharedMysql97(9794);

for (const { title, run } of FAULT_SCENARIOS) {
  await rigTest(`Syncer ${title} (MySQL 9.7)`, ["mysql97"], async () => {
    await run(faultSource97(await sources.asSource()));
  });
}

const FOREIGN = "aaaaaaaa-0000-11f1-8000-000000000001";

/** A source with a table and a row in it. */
async function sourceWithSome(): Promise<LaunchedServer> {
  const source = await sources.asSource();
  await source.run(
    TEST_TABLE,
    "INSERT INTO test.t (data) VALUES ('one')",
  );
  return source;
}

async function writeMore(source: LaunchedServer): Promise<void> {
  await source.run("INSERT INTO test.t (data) VALUES ('more')");
}

await rigTest(
  "Syncer stops when transactions were added to the source without their events",
  ["mysql97"],
  async () => {
    const source = await sourceWithSome();
    for (const idle of [true, false]) {
      await using kingbus = await TestKingbus.following(source, {
        hurry: 10,
        idleCheckMs: idle ? 300 : 60_000,
      });
      await assertSameFiles(kingbus, source.onDisk);
      const set = idle ? `${FOREIGN}:1-5` : `${FOREIGN}:6-9`;
      await source.run(`SET GLOBAL gtid_purged = '+${set}'`);
      if (!idle) {
        // no file names them, not even those that are begun now
        await source.run("FLUSH LOGS");
        await writeMore(source);
        await assertSameFiles(kingbus, source.onDisk);
        assertEquals(kingbus.status.state, "following");
        await kingbus.stop();
        await kingbus.resume();
      }
      const status = await kingbus.waitUntilCause("hole");
      assertEquals(status.state, "failed");
      for (const part of [set, "gtid_purged = '+…'", "backup", "data-dir"]) {
        assertStringIncludes(status.reason!, part);
      }
    }
    // another data-dir counts them as purged
    await using other = await TestKingbus.following(source);
    await assertSameFiles(other, source.onDisk);
    assertEquals(other.executed, await executedOf(source));
    assertEquals(other.status.purged, `${FOREIGN}:1-9`);
  },
);

await rigTest(
  "Syncer is told of a replica with its ids, and comes back when that is gone",
  ["mysql97"],
  async () => {
    const source = await sourceWithSome();
    await using kingbus = await TestKingbus.following(source, { hurry: 20 });
    await assertSameFiles(kingbus, source.onDisk);
    {
      await using other = await DumpClient.open(source, {
        serverId: KINGBUS_SERVER_ID,
        uuid: KINGBUS_UUID,
        flags: 0,
        heartbeatMs: 200,
      });
      const status = await kingbus.waitUntilCause("duplicate-server-id");
      assertEquals(status.state, "waiting");
      for (
        const part of [
          "1236",
          `server id ${KINGBUS_SERVER_ID}`,
          `server uuid ${KINGBUS_UUID}`,
          "source.server-id and source.uuid",
        ]
      ) {
        assertStringIncludes(status.reason!, part);
      }
      await waitUntil("it had looked for the other three times", () => {
        const { attempts, reason = "" } = kingbus.status;
        return attempts > 3 && reason.includes("is registered at the source");
      });
      // the other's dump goes on all the while
      for (let event = 0; event < 10; event++) {
        assert(await other.next() !== null, "the other's dump goes on");
      }
    }
    await writeMore(source);
    await assertSameFiles(kingbus, source.onDisk);
  },
);

await rigTest(
  "Syncer waits for its account to be unlocked",
  ["mysql97"],
  async () => {
    const source = await sourceWithSome();
    await source.run(
      "SET sql_log_bin = 0",
      "CREATE USER IF NOT EXISTS shut@'%' IDENTIFIED BY 'shutpass' ACCOUNT LOCK",
      "ALTER USER shut@'%' ACCOUNT LOCK",
      "GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO shut@'%'",
      "SET sql_log_bin = 1",
    );
    await using kingbus = await TestKingbus.start({ hurry: 100 });
    await kingbus.follow(source, { user: "shut", password: "shutpass" });
    const status = await kingbus.waitUntilCause("refused");
    assertEquals(status.state, "waiting");
    assertStringIncludes(status.reason!, "Account is locked");
    await source.run(
      "SET sql_log_bin = 0",
      "ALTER USER shut@'%' ACCOUNT UNLOCK",
      "SET sql_log_bin = 1",
    );
    await assertSameFiles(kingbus, source.onDisk);
  },
);

await rigTest(
  "Syncer says that a source wants TLS",
  ["mysql97"],
  async () => {
    const source = await sourceWithSome();
    await source.run("SET GLOBAL require_secure_transport = ON");
    try {
      await using kingbus = await TestKingbus.following(source, { hurry: 100 });
      const status = await kingbus.waitUntilCause("tls");
      assertStringIncludes(status.reason!, "3159");
      assertStringIncludes(status.reason!, "source.tls.mode");
      // the connection that set it is kept
      await source.run("SET GLOBAL require_secure_transport = OFF");
      await assertSameFiles(kingbus, source.onDisk);
    } finally {
      await source.run("SET GLOBAL require_secure_transport = OFF");
    }
  },
);

await rigTest(
  "Syncer waits for a source that is offline, and one that shuts down",
  ["mysql97"],
  async () => {
    const source = await sourceWithSome();
    await using kingbus = await TestKingbus.following(source, { hurry: 10 });
    await assertSameFiles(kingbus, source.onDisk);
    await source.run("SET GLOBAL offline_mode = ON");
    try {
      const status = await kingbus.waitUntilCause("unavailable");
      assertEquals(status.state, "waiting");
      assertStringIncludes(status.reason!, "offline");
    } finally {
      await source.run("SET GLOBAL offline_mode = OFF");
    }
    await assertSameFiles(kingbus, source.onDisk);
    await source.stop();
    await kingbus.waitUntilCause("unreachable");
    await source.restart();
    await writeMore(source);
    await assertSameFiles(kingbus, source.onDisk);
  },
);

await rigTest(
  "Syncer goes on while checksums and GTIDs are switched off and on",
  ["mysql97"],
  async () => {
    const source = await sourceWithSome();
    await using kingbus = await TestKingbus.following(source, { hurry: 10 });
    await assertSameFiles(kingbus, source.onDisk);
    const steps = [
      "SET GLOBAL binlog_checksum = NONE",
      "SET GLOBAL gtid_mode = ON_PERMISSIVE",
      "SET GLOBAL gtid_mode = OFF_PERMISSIVE",
      "SET GLOBAL binlog_checksum = CRC32",
      "SET GLOBAL gtid_mode = OFF",
      "SET GLOBAL gtid_mode = OFF_PERMISSIVE",
      "SET GLOBAL gtid_mode = ON_PERMISSIVE",
      "SET GLOBAL gtid_mode = ON",
    ];
    try {
      for (const [at, step] of steps.entries()) {
        await source.run(step);
        await writeMore(source);
        await assertSameFiles(kingbus, source.onDisk);
        assertEquals(kingbus.status.state, "following");
        if (at % 2 === 0) continue;
        await kingbus.stop();
        await writeMore(source);
        await kingbus.resume();
        await assertSameFiles(kingbus, source.onDisk);
      }
      assertEquals(kingbus.executed, await executedOf(source));
      assertEquals(await valueOf(source, "SELECT @@GLOBAL.gtid_mode"), "ON");
    } finally {
      await source.restart();
    }
  },
);

await rigTest(
  "Syncer goes on behind a transaction that the source has sent and not committed yet",
  ["mysql97"],
  async () => {
    const source = await sourceWithSome();
    await source.run(
      "INSTALL PLUGIN rpl_semi_sync_source SONAME 'semisync_source.so'",
      "SET GLOBAL rpl_semi_sync_source_timeout = 600000",
      "SET GLOBAL rpl_semi_sync_source_wait_no_replica = ON",
      "SET GLOBAL rpl_semi_sync_source_enabled = ON",
    );
    try {
      await using kingbus = await TestKingbus.following(source, { hurry: 10 });
      await assertSameFiles(kingbus, source.onDisk);
      const before = await executedOf(source);
      // nobody acknowledges it: it is in the log, and not in gtid_executed
      await using writer = await source.connect();
      const written = writer.query("INSERT INTO test.t (data) VALUES ('wait')");
      await waitUntil("kingbus had what waits", () => {
        return kingbus.executed !== before;
      });
      const { executed } = kingbus;
      assertEquals(await executedOf(source), before);
      await kingbus.stop();
      await kingbus.resume();
      await kingbus.waitUntilState("following");
      assertEquals(kingbus.executed, executed);
      await source.run("SET GLOBAL rpl_semi_sync_source_enabled = OFF");
      await written;
      await writeMore(source);
      await assertSameFiles(kingbus, source.onDisk);
    } finally {
      await source.run(
        "SET GLOBAL rpl_semi_sync_source_enabled = OFF",
        "UNINSTALL PLUGIN rpl_semi_sync_source",
      );
    }
  },
);
