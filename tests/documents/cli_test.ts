import { assertMatch } from "@std/assert";
import { documentTest } from "./document_suite.ts";
import { attachReplica, replicaConnection } from "./replica_of_kingbus.ts";

await documentTest("docs/cli.md", {
  hosts: { db1: "127.0.1.1", kb1: "127.0.0.1" },
  servers: {
    db1: { kind: "mysql97", at: "127.0.1.1:3306", serverId: 1 },
    db2: { kind: "mysql97", at: "127.0.1.2:3306", serverId: 2 },
  },
  prepare: async (run) => {
    await run.server("db1").query(
      `CREATE USER repl@'%' IDENTIFIED BY 'replpass';
      GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO repl@'%';
      CREATE TABLE item (id INT PRIMARY KEY);
      FLUSH LOGS;
      INSERT INTO item VALUES (1)`,
    );
  },
  replace: { "kick 7": async (run) => `kick ${await replicaConnection(run)}` },
  after: {
    "kingbus ready": (run) => attachReplica(run, "db2"),
    "kingbus replicas\n": (_run, output) => assertMatch(output, /binlog\.\d+/),
    "kingbus files": (_run, output) => assertMatch(output, /binlog\.000002/),
    "kingbus source stop": async (run) => {
      assertMatch(
        await run.type("curl -sS http://127.0.0.1:9595/status"),
        /stopped/,
      );
    },
    "kingbus import": async (run) => {
      assertMatch(
        await run.type("kingbus events --data-dir ./copy --file binlog.000002"),
        /table_id|Query|Write_rows/,
      );
    },
  },
});
