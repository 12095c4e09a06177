import { assert, assertEquals, assertMatch } from "@std/assert";
import { type RigPart, rigTest } from "../../../scripts/test_servers/rig.ts";
import { waitUntil } from "../../../scripts/test_servers/wait_until.ts";
import { takeDump } from "../../support/dump_comparison.ts";
import type { LaunchedServer } from "../../support/launched_server.ts";
import { type MariadbRelease, startMariadb } from "../../support/mariadb.ts";
import { checkpointed } from "../../support/mariadb_checkpoint.ts";
import { byGtid, isMadeGtidList } from "../../support/mariadb_comparison.ts";
import { MariadbReplica } from "../../support/mariadb_replica.ts";
import { caughtUp, MARIADB_KINDS } from "../../support/mariadb_source.ts";
import { SharedServer } from "../../support/shared_server.ts";
import {
  checksumTables,
  dropDatabases,
  logEndOf,
  resetLog,
  valueOf,
} from "../../support/sql_server.ts";
import { TestKingbus } from "../../support/test_kingbus.ts";
import { TEST_TABLE } from "../../support/test_table.ts";

/** The session's collations are those that older versions know, too. */
const OLD_COLLATIONS = [
  "--character-set-server=utf8mb4",
  "--collation-server=utf8mb4_general_ci",
];

const servers: Record<string, SharedServer> = {};

/** A server that the tests of this file share. */
function shared(
  role: "source" | "replica",
  release: MariadbRelease,
): Promise<LaunchedServer> {
  return servers[`${role} ${release}`]!.running();
}

for (const release of ["installed", "sid"] as const) {
  const id = release === "sid" ? 8110 : 8100;
  const args = release === "sid"
    ? [...OLD_COLLATIONS, "--character-set-collations="]
    : OLD_COLLATIONS;
  servers[`source ${release}`] = new SharedServer(() =>
    startMariadb(id, args, release)
  );
  servers[`replica ${release}`] = new SharedServer(() =>
    startMariadb(id + 1, args, release)
  );
}

/** A source with `test.t` in it and an empty log. */
async function freshSource(release: MariadbRelease): Promise<LaunchedServer> {
  const source = await shared("source", release);
  await dropDatabases(source);
  await resetLog(source);
  await source.run(
    TEST_TABLE,
  );
  return source;
}

/** A replica that has nothing and follows nobody. */
async function freshReplica(
  release: MariadbRelease,
): Promise<{ server: LaunchedServer; replica: MariadbReplica }> {
  const server = await shared("replica", release);
  const replica = new MariadbReplica(server);
  await replica.reset();
  return { server, replica };
}

/** Some transactions in three domains and two files. */
const DOMAINS: readonly string[] = [
  "INSERT INTO test.t (data) VALUES ('one')",
  "SET SESSION gtid_domain_id = 3",
  "INSERT INTO test.t (data) VALUES ('of another domain')",
  "SET SESSION gtid_domain_id = 7, SESSION server_id = 55",
  "INSERT INTO test.t (data) VALUES ('of another server')",
  "FLUSH LOGS",
  "SET SESSION gtid_domain_id = 0, SESSION server_id = DEFAULT",
  "INSERT INTO test.t (data) VALUES (REPEAT('x', 100000))",
];

const INSERT = "INSERT INTO test.t (data) VALUES ('more')";

/** Compares all tables once the replica has all that the source has. */
async function assertReplicated(
  source: LaunchedServer,
  { server, replica }: { server: LaunchedServer; replica: MariadbReplica },
): Promise<void> {
  await replica.waitUntilHasAllOf(source);
  assertEquals(await checksumTables(server), await checksumTables(source));
}

/** Which versions replicate from which, and what is needed for it. */
const PAIRS: readonly {
  source: MariadbRelease;
  replica: MariadbRelease;
  title: string;
  parts: RigPart[];
}[] = [
  {
    source: "installed",
    replica: "installed",
    title: "a MariaDB 10.11 replica of a 10.11 source",
    parts: ["mariadb"],
  },
  {
    source: "sid",
    replica: "sid",
    title: "a MariaDB 11.8 replica of an 11.8 source",
    parts: ["mariadb-sid"],
  },
  {
    source: "installed",
    replica: "sid",
    title: "a MariaDB 11.8 replica of a 10.11 source",
    parts: ["mariadb", "mariadb-sid"],
  },
  {
    source: "sid",
    replica: "installed",
    title: "a MariaDB 10.11 replica of an 11.8 source",
    parts: ["mariadb", "mariadb-sid"],
  },
];

