import { assertMatch } from "@std/assert";
import type { DocumentRun } from "./document_run.ts";
import { documentTest } from "./document_suite.ts";
import { OWNER } from "./machine_server.ts";

/** Files and rows that clients of both logs can look for. */
const ROWS = `CREATE TABLE item (id INT PRIMARY KEY, name VARCHAR(20));
INSERT INTO item VALUES (1, 'bolt');
FLUSH LOGS;
INSERT INTO item VALUES (2, 'nut');
`;

const COUNT = "SELECT COUNT(*) FROM shop.item";

const MYSQL = "mysql.yaml";
const MARIADB = "mariadb.yaml";

function configuration(name: string, port: number): string {
  return `name: ${name}
data-dir: ./${name}
server:
  users:
    - { name: repl, password: replpass }
    - { name: app, password: apppass, rights: [replicate] }
    - { name: operator, password: operatorpass, rights: [admin] }
source:
  address: 127.0.0.1:${port}
  user: ${OWNER.user}
  password: ${OWNER.password}
`;
}

/** A replica has to be connected, whatever it can apply. */
async function isConnected(run: DocumentRun, replica: string): Promise<void> {
  await run.holds(`${replica} is connected`, async () => {
    const status = await run.server(replica).replicaStatus();
    assertMatch(status, /(Slave|Replica)_IO_Running: Yes/);
  });
}

/** Forgets what it has, to begin anew from another log. */
async function beginAnew(run: DocumentRun): Promise<void> {
  await run.server("mariadb_replica").query(
    "STOP SLAVE; RESET SLAVE ALL; DROP TABLE IF EXISTS item; RESET MASTER; SET GLOBAL gtid_slave_pos = ''",
  );
}

async function serveMariadb(run: DocumentRun): Promise<void> {
  await run.startKingbus(MARIADB);
  await run.logIs("127.0.0.1:3307");
}

async function serveMysql(run: DocumentRun): Promise<void> {
  await run.startKingbus(MYSQL);
  await run.logIs("127.0.0.1:3306");
}

await documentTest("docs/connecting.md", {
  servers: {
    source: {
      kind: "mysql97",
      at: "127.0.0.1:3306",
      serverId: 1,
      uuid: "3e11fa47-71ca-11e1-9e33-c80aa9429562",
      args: ["--binlog-row-metadata=FULL"],
    },
    mariadb: { kind: "mariadb", at: "127.0.0.1:3307", serverId: 1 },
    replica: { kind: "mysql97", at: "127.0.0.1:3308", serverId: 3 },
    older: { kind: "mysql56", at: "127.0.0.1:3309", serverId: 4 },
    mariadb_replica: { kind: "mariadb", at: "127.0.0.1:3310", serverId: 5 },
  },
  passwords: { operator: "operatorpass" },
  prepare: async (run) => {
    await run.server("source").query(
      `${ROWS} SET sql_log_bin = 0; CREATE USER app@'%' IDENTIFIED BY 'apppass'; GRANT ALL ON *.* TO app@'%'`,
    );
    await run.server("mariadb").query(`SET gtid_seq_no = 99; ${ROWS}`);
    await run.startKingbus(MARIADB, configuration("mariadb", 3307));
    await run.logIs("127.0.0.1:3307");
    await run.startKingbus(MYSQL, configuration("mysql", 3306));
    await run.logIs("127.0.0.1:3306");
    await run.type("cp mysql/tls/ca.pem kingbus-ca.pem");
    const { folder } = run.server("replica");
    await run.type(`cp kingbus-ca.pem ${folder}/data/`);
  },
  sql: {
    "SOURCE_AUTO_POSITION": "replica",
    "SOURCE_SSL_CA": "replica",
    "SOURCE_COMPRESSION": "replica",
    "MASTER_AUTO_POSITION": "older",
    "MASTER_USE_GTID=slave_pos": "mariadb_replica",
    "MASTER_USE_GTID=no": "mariadb_replica",
    "slave_compressed_protocol": "mariadb_replica",
    "REPLICATION CLIENT ON": "source",
    "BINLOG MONITOR ON": "mariadb",
  },
  before: {
    "MASTER_USE_GTID=slave_pos": serveMariadb,
    "MASTER_USE_GTID=no": async (run) => {
      await beginAnew(run);
      await serveMysql(run);
    },
    "mariadb-binlog $login --read-from-remote-server --raw binlog.000001":
      async (run) => {
        await serveMariadb(run);
        await run.type("cp mariadb/tls/ca.pem kingbus-ca.pem");
      },
    'import ZongJi from "@vlasky/zongji"': async (run) => {
      await serveMysql(run);
      await run.type("cp mysql/tls/ca.pem kingbus-ca.pem");
    },
  },
  after: {
    "SOURCE_AUTO_POSITION=1": (run) => run.arrives("replica", COUNT, "2"),
    "SOURCE_SSL_CA": (run) => isConnected(run, "replica"),
    "SOURCE_COMPRESSION": (run) => isConnected(run, "replica"),
    "SOURCE_AUTO_POSITION=0": (run) => isConnected(run, "replica"),
    "MASTER_AUTO_POSITION": (run) => isConnected(run, "older"),
    "MASTER_USE_GTID=slave_pos": (run) =>
      run.arrives("mariadb_replica", COUNT, "2"),
    "MASTER_USE_GTID=no": (run) => isConnected(run, "mariadb_replica"),
    'import ZongJi from "@vlasky/zongji"': (_run, output) => {
      assertMatch(output, /WriteRows[^]*bolt[^]*nut/i);
    },
    'SHOW REPLICA STATUS")': (_run, output) => {
      assertMatch(output, /2 files; the source: Yes/);
    },
    "SHOW PROCESSLIST": (_run, output) =>
      assertMatch(output, /operator .*Query/),
  },
});
