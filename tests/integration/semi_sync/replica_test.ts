import { assert, assertEquals } from "@std/assert";
import { startMysql56 } from "../../../scripts/test_servers/mysql56.ts";
import { rigTest } from "../../../scripts/test_servers/rig.ts";
import { waitUntil } from "../../../scripts/test_servers/wait_until.ts";
import type { LaunchedServer } from "../../support/launched_server.ts";
import { startMariadb } from "../../support/mariadb.ts";
import { neverWithin } from "../../support/never_within.ts";
import {
  makeSemiSyncReplica,
  makeSemiSyncSource,
  semiSyncStatus,
} from "../../support/semi_sync_plugin.ts";
import { SharedMysql97 } from "../../support/shared_mysql97.ts";
import {
  checksumTables,
  executedOf,
  logEndOf,
  runAll,
  TestReplica,
  valueOf,
} from "../../support/sql_server.ts";
import { TestKingbus } from "../../support/test_kingbus.ts";
import { TEST_TABLE } from "../../support/test_table.ts";
import { MYSQL97_KINDS } from "../../support/transaction_kinds.ts";

const LARGE = "--max-allowed-packet=128M";
const sources = new SharedMysql97(9773, [LARGE]);
const replicas = new SharedMysql97(9774, [
  LARGE,
  "--replica-max-allowed-packet=256M",
]);

const INSERT = "INSERT INTO test.t (data) VALUES ('x')";
const OFFER = { semiSync: { replicas: 0, timeoutMs: 1000 } };

/** What the one replica has acknowledged to kingbus. */
function acksOf(kingbus: TestKingbus) {
  const dumping = kingbus.replicas.filter(({ state }) => state === "dumping");
  assertEquals(dumping.length, 1);
  const { acks } = dumping[0]!;
  assert(acks !== undefined, "the replica is not semi-synchronous");
  return acks;
}

async function waitUntilAcknowledged(kingbus: TestKingbus): Promise<void> {
  await waitUntil("the replica had acknowledged all it was asked", () => {
    const { asked, received } = acksOf(kingbus);
    return asked === received;
  });
}

await rigTest(
  "a semi-synchronous MySQL 9.7 replica acknowledges to kingbus what is new",
  ["mysql97", "mysql97-replica"],
  async (_rig, context) => {
    const source = await sources.asSource();
    const { server, replica } = await replicas.asReplica();
    await makeSemiSyncReplica(server);
    // More than what counts as near the log's end, and it is not asked for.
    await source.run(TEST_TABLE, INSERT, INSERT);
    await using kingbus = await TestKingbus.following(source, {
      server: OFFER,
    });
    await kingbus.waitUntilHas(await executedOf(source));
    await replica.start({ port: kingbus.port });
    await replica.waitUntilHas(await executedOf(source));
    assertEquals((await semiSyncStatus(server)).status, "ON");
    assertEquals(acksOf(kingbus), {
      asked: 0,
      received: 0,
      file: "",
      position: 0,
    });
    let transactions = 0;
    for (let n = 0; n < 10; n++) {
      await source.query(INSERT);
      transactions++;
      const executed = await executedOf(source);
      await replica.waitUntilHas(executed);
      await waitUntilAcknowledged(kingbus);
      const { fileName, position } = await logEndOf(source);
      assertEquals(acksOf(kingbus), {
        asked: transactions,
        received: transactions,
        file: fileName,
        position,
      });
    }
    for (const [kind, statements] of Object.entries(MYSQL97_KINDS)) {
      await context.step(kind, async () => {
        await source.run(...statements);
        await replica.waitUntilHas(await executedOf(source));
        await waitUntilAcknowledged(kingbus);
      });
    }
    await context.step("events around and above 16 MiB", async () => {
      // With 44 bytes of event around the data, and 1 or 3 in front of that.
      for (let less = 44; less < 52; less++) {
        await source.query(
          `INSERT INTO test.t (data) VALUES (REPEAT('x', (16 << 20) - ${less}))`,
        );
      }
      await source.query(
        "INSERT INTO test.t (data) VALUES (REPEAT('x', 40 << 20))",
      );
      await replica.waitUntilHas(await executedOf(source));
      await waitUntilAcknowledged(kingbus);
    });
    await context.step("log files", async () => {
      await source.run("FLUSH LOGS", INSERT, "FLUSH LOGS", "FLUSH LOGS");
      await replica.waitUntilHas(await executedOf(source));
      await waitUntilAcknowledged(kingbus);
      await source.query(INSERT);
      await replica.waitUntilHas(await executedOf(source));
      await waitUntilAcknowledged(kingbus);
      assertEquals(acksOf(kingbus).position, (await logEndOf(source)).position);
    });
    await context.step("the connection breaks", async () => {
      await replica.stop();
      await source.query(INSERT);
      await replica.resume();
      await replica.waitUntilHas(await executedOf(source));
      assertEquals(acksOf(kingbus).asked, 0);
      await source.query(INSERT);
      await replica.waitUntilHas(await executedOf(source));
      await waitUntilAcknowledged(kingbus);
      assertEquals(acksOf(kingbus).received, 1);
    });
    assertEquals(await checksumTables(server), await checksumTables(source));
    assertEquals(await replica.fault(), "");
  },
);

