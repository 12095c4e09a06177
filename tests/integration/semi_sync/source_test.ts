import { assert, assertEquals } from "@std/assert";
import { GtidSet } from "../../../lib/gtid/gtid_set.ts";
import { rigTest } from "../../../scripts/test_servers/rig.ts";
import { waitUntil } from "../../../scripts/test_servers/wait_until.ts";
import type { LaunchedServer } from "../../support/launched_server.ts";
import { startMariadb } from "../../support/mariadb.ts";
import { neverWithin } from "../../support/never_within.ts";
import {
  makeSemiSyncSource,
  semiSyncStatus,
} from "../../support/semi_sync_plugin.ts";
import { SharedMysql97 } from "../../support/shared_mysql97.ts";
import { assertSameFiles } from "../../support/source_file.ts";
import { executedOf, logEndOf } from "../../support/sql_server.ts";
import { TestKingbus } from "../../support/test_kingbus.ts";
import { TEST_TABLE } from "../../support/test_table.ts";
import { MYSQL97_KINDS } from "../../support/transaction_kinds.ts";

const sources = new SharedMysql97(9771, ["--max-allowed-packet=128M"]);

/** A kingbus that follows the source and acknowledges. */
async function follow(source: LaunchedServer): Promise<TestKingbus> {
  const kingbus = await TestKingbus.following(source, {
    source: { semiSync: true },
  });
  await kingbus.waitUntilHas(await executedOf(source));
  await kingbus.waitUntilState("following");
  return kingbus;
}

/** Fails unless kingbus has, now, all that the source has executed. */
async function assertHasAll(
  kingbus: TestKingbus,
  source: LaunchedServer,
): Promise<void> {
  const executed = GtidSet.parse(await executedOf(source));
  const missing = executed.subtract(kingbus.head.executed);
  assertEquals(missing.toString(), "");
}

await rigTest(
  "a semi-synchronous source's COMMIT returns once kingbus has it durably",
  ["mysql97"],
  async () => {
    const source = await sources.asSource();
    await source.run(TEST_TABLE);
    await using _semiSync = await makeSemiSyncSource(source);
    await using kingbus = await follow(source);
    const before = await semiSyncStatus(source);
    assertEquals([before.clients, before.status], ["1", "ON"]);
    for (let n = 0; n < 20; n++) {
      await source.query("INSERT INTO test.t (data) VALUES ('x')");
      // It can't have come by luck: the source had to wait for it.
      const { gno } = lastGtid(kingbus);
      assertEquals(gno, String(n + 2));
    }
    await assertHasAll(kingbus, source);
    const after = await semiSyncStatus(source);
    assertEquals(
      Number(after.yes_tx) - Number(before.yes_tx),
      20,
      JSON.stringify(after),
    );
    assertEquals(after.no_tx, before.no_tx);
    const { semiSync, file, position } = kingbus.status;
    assertEquals(semiSync, {
      active: true,
      acks: semiSync!.acks,
      file,
      position,
      waiting: 0,
    });
    assert(semiSync!.acks >= 20);
  },
);

function lastGtid(kingbus: TestKingbus): { gno: string | undefined } {
  return { gno: kingbus.head.lastGtid.split(":").at(-1) };
}

await rigTest(
  "kingbus acknowledges transactions of every kind and size",
  ["mysql97"],
  async (_rig, context) => {
    const source = await sources.asSource();
    await source.run(
      TEST_TABLE,
      "INSERT INTO test.t (data) VALUES ('one'), ('two')",
    );
    await using _semiSync = await makeSemiSyncSource(source);
    await using kingbus = await follow(source);
    const before = await semiSyncStatus(source);
    for (const [kind, statements] of Object.entries(MYSQL97_KINDS)) {
      await context.step(kind, async () => {
        await source.run(...statements);
        await assertHasAll(kingbus, source);
      });
    }
    for (const megabytes of [1, 15, 16, 17, 33, 60]) {
      await context.step(`an event of ${megabytes} MiB`, async () => {
        await source.query(
          `INSERT INTO test.t (data) VALUES (REPEAT('x', ${megabytes} << 20))`,
        );
        await assertHasAll(kingbus, source);
      });
    }
    await context.step("events that just fill a packet", async () => {
      // With 44 bytes of event around the data, and 1 or 3 in front of that.
      for (let less = 44; less < 52; less++) {
        await source.query(
          `INSERT INTO test.t (data) VALUES (REPEAT('x', (16 << 20) - ${less}))`,
        );
      }
      await assertHasAll(kingbus, source);
    });
    await context.step("log files", async () => {
      await source.run("FLUSH LOGS", "INSERT INTO test.t (data) VALUES ('y')");
      await assertHasAll(kingbus, source);
      await source.run("FLUSH LOGS", "FLUSH LOGS");
      await source.run("INSERT INTO test.t (data) VALUES ('z')");
      await assertHasAll(kingbus, source);
    });
    const after = await semiSyncStatus(source);
    assertEquals(after.no_tx, before.no_tx);
    await assertSameFiles(kingbus, source.onDisk);
  },
);

await rigTest(
  "kingbus acknowledges what many sessions commit at once",
  ["mysql97"],
  async () => {
    const source = await sources.asSource();
    await source.run(TEST_TABLE);
    await using _semiSync = await makeSemiSyncSource(source);
    await using kingbus = await follow(source);
    const before = await semiSyncStatus(source);
    const sessions = Array.from({ length: 12 }, async (_, session) => {
      await using connection = await source.connect();
      for (let n = 0; n < 60; n++) {
        await connection.query(
          `INSERT INTO test.t (data) VALUES (REPEAT('${session % 10}', ${n}))`,
        );
      }
    });
    await Promise.all(sessions);
    await assertHasAll(kingbus, source);
    const after = await semiSyncStatus(source);
    // It counts group commits, not transactions.
    assert(Number(after.yes_tx) > Number(before.yes_tx));
    assertEquals(after.no_tx, before.no_tx);
    await assertSameFiles(kingbus, source.onDisk);
  },
);

