import { assertEquals, assertStringIncludes } from "@std/assert";
import { rigTest } from "../../../scripts/test_servers/rig.ts";
import { startMariadb } from "../../support/mariadb.ts";
import {
  SharedReplica56,
  SharedSource56,
} from "../../support/shared_mysql56.ts";
import { SharedServer } from "../../support/shared_server.ts";
import {
  dropDatabases,
  logEndOf,
  TestReplica,
} from "../../support/sql_server.ts";
import {
  TestAuthority,
  TestCertificateFolder,
} from "../../support/test_authority.ts";
import { TestKingbus } from "../../support/test_kingbus.ts";
import { waitUntil } from "../../../scripts/test_servers/wait_until.ts";
import { TEST_TABLE } from "../../support/test_table.ts";

const source = new SharedSource56();
const replicas56 = new SharedReplica56();
const replicas = new SharedServer(() => startMariadb(8094));
const authority = await TestAuthority.make("test authority");
const TABLE = [
  TEST_TABLE,
  "INSERT INTO test.t (data) VALUES ('one'), (REPEAT('x', 100000))",
];

await rigTest(
  "a MariaDB replica of kingbus has all transactions over TLS, and verifies the certificate",
  ["mariadb", "mariadb-replica"],
  async () => {
    const replica = await replicas.running();
    await replica.run("STOP SLAVE", "RESET SLAVE ALL", "RESET MASTER");
    await dropDatabases(replica);
    await using folder = await TestCertificateFolder.make();
    const tls = await folder.serverTls(authority, { required: true });
    const ca = await folder.write("ca.pem", authority.pem);
    await using kingbus = await TestKingbus.following(source, {
      server: { tls },
    });
    await source.run(...TABLE);
    await replica.run(
      `CHANGE MASTER TO MASTER_HOST = '127.0.0.1', MASTER_PORT = ${kingbus.port},
       MASTER_USER = 'repl', MASTER_PASSWORD = 'replpass',
       MASTER_LOG_FILE = 'binlog.000001', MASTER_LOG_POS = 4,
       MASTER_USE_GTID = no, MASTER_CONNECT_RETRY = 1,
       MASTER_SSL = 1, MASTER_SSL_CA = '${ca}', MASTER_SSL_VERIFY_SERVER_CERT = 1`,
      "START SLAVE",
    );
    const { fileName, position } = await logEndOf(source.server);
    await new TestReplica(replica).waitUntilAt(fileName, position);
    const sql = "SELECT id, MD5(data) FROM test.t ORDER BY id";
    assertEquals(
      (await replica.query(sql)).rows,
      (await source.server.query(sql)).rows,
    );
    const [status] = await kingbus.waitUntilDumping(1);
    assertEquals(status!.tls?.version, "TLSv1.3");
    await replica.run("STOP SLAVE");
  },
);

await rigTest(
  "MariaDB's client and mariadb-binlog come over TLS",
  ["mariadb-client", "mariadb-binlog"],
  async (rig) => {
    await using folder = await TestCertificateFolder.make();
    const tls = await folder.serverTls(authority, { required: true });
    const ca = await folder.write("ca.pem", authority.pem);
    await using kingbus = await TestKingbus.following(source, {
      server: { tls, identity: "source" },
    });
    await source.run(...TABLE);
    const { fileName, position } = await logEndOf(source.server);
    await kingbus.waitUntilAt(fileName, position);
    const login = [
      "--no-defaults",
      "--host=127.0.0.1",
      `--port=${kingbus.port}`,
      "--user=repl",
      "--password=replpass",
      "--ssl",
      `--ssl-ca=${ca}`,
      "--ssl-verify-server-cert",
    ];
    const text = async (
      program: "mariadb-client" | "mariadb-binlog",
      args: readonly string[],
    ) => {
      const { success, stdout, stderr } = await rig.program(program).run([
        ...login,
        ...args,
      ]);
      assertEquals(success, true, new TextDecoder().decode(stderr));
      return new TextDecoder().decode(stdout);
    };
    for (const version of ["TLSv1.2", "TLSv1.3"]) {
      const said = await text("mariadb-client", [
        `--tls-version=${version}`,
        "--batch",
        "--execute=SHOW STATUS LIKE 'Ssl_version'",
      ]);
      assertStringIncludes(said, version);
    }
    const events = await text("mariadb-binlog", [
      "--read-from-remote-server",
      fileName,
    ]);
    assertStringIncludes(events, "CREATE TABLE test.t");
  },
);

Deno.test("a MySQL 5.6 replica without MASTER_SSL replicates from a kingbus that offers TLS; with it, it is refused clearly", async () => {
  const { server, replica } = replicas56;
  await using folder = await TestCertificateFolder.make();
  const tls = await folder.serverTls(authority);
  await using kingbus = await TestKingbus.following(source, {
    server: { tls },
  });
  await source.run(...TABLE);
  const { fileName, position } = await logEndOf(source.server);
  await kingbus.waitUntilAt(fileName, position);
  await replica.start({ port: kingbus.port });
  const [status] = await kingbus.waitUntilDumping(1);
  assertEquals(status!.tls, undefined);
  await replica.waitUntilAt(fileName, position);
  await replica.stop();

  // yaSSL speaks TLS 1.0 at most.
  const ca = await folder.write("ca.pem", authority.pem);
  await replica.start({
    port: kingbus.port,
    settings: ["MASTER_SSL = 1", `MASTER_SSL_CA = '${ca}'`],
  });
  await waitUntil(
    "its handshake was refused",
    () => kingbus.server.status().refusals["tls-failed"] > 0,
  );
  const fault = await waitUntil("the replica said so", async () => {
    const said = (await replica.state()).Last_IO_Error ?? "";
    return said === "" ? false : said;
  });
  assertStringIncludes(fault, "error connecting to master");
  await replica.stop();
  // What it keeps over RESET SLAVE ALL.
  await server.query("CHANGE MASTER TO MASTER_SSL = 0, MASTER_SSL_CA = ''");
});
