import { assertMatch, assertStringIncludes } from "@std/assert";
import type { DocumentRun } from "./document_run.ts";
import { documentTest } from "./document_suite.ts";
import { installStandIns } from "./service_stand_ins.ts";

const UUID = "3e11fa47-71ca-11e1-9e33-c80aa9429562";

/** Replicas run, and a transaction of the source arrives by kingbus. */
async function replicates(run: DocumentRun, table: string): Promise<void> {
  await run.server("db1").query(`CREATE TABLE ${table} (id INT PRIMARY KEY)`);
  await run.arrives("replica1", `SELECT COUNT(*) FROM shop.${table}`, "0");
}

/** The replica comes from where this says, as `SHOW REPLICA STATUS` has it. */
async function comesFrom(run: DocumentRun, host: string): Promise<void> {
  const status = await run.server("replica1").query(
    "SELECT HOST FROM performance_schema.replication_connection_configuration",
  );
  assertStringIncludes(status, host);
}

// The original can't be run any more; the source itself, under another name,
// stands for it: that is what it served its replicas.
await documentTest("docs/migration.md", {
  hosts: {
    "db1": "127.0.0.2",
    "old-kingbus": "127.0.0.2",
    "replica1": "127.0.0.3",
    "kingbus-1": "127.0.0.1",
  },
  servers: {
    db1: {
      kind: "mysql97",
      at: "db1:3306",
      serverId: 1,
      uuid: UUID,
      args: ["--bind-address=127.0.0.2"],
    },
    replica1: {
      kind: "mysql97",
      at: "replica1:3306",
      serverId: 2,
      args: ["--bind-address=127.0.0.3", "--performance-schema=ON"],
    },
  },
  prepare: async (run) => {
    await installStandIns(run);
    await run.machine.must(
      `printf %s sourcepass >/etc/kingbus/secrets/source-password
       printf %s replpass >/etc/kingbus/secrets/repl-password`,
    );
    await run.server("db1").query(
      `CREATE USER repl@'%' IDENTIFIED BY 'replpass';
       GRANT REPLICATION SLAVE ON *.* TO repl@'%';
       CREATE TABLE item (id INT PRIMARY KEY); INSERT INTO item VALUES (1)`,
    );
    await run.server("replica1").query(
      `CHANGE REPLICATION SOURCE TO SOURCE_HOST='old-kingbus', SOURCE_PORT=3306,
       SOURCE_USER='repl', SOURCE_PASSWORD='replpass', SOURCE_AUTO_POSITION=1;
       START REPLICA`,
    );
    await run.arrives("replica1", "SELECT COUNT(*) FROM shop.item", "1");
  },
  sql: {
    "CREATE USER kingbus": "db1",
    "SOURCE_HOST='kingbus-1'": "replica1",
    "SOURCE_LOG_FILE": "replica1",
    "SOURCE_HOST='old-kingbus'": "replica1",
  },
  before: {
    // one that waits to be told what to follow, as the original did
    "curl -sS -X PUT": (run) =>
      run.startKingbus("early.yaml", "data-dir: ./early\n"),
    "systemctl enable --now kingbus": (run) => run.stopKingbus(),
    "AS can_move": (run) => run.logIs("db1:3306"),
    "kingbus import": async (run) => {
      const { folder } = run.server("db1");
      await run.server("db1").query("FLUSH BINARY LOGS");
      await run.machine.must(
        `mkdir -p /backup/binlogs && cp ${folder}/data/binlog.000001 /backup/binlogs/`,
      );
    },
    "executed=$(curl": (run) => run.logIs("db1:3306"),
  },
  finish: async (run) => {
    await replicates(run, "last");
    await comesFrom(run, "old-kingbus");
  },
  after: {
    "curl -sS -X PUT": (_run, output) => {
      assertStringIncludes(output, '{"message":"success","data":""}');
    },
    "AS can_move": (_run, output) => assertMatch(output, /can_move\n1\n/),
    "SOURCE_HOST='kingbus-1'": async (run) => {
      await replicates(run, "moved");
      await comesFrom(run, "kingbus-1");
    },
    "AS timed_out": (_run, output) => assertMatch(output, /timed_out\n0\n/),
    "AS of_its_own": (_run, output) => assertMatch(output, /of_its_own\n\n/),
  },
});
