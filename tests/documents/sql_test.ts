import { assertMatch } from "@std/assert";
import { documentTest } from "./document_suite.ts";
import { OWNER } from "./machine_server.ts";

const OPERATOR =
  "mysql --host=127.0.0.1 --port=3390 --user=operator --password=operatorpass";

await documentTest("docs/sql.md", {
  hosts: { "db1.example.com": "127.0.1.1", "db2.example.com": "127.0.1.2" },
  servers: {
    db1: { kind: "mysql97", at: "127.0.1.1:3306", serverId: 1 },
    db2: { kind: "mysql97", at: "127.0.1.2:3306", serverId: 2 },
  },
  prepare: async (run) => {
    await run.server("db1").query("CREATE TABLE item (id INT PRIMARY KEY)");
    await run.server("db2").query(
      `CHANGE REPLICATION SOURCE TO SOURCE_HOST='127.0.1.1', SOURCE_PORT=3306,
        SOURCE_USER='${OWNER.user}', SOURCE_PASSWORD='${OWNER.password}',
        SOURCE_AUTO_POSITION=1, SOURCE_SSL=1;
      START REPLICA`,
    );
    await run.arrives("db2", "SELECT COUNT(*) FROM shop.item", "0");
    await run.startKingbus(
      "kingbus.yaml",
      `data-dir: ./data
server:
  users: [{ name: operator, password: operatorpass, rights: [admin] }]
source:
  address: db1.example.com:3306
  user: ${OWNER.user}
  password: ${OWNER.password}
`,
    );
    await run.logIs("127.0.1.1:3306");
  },
  sql: { "SOURCE_HOST = 'db2.example.com'": OPERATOR },
  after: {
    "SOURCE_HOST = 'db2.example.com'": async (run) => {
      await run.server("db2").query("CREATE TABLE other (id INT PRIMARY KEY)");
      await run.holds("kingbus follows db2.example.com", async () => {
        assertMatch(
          await run.type(
            `${OPERATOR} -e 'SHOW BINLOG EVENTS IN "binlog.000002"'`,
          ),
          /TABLE other/,
        );
      });
    },
  },
});