await rigTest(
  "a semi-synchronous replica follows a kingbus that does not offer it",
  ["mysql97", "mysql97-replica"],
  async () => {
    const source = await sources.asSource();
    const { server, replica } = await replicas.asReplica();
    await makeSemiSyncReplica(server);
    await source.run(TEST_TABLE, INSERT);
    await using kingbus = await TestKingbus.following(source);
    await kingbus.waitUntilHas(await executedOf(source));
    await replica.start({ port: kingbus.port });
    await replica.waitUntilHas(await executedOf(source));
    assertEquals((await semiSyncStatus(server)).status, "OFF");
    assertEquals(kingbus.replicas[0]?.acks, undefined);
  },
);

/** A chain whose every link is semi-synchronous. */
async function openChain(timeoutMs: number): Promise<
  & { source: LaunchedServer; server: LaunchedServer }
  & { kingbus: TestKingbus; replica: TestReplica }
  & AsyncDisposable
> {
  const source = await sources.asSource();
  const { server, replica } = await replicas.asReplica();
  await makeSemiSyncReplica(server);
  await source.run(TEST_TABLE);
  const semiSync = await makeSemiSyncSource(source);
  const kingbus = await TestKingbus.following(source, {
    source: { semiSync: true },
    server: { semiSync: { replicas: 1, timeoutMs } },
    wait: { replicas: 1, timeoutMs },
  });
  await kingbus.waitUntilHas(await executedOf(source));
  await replica.start({ port: kingbus.port });
  await replica.waitUntilHas(await executedOf(source));
  return {
    source,
    server,
    kingbus,
    replica,
    async [Symbol.asyncDispose]() {
      await kingbus[Symbol.asyncDispose]();
      await semiSync[Symbol.asyncDispose]();
    },
  };
}

/** Whether the replica has received, not executed, these GTIDs. */
async function hasReceived(
  server: LaunchedServer,
  executed: string,
): Promise<boolean> {
  const { columns, rows } = await server.query("SHOW REPLICA STATUS");
  const at = columns.indexOf("Retrieved_Gtid_Set");
  const received = (rows[0]?.[at] ?? "").replaceAll("\n", "");
  const answer = await valueOf(
    server,
    `SELECT GTID_SUBSET('${executed}',
      CONCAT('${received}', IF('${received}' = '', '', ','), @@gtid_executed))`,
  );
  return answer === "1";
}

await rigTest(
  "a source's COMMIT returns once kingbus's replica has it",
  ["mysql97", "mysql97-replica"],
  async () => {
    await using chain = await openChain(3_600_000);
    const { source, server, kingbus, replica } = chain;
    const before = await semiSyncStatus(source);
    for (let n = 0; n < 20; n++) {
      await source.query(INSERT);
      assert(await hasReceived(server, await executedOf(source)));
    }
    await source.query(
      "INSERT INTO test.t (data) VALUES (REPEAT('x', 20 << 20))",
    );
    assert(await hasReceived(server, await executedOf(source)));
    // A log that ends in the middle of the waiting changes nothing.
    for (let n = 0; n < 5; n++) {
      await source.run(INSERT, "FLUSH LOGS");
      assert(await hasReceived(server, await executedOf(source)));
    }
    const after = await semiSyncStatus(source);
    assertEquals(after.no_tx, before.no_tx);
    assertEquals(Number(after.yes_tx) - Number(before.yes_tx), 26);
    assertEquals(kingbus.gate.state, "synchronous");
    await replica.waitUntilHas(await executedOf(source));
    assertEquals(await checksumTables(server), await checksumTables(source));
  },
);

await rigTest(
  "many sessions commit through kingbus and its replica",
  ["mysql97", "mysql97-replica"],
  async () => {
    await using chain = await openChain(3_600_000);
    const { source, server, kingbus, replica } = chain;
    const sessions = Array.from({ length: 8 }, async () => {
      await using connection = await source.connect();
      for (let n = 0; n < 40; n++) await connection.query(INSERT);
    });
    await Promise.all(sessions);
    assert(await hasReceived(server, await executedOf(source)));
    assertEquals(kingbus.gate.state, "synchronous");
    await replica.waitUntilHas(await executedOf(source));
    assertEquals(await checksumTables(server), await checksumTables(source));
  },
);