for (const { source: from, replica: to, title, parts } of PAIRS) {
  await rigTest(
    `${title} follows kingbus by GTID, through restarts and broken connections`,
    parts,
    async () => {
      const source = await freshSource(from);
      const follower = await freshReplica(to);
      const { server, replica } = follower;
      await source.run(...DOMAINS);
      await using kingbus = await TestKingbus.following(source);
      await caughtUp(kingbus, source);
      await replica.start({ port: kingbus.port });
      await assertReplicated(source, follower);
      // its dump is killed
      const [dump] = await kingbus.waitUntilDumping(1);
      assertEquals(dump!.mode, "gtid");
      await using killer = await kingbus.connect();
      await killer.query(`KILL ${dump!.connectionId}`);
      await source.run(INSERT, "FLUSH LOGS", INSERT);
      await assertReplicated(source, follower);
      // kingbus is restarted
      await kingbus.stop();
      await source.run(INSERT, "SET SESSION gtid_domain_id = 3", INSERT);
      await source.run("SET SESSION gtid_domain_id = 0");
      await kingbus.resume();
      await assertReplicated(source, follower);
      // it stops, which it tells kingbus over a connection of its own
      await replica.stop();
      await kingbus.waitUntilDumping(0);
      await source.run(INSERT);
      await replica.resume();
      await assertReplicated(source, follower);
      // the replica's server is restarted
      await replica.stop();
      await server.restart();
      await source.run(INSERT);
      await replica.resume();
      await assertReplicated(source, follower);
      await replica.stop();
    },
  );

  await rigTest(
    `${title} follows kingbus by file and position`,
    parts,
    async () => {
      const source = await freshSource(from);
      const follower = await freshReplica(to);
      const { replica } = follower;
      await source.run(...DOMAINS);
      await using kingbus = await TestKingbus.following(source);
      await caughtUp(kingbus, source);
      await replica.start({
        port: kingbus.port,
        from: { fileName: "binlog.000001", position: 4 },
      });
      await source.run(INSERT);
      await assertReplicated(source, follower);
      const [dump] = await kingbus.waitUntilDumping(1);
      assertEquals(dump!.mode, "position");
      await checkpointed(source);
      const { fileName, position } = await logEndOf(source);
      await replica.waitUntilAt(fileName, position);
      await replica.stop();
    },
  );

  await rigTest(
    `${title} is moved to kingbus and back by GTID`,
    parts,
    async () => {
      const source = await freshSource(from);
      const follower = await freshReplica(to);
      const { replica } = follower;
      await using kingbus = await TestKingbus.following(source);
      for (const { port } of [source, kingbus, source, kingbus]) {
        await source.run(...DOMAINS);
        await replica.start({ port });
        await source.run(INSERT);
        await assertReplicated(source, follower);
        await replica.stop();
      }
    },
  );
}

