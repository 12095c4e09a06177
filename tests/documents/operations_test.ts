import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import type { DocumentRun } from "./document_run.ts";
import { documentTest } from "./document_suite.ts";
import { installStandIns } from "./service_stand_ins.ts";

const REPLICATE = `CHANGE REPLICATION SOURCE TO SOURCE_HOST='127.0.0.1',
  SOURCE_PORT=3390, SOURCE_USER='repl', SOURCE_PASSWORD='replpass',
  SOURCE_AUTO_POSITION=1; START REPLICA`;

const COUNT = "SELECT COUNT(*) FROM shop.item";

async function caughtUp(run: DocumentRun): Promise<void> {
  await run.logIs("db1:3306");
}

/** The machine loses its source for good. */
async function loseSource(run: DocumentRun): Promise<void> {
  await run.server("db2").query(`STOP REPLICA; ${REPLICATE}`);
  await run.server("db1").query("CREATE TABLE newest (id INT PRIMARY KEY)");
  await caughtUp(run);
  await run.server("db1").kill();
}

await documentTest("docs/operations.md", {
  hosts: { db1: "127.0.0.2", db2: "127.0.0.3", db3: "127.0.0.4" },
  servers: {
    db1: {
      kind: "mysql97",
      at: "db1:3306",
      serverId: 1,
      uuid: "3e11fa47-71ca-11e1-9e33-c80aa9429562",
      args: ["--bind-address=127.0.0.2"],
    },
    db2: {
      kind: "mysql97",
      at: "db2:3306",
      serverId: 2,
      args: ["--bind-address=127.0.0.3"],
    },
    db3: {
      kind: "mysql97",
      at: "db3:3306",
      serverId: 3,
      args: ["--bind-address=127.0.0.4"],
    },
  },
  prepare: async (run) => {
    await installStandIns(run);
    await run.server("db1").query(
      "CREATE TABLE item (id INT PRIMARY KEY, name VARCHAR(20)); INSERT INTO item VALUES (1, 'bolt')",
    );
  },
  sql: {
    "CREATE USER kingbus": "db1",
    "DROP TABLE shop.item": "db1",
    "SOURCE_HOST='db1'": "db2",
  },
  before: {
    "kingbus export --to /backup": caughtUp,
    "kingbus events | grep -B 1 'DROP TABLE'": caughtUp,
    "SELECT WAIT_FOR_EXECUTED_GTID_SET": loseSource,
  },
  after: {
    "systemctl enable --now kingbus": async (run) => {
      // Once when it is installed, and once when it has moved.
      await run.server("db2").query(`STOP REPLICA; ${REPLICATE}`);
      await caughtUp(run);
    },
    "before=${mistake": async (run) => {
      const gtid = /^3e11fa47-71ca-11e1-9e33-c80aa9429562:\d+$/m;
      assertMatch(await run.type('echo "$mistake"'), gtid);
      assertMatch(await run.type('echo "$before"'), gtid);
    },
    "SELECT * FROM shop.item": (_run, output) => {
      assertMatch(output, /1\s+bolt\n2\s+nut\n/);
    },
    "SOURCE_HOST='db1'": async (run) => {
      await run.server("db1").query(
        "CREATE TABLE direct (id INT PRIMARY KEY)",
      );
      await run.arrives("db2", "SELECT COUNT(*) FROM shop.direct", "0");
    },
    "SELECT WAIT_FOR_EXECUTED_GTID_SET": (_run, output) => {
      assertMatch(output, /^0$/m);
    },
    "kingbus source start --address db2:3306": async (run) => {
      await run.server("db2").query("CREATE TABLE promoted (id INT)");
      await run.holds("kingbus follows db2", async () => {
        const text = await run.machine.must("kingbus status");
        assertStringIncludes(text, "following db2:3306");
      });
    },
  },
  finish: async (run) => {
    const verified = await run.machine.must("cat /backup/verify.txt");
    assertStringIncludes(verified, "sound");
    assertEquals(await run.server("db3").query(COUNT), "2");
  },
});
