import { documentTest } from "./document_suite.ts";

await documentTest("docs/admin-api.md", {
  servers: {
    source: { kind: "mysql97", at: "[::1]:3306", serverId: 1 },
  },
  prepare: async (run) => {
    await run.server("source").query(
      `CREATE USER repl@'%' IDENTIFIED BY 'replpass';
      GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO repl@'%';
      RESET BINARY LOGS AND GTIDS TO 41;
      CREATE TABLE item (id INT PRIMARY KEY);
      FLUSH LOGS;
      INSERT INTO item VALUES (1)`,
    );
    await run.startKingbus("kingbus.yaml", "data-dir: ./data\n");
  },
  after: {
    "/binlog/syncer/start -H": (run) => run.logIs("[::1]:3306"),
  },
});