await rigTest(
  "kingbus goes on without a replica that is gone, says so, and waits again when it is back",
  ["mysql97", "mysql97-replica"],
  async () => {
    await using chain = await openChain(1500);
    const { source, server, kingbus, replica } = chain;
    await source.query(INSERT);
    assertEquals(kingbus.gate.state, "synchronous");
    await replica.stop();
    let returned = false;
    const began = performance.now();
    const insert = source.query(INSERT).then(() => returned = true);
    await neverWithin(1000, "the COMMIT returned", () => returned);
    await insert;
    assert(performance.now() - began >= 1400);
    assertEquals(
      [kingbus.gate.state, kingbus.gate.replicas, kingbus.gate.timeouts],
      ["degraded", 0, 1],
    );
    // Not for every one of them.
    const again = performance.now();
    for (let n = 0; n < 10; n++) await source.query(INSERT);
    assert(performance.now() - again < 10 * 1500 / 2);
    await replica.resume();
    await waitUntil("kingbus waited for replicas again", () => {
      return kingbus.gate.state === "synchronous";
    });
    for (let n = 0; n < 5; n++) {
      await source.query(INSERT);
      assert(await hasReceived(server, await executedOf(source)));
    }
    assertEquals(kingbus.gate.timeouts, 1);
    // The source itself never noticed.
    assertEquals((await semiSyncStatus(source)).status, "ON");
  },
);

await rigTest(
  "a replica that reconnects while the source waits for it ends the waiting",
  ["mysql97", "mysql97-replica"],
  async () => {
    await using chain = await openChain(3_600_000);
    const { source, server, kingbus, replica } = chain;
    for (const from of ["gtid", "position"] as const) {
      if (from === "position") {
        await replica.stop();
        const { fileName, position } = await logEndOf(source);
        await replica.start({
          port: kingbus.port,
          from: { fileName, position },
        });
        await kingbus.waitUntilDumping(1);
      }
      await source.query(INSERT);
      await replica.stop();
      let returned = false;
      const insert = source.query(INSERT).then(() => returned = true);
      await neverWithin(300, "the COMMIT returned", () => returned);
      await replica.resume();
      await insert;
      assert(await hasReceived(server, await executedOf(source)));
    }
    assertEquals(kingbus.gate.timeouts, 0);
  },
);

await rigTest(
  "a semi-synchronous MariaDB replica follows kingbus by file and position",
  ["mariadb", "mariadb-replica"],
  async () => {
    await using source = await startMysql56();
    await using server = await startMariadb(8094, [
      "--rpl-semi-sync-slave-enabled=ON",
    ]);
    await runAll(source, TEST_TABLE, INSERT);
    await using kingbus = await TestKingbus.following(source, {
      server: OFFER,
    });
    await kingbus.waitUntilHas(await executedOf(source));
    await server.run(
      `CHANGE MASTER TO MASTER_HOST = '127.0.0.1', MASTER_PORT = ${kingbus.port},
       MASTER_USER = 'repl', MASTER_PASSWORD = 'replpass',
       MASTER_LOG_FILE = 'binlog.000001', MASTER_LOG_POS = 4,
       MASTER_USE_GTID = no, MASTER_CONNECT_RETRY = 1, MASTER_HEARTBEAT_PERIOD = 1`,
      "START SLAVE",
    );
    const replica = new TestReplica(server);
    const catchUp = async (): Promise<void> => {
      const { fileName, position } = await logEndOf(source);
      await replica.waitUntilAt(fileName, position);
    };
    await catchUp();
    assertEquals((await semiSyncStatus(server)).status, "ON");
    assertEquals(acksOf(kingbus).asked, 0);
    for (let n = 1; n <= 10; n++) {
      await runAll(source, INSERT);
      await catchUp();
      await waitUntilAcknowledged(kingbus);
      assertEquals(acksOf(kingbus).received, n);
      assertEquals(acksOf(kingbus).position, (await logEndOf(source)).position);
    }
    await runAll(source, "FLUSH LOGS", INSERT);
    await catchUp();
    await waitUntilAcknowledged(kingbus);
    assertEquals(acksOf(kingbus).file, "binlog.000002");
    assertEquals(await checksumTables(server).then(Object.keys), [
      "`test`.`t`",
    ]);
    assertEquals(
      (await server.query("SELECT COUNT(*) FROM test.t")).rows,
      (await source.query("SELECT COUNT(*) FROM test.t")).rows,
    );
    assertEquals(await replica.fault(), "");
  },
);
