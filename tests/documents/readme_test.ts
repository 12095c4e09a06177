import { assertMatch } from "@std/assert";
import { CHECKOUT } from "./document_machine.ts";
import type { DocumentRun } from "./document_run.ts";
import { documentTest } from "./document_suite.ts";

const COUNT = "SELECT COUNT(*) FROM shop.item";

/** A source that is replicated from already, when kingbus comes. */
async function replicate(run: DocumentRun): Promise<void> {
  await run.server("db1").query(`CREATE TABLE item (id INT PRIMARY KEY);
    INSERT INTO item VALUES (1);
    SET sql_log_bin = 0;
    CREATE USER repl@'%' IDENTIFIED BY 'replpass';
    GRANT REPLICATION SLAVE ON *.* TO repl@'%'`);
  await run.server("db2").query(
    `CHANGE REPLICATION SOURCE TO SOURCE_HOST='db1', SOURCE_PORT=3306,
      SOURCE_USER='repl', SOURCE_PASSWORD='replpass', SOURCE_AUTO_POSITION=1,
      SOURCE_SSL=1;
    START REPLICA`,
  );
  await run.arrives("db2", COUNT, "1");
  await run.server("maria1").query(
    "CREATE TABLE item (id INT PRIMARY KEY); INSERT INTO item VALUES (1)",
  );
}

await documentTest("README.md", {
  folder: CHECKOUT,
  hosts: { db1: "127.0.1.1", db2: "127.0.1.2", kb1: "127.0.0.1" },
  servers: {
    db1: { kind: "mysql97", at: "127.0.1.1:3306", serverId: 1 },
    db2: { kind: "mysql97", at: "127.0.1.2:3306", serverId: 2 },
    maria1: { kind: "mariadb", at: "127.0.1.3:3306", serverId: 3 },
    maria2: { kind: "mariadb", at: "127.0.1.4:3306", serverId: 4 },
  },
  passwords: { operator: "operatorpass" },
  prepare: replicate,
  sql: {
    "REPLICATION CLIENT ON": "db1",
    "SOURCE_AUTO_POSITION": "db2",
    "BINLOG MONITOR ON": "maria1",
    "MASTER_USE_GTID": "maria2",
  },
  after: {
    "kingbus status": (_run, output) => {
      assertMatch(output, /db1/);
    },
    "SOURCE_AUTO_POSITION": async (run) => {
      await run.server("db1").query("INSERT INTO item VALUES (2)");
      await run.arrives("db2", COUNT, "2");
    },
    "kingbus replicas": (_run, output) => assertMatch(output, /repl\b/),
    "BINLOG MONITOR ON": async (run) => {
      const text = await run.type("cat kingbus.yaml");
      const other = text.replace("db1:", "127.0.1.3:").replace("./data", "./m");
      await run.startKingbus("mariadb.yaml", other);
      await run.logIs("127.0.1.3:3306");
    },
    "MASTER_USE_GTID": async (run) => {
      await run.arrives("maria2", COUNT, "1");
      await run.startKingbus("kingbus.yaml");
      await run.logIs("127.0.1.1:3306");
    },
  },
});