for (const release of ["installed", "sid"] as const) {
  const parts: RigPart[] = [release === "sid" ? "mariadb-sid" : "mariadb"];
  const version = release === "sid" ? "11.8" : "10.11";

  await rigTest(
    `a MariaDB ${version} replica in strict mode follows kingbus by GTID`,
    parts,
    async () => {
      const source = await freshSource(release);
      const follower = await freshReplica(release);
      const { server, replica } = follower;
      await server.run("SET GLOBAL gtid_strict_mode = 1");
      try {
        await source.run(...DOMAINS);
        await using kingbus = await TestKingbus.following(source);
        await caughtUp(kingbus, source);
        await replica.start({ port: kingbus.port });
        await assertReplicated(source, follower);
        await replica.stop();
        await source.run(INSERT);
        await replica.resume();
        await assertReplicated(source, follower);
        await replica.stop();
      } finally {
        await server.run("SET GLOBAL gtid_strict_mode = 0");
      }
    },
  );

  await rigTest(
    `a semi-synchronous MariaDB ${version} replica acknowledges to kingbus by GTID`,
    parts,
    async () => {
      const source = await freshSource(release);
      const follower = await freshReplica(release);
      const { server, replica } = follower;
      await source.run(...DOMAINS);
      await using kingbus = await TestKingbus.following(source, {
        server: { semiSync: { replicas: 0, timeoutMs: 1000 } },
      });
      await caughtUp(kingbus, source);
      await server.run("SET GLOBAL rpl_semi_sync_slave_enabled = 1");
      try {
        await replica.start({ port: kingbus.port });
        await assertReplicated(source, follower);
        assertEquals(
          (await server.query("SHOW STATUS LIKE 'Rpl_semi_sync_slave_status'"))
            .rows[0]![1],
          "ON",
        );
        // It goes on by GTID, with something left out, and is asked again.
        for (let round = 1; round <= 2; round++) {
          await source.run(INSERT, ...DOMAINS, INSERT);
          await assertReplicated(source, follower);
          await waitUntil("the replica had acknowledged all", () => {
            const acks = kingbus.replicas.find(({ state }) =>
              state === "dumping"
            )?.acks;
            return acks !== undefined && acks.asked > 0 &&
              acks.received === acks.asked;
          });
          await replica.stop();
          await replica.resume();
          await kingbus.waitUntilDumping(1);
        }
        await assertReplicated(source, follower);
        await replica.stop();
      } finally {
        await server.run("SET GLOBAL rpl_semi_sync_slave_enabled = 0");
      }
    },
  );

  await rigTest(
    `a MariaDB ${version} replica follows kingbus until a GTID and stops`,
    parts,
    async () => {
      const source = await freshSource(release);
      const { server, replica } = await freshReplica(release);
      await source.run(INSERT, INSERT, INSERT);
      const until = await valueOf(source, "SELECT @@gtid_binlog_pos");
      await source.run(INSERT, INSERT);
      await using kingbus = await TestKingbus.following(source);
      await caughtUp(kingbus, source);
      await replica.change({ port: kingbus.port });
      await server.run(`START SLAVE UNTIL master_gtid_pos = '${until}'`);
      await waitUntil("the replica had stopped", async () => {
        const state = await replica.state();
        return state.Slave_IO_Running === "No" &&
          state.Slave_SQL_Running === "No";
      });
      assertEquals(await valueOf(server, "SELECT @@gtid_slave_pos"), until);
    },
  );

  await rigTest(
    `a MariaDB ${version} replica with another history stops at kingbus as at the source`,
    parts,
    async () => {
      const source = await freshSource(release);
      const { server, replica } = await freshReplica(release);
      await source.run(INSERT, INSERT);
      await using kingbus = await TestKingbus.following(source);
      await caughtUp(kingbus, source);
      const faults: string[] = [];
      for (const position of ["0-9-1", "0-9-9999"]) {
        for (const { port } of [source, kingbus]) {
          await replica.reset();
          await server.run(`SET GLOBAL gtid_slave_pos = '${position}'`);
          await replica.start({ port });
          faults.push(await replica.waitUntilStopped());
        }
      }
      assertEquals(faults[1], faults[0]);
      assertEquals(faults[3], faults[2]);
      assertMatch(faults[0]!, /1236.*diverged/);
      assertMatch(faults[2]!, /1236.*not in the master's binlog/);
      await replica.reset();
    },
  );

  await rigTest(
    `a MariaDB ${version} replica gets all kinds of MariaDB's transactions by GTID`,
    parts,
    async () => {
      const source = await freshSource(release);
      const follower = await freshReplica(release);
      await source.run(...Object.values(MARIADB_KINDS).flat());
      await using kingbus = await TestKingbus.following(source);
      await follower.replica.start({ port: kingbus.port });
      await assertReplicated(source, follower);
      await follower.replica.stop();
    },
  );
}

await rigTest(
  "kingbus goes over 100,000 transactions that a MariaDB replica has in a moment",
  ["mariadb"],
  async () => {
    const source = await freshSource("installed");
    await source.run(
      "CREATE TABLE test.n (id INT PRIMARY KEY AUTO_INCREMENT) ENGINE=InnoDB",
      "BEGIN NOT ATOMIC DECLARE n INT DEFAULT 0; WHILE n < 100000 DO INSERT INTO test.n VALUES (); SET n = n + 1; END WHILE; END",
    );
    const state = await valueOf(source, "SELECT @@gtid_binlog_pos");
    await source.run(INSERT);
    await using kingbus = await TestKingbus.following(source);
    await caughtUp(kingbus, source);
    const request = byGtid(state);
    const startedAtMs = performance.now();
    const { events, end } = await takeDump(kingbus, request);
    const tookMs = performance.now() - startedAtMs;
    assertEquals(end, "EOF");
    // what the file begins with, how far the replica is, and the one it lacks
    assert(events.length < 15, `${events.length} events`);
    assertEquals(events.filter(isMadeGtidList).length, 1);
    // it takes a small part of a second on an idle machine
    assert(tookMs < 5000, `${tookMs.toFixed(0)} ms`);
  },
);