await rigTest(
  "kingbus catches up with what came while it was away, then acknowledges",
  ["mysql97"],
  async () => {
    const source = await sources.asSource();
    await source.run(TEST_TABLE);
    await using _semiSync = await makeSemiSyncSource(source, 300);
    await using kingbus = await follow(source);
    await source.query("INSERT INTO test.t (data) VALUES ('x')");
    await kingbus.stop();
    // The source waits its time, then goes on without.
    for (let n = 0; n < 50; n++) {
      await source.query(
        "INSERT INTO test.t (data) VALUES (REPEAT('y', 9000))",
      );
    }
    assertEquals((await semiSyncStatus(source)).status, "OFF");
    await kingbus.resume();
    await waitUntil("the source was semi-synchronous again", async () => {
      return (await semiSyncStatus(source)).status === "ON";
    });
    await source.query("SET GLOBAL rpl_semi_sync_source_timeout = 3600000");
    const before = await semiSyncStatus(source);
    await source.query("INSERT INTO test.t (data) VALUES ('z')");
    await assertHasAll(kingbus, source);
    const after = await semiSyncStatus(source);
    assertEquals(Number(after.yes_tx), Number(before.yes_tx) + 1);
    await assertSameFiles(kingbus, source.onDisk);
  },
);

await rigTest(
  "kingbus follows a source that is not semi-synchronous yet, and acknowledges once it is",
  ["mysql97"],
  async () => {
    const source = await sources.asSource();
    await source.run(TEST_TABLE);
    {
      // Installed, and off again.
      await using _semiSync = await makeSemiSyncSource(source);
    }
    await using kingbus = await follow(source);
    await source.query("INSERT INTO test.t (data) VALUES ('x')");
    await kingbus.waitUntilHas(await executedOf(source));
    assertEquals([
      kingbus.status.semiSync?.active,
      kingbus.status.semiSync?.acks,
    ], [
      true,
      0,
    ]);
    await using _semiSync = await makeSemiSyncSource(source);
    await source.query("INSERT INTO test.t (data) VALUES ('y')");
    await assertHasAll(kingbus, source);
    assert(kingbus.status.semiSync!.acks > 0);
  },
);

await rigTest(
  "kingbus follows a source without the plugin asynchronously, and says so",
  ["mysql97"],
  async () => {
    const source = await sources.asSource();
    await source.run(TEST_TABLE);
    await source.query("UNINSTALL PLUGIN rpl_semi_sync_source").catch(() => {});
    await using kingbus = await follow(source);
    await source.query("INSERT INTO test.t (data) VALUES ('x')");
    await kingbus.waitUntilHas(await executedOf(source));
    assertEquals(kingbus.status.semiSync, {
      active: false,
      acks: 0,
      file: "",
      position: 0,
      waiting: 0,
    });
  },
);

await rigTest(
  "a source waits for ever while kingbus waits for its replicas",
  ["mysql97"],
  async () => {
    const source = await sources.asSource();
    await source.run(TEST_TABLE);
    await using _semiSync = await makeSemiSyncSource(source);
    await using kingbus = await TestKingbus.following(source, {
      source: { semiSync: true },
      wait: { replicas: 1, timeoutMs: 3_600_000 },
    });
    await kingbus.waitUntilHas(await executedOf(source));
    await kingbus.waitUntilState("following");
    await using connection = await source.connect();
    let returned = false;
    const insert = connection.query("INSERT INTO test.t (data) VALUES ('x')")
      .then(() => returned = true);
    await waitUntil("the source waited for kingbus", () => {
      return kingbus.status.semiSync!.waiting > 0;
    });
    await neverWithin(300, "the COMMIT returned", () => returned);
    assertEquals(kingbus.gate.state, "synchronous");
    // Another kingbus that waits for nobody is enough for the source.
    await using other = await TestKingbus.following(source, {
      source: { semiSync: true, serverId: 4712, uuid: crypto.randomUUID() },
    });
    await insert;
    await assertHasAll(other, source);
  },
);

await rigTest(
  "a semi-synchronous MariaDB source's COMMIT returns once kingbus has it durably",
  ["mariadb"],
  async () => {
    await using source = await startMariadb(8096, [
      "--rpl-semi-sync-master-timeout=3600000",
    ]);
    await source.run(TEST_TABLE);
    await using kingbus = await TestKingbus.following(source, {
      source: { semiSync: true },
    });
    const { fileName, position } = await logEndOf(source);
    await kingbus.waitUntilAt(fileName, position);
    await source.query("SET GLOBAL rpl_semi_sync_master_enabled = ON");
    for (let n = 0; n < 20; n++) {
      if (n % 7 === 6) await source.query("FLUSH LOGS");
      const size = n % 5 === 4 ? 3 << 20 : n;
      await source.query(
        `INSERT INTO test.t (data) VALUES (REPEAT('x', ${size}))`,
      );
      const { fileName, position } = kingbus.head;
      const end = await logEndOf(source);
      assertEquals(fileName, end.fileName);
      // Nobody waits for the checkpoint event of 40 bytes that may follow.
      assert([0, 40].includes(end.position - position), `${position}`);
    }
    const status = await semiSyncStatus(source);
    assertEquals([status.clients, status.yes_tx, status.no_tx], [
      "1",
      "20",
      "0",
    ]);
    await source.query("SET GLOBAL rpl_semi_sync_master_enabled = OFF");
  },
);
