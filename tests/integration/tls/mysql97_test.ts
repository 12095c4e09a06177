import {
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { ClientConnection } from "../../../lib/connection/client_connection.ts";
import { ServerError } from "../../../lib/protocol/server_error.ts";
import { type Rig, rigTest } from "../../../scripts/test_servers/rig.ts";
import { waitUntil } from "../../../scripts/test_servers/wait_until.ts";
import type { LaunchedServer } from "../../support/launched_server.ts";
import { makeSemiSyncReplica } from "../../support/semi_sync_plugin.ts";
import { SharedMysql97 } from "../../support/shared_mysql97.ts";
import { assertSameFiles } from "../../support/source_file.ts";
import {
  checksumTables,
  executedOf,
  logEndOf,
  type TestReplica,
} from "../../support/sql_server.ts";
import {
  TestAuthority,
  TestCertificateFolder,
} from "../../support/test_authority.ts";
import { TestKingbus } from "../../support/test_kingbus.ts";
import {
  MODERN_KINDS,
  TRANSACTION_KINDS,
} from "../../support/transaction_kinds.ts";

const sources = new SharedMysql97(9771);
const replicas = new SharedMysql97(9772);
const authority = await TestAuthority.make("test authority");

const TABLE =
  "CREATE TABLE test.t (id INT AUTO_INCREMENT PRIMARY KEY, data LONGBLOB)";

/** Puts a file where the server finds it by its name alone. */
async function give(
  server: LaunchedServer,
  name: string,
  text: string,
): Promise<string> {
  await Deno.writeTextFile(`${server.onDisk.binlogFolder}/${name}`, text);
  return name;
}

/** Follows kingbus with just these settings and its own defaults. */
async function follow(
  replica: TestReplica,
  port: number,
  settings: readonly string[],
): Promise<void> {
  await replica.server.query(
    `CHANGE REPLICATION SOURCE TO ${
      [
        "SOURCE_HOST = '127.0.0.1'",
        `SOURCE_PORT = ${port}`,
        "SOURCE_USER = 'repl'",
        "SOURCE_PASSWORD = 'replpass'",
        "SOURCE_CONNECT_RETRY = 1",
        "SOURCE_HEARTBEAT_PERIOD = 1",
        "SOURCE_AUTO_POSITION = 1",
        ...settings,
      ].join(", ")
    }`,
  );
  await replica.resume();
}

async function fill(source: LaunchedServer): Promise<void> {
  await source.run(TABLE);
  const kinds = { ...TRANSACTION_KINDS, ...MODERN_KINDS };
  for (const statements of Object.values(kinds)) {
    await source.run(...statements);
  }
}

const CA = "kingbus-ca.pem";
const WAYS: readonly {
  name: string;
  settings: readonly string[];
  version?: string;
}[] = [
  { name: "no TLS settings at all", settings: [] },
  { name: "SOURCE_SSL = 1", settings: ["SOURCE_SSL = 1"] },
  {
    name: "SOURCE_SSL_VERIFY_SERVER_CERT = 1 and SOURCE_SSL_CA",
    settings: [
      "SOURCE_SSL = 1",
      `SOURCE_SSL_CA = '${CA}'`,
      "SOURCE_SSL_VERIFY_SERVER_CERT = 1",
    ],
  },
  {
    name: "SOURCE_TLS_VERSION TLSv1.2",
    settings: ["SOURCE_SSL = 1", "SOURCE_TLS_VERSION = 'TLSv1.2'"],
    version: "TLSv1.2",
  },
  {
    name: "SOURCE_TLS_VERSION TLSv1.3",
    settings: ["SOURCE_SSL = 1", "SOURCE_TLS_VERSION = 'TLSv1.3'"],
  },
];

for (const { name, settings, version = "TLSv1.3" } of WAYS) {
  await rigTest(
    `a MySQL 9.7 replica of kingbus with ${name} has all transactions`,
    ["mysql97", "mysql97-replica"],
    async () => {
      const source = await sources.asSource();
      const { server, replica } = await replicas.asReplica();
      await using folder = await TestCertificateFolder.make();
      const tls = await folder.serverTls(authority);
      await give(server, CA, authority.pem);
      await using kingbus = await TestKingbus.following(source, {
        server: { tls },
      });
      await follow(replica, kingbus.port, settings);
      await fill(source);
      await replica.waitUntilHas(await executedOf(source));
      assertEquals(await checksumTables(server), await checksumTables(source));
      await assertSameFiles(kingbus, source.onDisk);
      const [status] = await kingbus.waitUntilDumping(1);
      assertEquals(status!.tls?.version, version);
      assertEquals(status!.mode, "gtid");
      await replica.stop();
    },
  );
}

await rigTest(
  "a MySQL 9.7 replica dumps by position over TLS",
  ["mysql97", "mysql97-replica"],
  async () => {
    const source = await sources.asSource();
    const { server, replica } = await replicas.asReplica();
    await using folder = await TestCertificateFolder.make();
    const tls = await folder.serverTls(authority);
    await using kingbus = await TestKingbus.following(source, {
      server: { tls },
    });
    await fill(source);
    await replica.start({
      port: kingbus.port,
      from: { fileName: "binlog.000001", position: 4 },
      settings: ["SOURCE_SSL = 1"],
    });
    const { fileName, position } = await logEndOf(source);
    await replica.waitUntilAt(fileName, position);
    assertEquals(await checksumTables(server), await checksumTables(source));
    const [status] = await kingbus.waitUntilDumping(1);
    assertEquals(status!.tls?.version, "TLSv1.3");
    assertEquals(status!.mode, "position");
    await replica.stop();
  },
);

await rigTest(
  "a MySQL 9.7 replica refuses kingbus with a certificate for another name or of another authority",
  ["mysql97", "mysql97-replica"],
  async () => {
    const { server, replica } = await replicas.asReplica();
    await using folder = await TestCertificateFolder.make();
    const stranger = await TestAuthority.make("another authority");
    const verify = [
      "SOURCE_SSL = 1",
      `SOURCE_SSL_CA = '${CA}'`,
      "SOURCE_SSL_VERIFY_SERVER_CERT = 1",
    ];
    await give(server, CA, authority.pem);
    for (
      const tls of [
        await folder.serverTls(authority, { hosts: ["db.example"] }),
        await folder.serverTls(stranger),
      ]
    ) {
      await using kingbus = await TestKingbus.start({ server: { tls } });
      await follow(replica, kingbus.port, verify);
      const fault = await waitUntil("the replica had a fault", async () => {
        const said = (await replica.state()).Last_IO_Error ?? "";
        return /SSL/.test(said) ? said : false;
      });
      assertMatch(fault, /certificate verify failed|Failed to verify/i);
      await replica.stop();
    }
  },
);

await rigTest(
  "a MySQL 9.7 replica shows its certificate where kingbus requires one",
  ["mysql97", "mysql97-replica"],
  async () => {
    const source = await sources.asSource();
    const { server, replica } = await replicas.asReplica();
    await using folder = await TestCertificateFolder.make();
    const tls = await folder.serverTls(authority, {
      clientCertificate: "required",
      clients: authority,
    });
    const pair = await authority.issue({ use: "client" });
    await give(server, "replica-cert.pem", pair.certificatePem);
    await give(server, "replica-key.pem", pair.keyPem);
    await using kingbus = await TestKingbus.following(source, {
      server: { tls },
    });
    await follow(replica, kingbus.port, []);
    const said = await waitUntil("the replica was refused", async () => {
      const error = (await replica.state()).Last_IO_Error ?? "";
      return error === "" ? false : error;
    });
    assertStringIncludes(said, "gave no certificate");
    await replica.stop();
    await source.run(TABLE, "INSERT INTO test.t (data) VALUES ('x')");
    await follow(replica, kingbus.port, [
      "SOURCE_SSL = 1",
      "SOURCE_SSL_CERT = 'replica-cert.pem'",
      "SOURCE_SSL_KEY = 'replica-key.pem'",
    ]);
    await replica.waitUntilHas(await executedOf(source));
    await replica.stop();
  },
);

await rigTest(
  "a semi-synchronous MySQL 9.7 replica acknowledges over TLS",
  ["mysql97", "mysql97-replica"],
  async () => {
    const source = await sources.asSource();
    const { server, replica } = await replicas.asReplica();
    await makeSemiSyncReplica(server);
    await using folder = await TestCertificateFolder.make();
    const tls = await folder.serverTls(authority);
    await using kingbus = await TestKingbus.following(source, {
      server: { tls, semiSync: { replicas: 0, timeoutMs: 1000 } },
    });
    await follow(replica, kingbus.port, ["SOURCE_SSL = 1"]);
    await kingbus.waitUntilDumping(1);
    await source.run(
      TABLE,
      ...Array<string>(20).fill("INSERT INTO test.t (data) VALUES ('x')"),
    );
    const { fileName, position } = await logEndOf(source);
    await waitUntil("the replica has acknowledged all", () => {
      const acks = kingbus.replicas[0]?.acks;
      return acks?.file === fileName && acks.position === position;
    });
    assertEquals(kingbus.replicas[0]?.tls?.version, "TLSv1.3");
    await replica.stop();
  },
);

/** Runs mysqlbinlog against kingbus; answers what it writes. */
async function mysqlbinlog(
  rig: Rig,
  port: number,
  args: readonly string[],
): Promise<{ success: boolean; said: string; text: string }> {
  const { success, stderr, stdout } = await rig.program("mysqlbinlog").run([
    "--no-defaults",
    "--read-from-remote-server",
    "--host=127.0.0.1",
    `--port=${port}`,
    "--user=repl",
    "--password=replpass",
    ...args,
  ]);
  const decoder = new TextDecoder();
  return {
    success,
    said: decoder.decode(stderr),
    text: decoder.decode(stdout),
  };
}

await rigTest(
  "mysqlbinlog with --ssl-mode=VERIFY_IDENTITY reads what it reads from the source",
  ["mysql97", "mysqlbinlog"],
  async (rig) => {
    const source = await sources.asSource();
    await fill(source);
    await using folder = await TestCertificateFolder.make();
    const tls = await folder.serverTls(authority);
    await using kingbus = await TestKingbus.following(source, {
      server: { tls, identity: "source" },
    });
    await kingbus.waitUntilHas(await executedOf(source));
    const { itsPath, path } = await rig.program("mysqlbinlog").makeFolder();
    try {
      await Deno.writeTextFile(`${path}/ca.pem`, authority.pem);
      const ca = `--ssl-ca=${itsPath}/ca.pem`;
      for (const version of ["TLSv1.2", "TLSv1.3"]) {
        const here = await mysqlbinlog(rig, kingbus.port, [
          "--ssl-mode=VERIFY_IDENTITY",
          ca,
          `--tls-version=${version}`,
          "binlog.000001",
        ]);
        assertEquals(here.success, true, here.said);
        const there = await mysqlbinlog(rig, source.port, ["binlog.000001"]);
        assertEquals(there.success, true, there.said);
        assertEquals(here.text, there.text);
      }
      await Deno.writeTextFile(
        `${path}/ca.pem`,
        (await TestAuthority.make("another authority")).pem,
      );
      const refused = await mysqlbinlog(rig, kingbus.port, [
        "--ssl-mode=VERIFY_IDENTITY",
        ca,
        "binlog.000001",
      ]);
      assertEquals(refused.success, false);
      assertStringIncludes(refused.said, "certificate verify failed");
    } finally {
      await Deno.remove(path, { recursive: true });
    }
  },
);

await rigTest(
  "the mysql client of MySQL 9.7 comes over TLS, of itself and where it must",
  ["mysql-client"],
  async (rig) => {
    await using folder = await TestCertificateFolder.make();
    await using kingbus = await TestKingbus.start({
      server: { tls: await folder.serverTls(authority) },
    });
    for (
      const [option, version] of [
        ["--ssl-mode=PREFERRED", "TLSv1.3"],
        ["--ssl-mode=REQUIRED", "TLSv1.3"],
        ["--tls-version=TLSv1.2", "TLSv1.2"],
      ]
    ) {
      const { success, stdout, stderr } = await rig.program("mysql-client").run(
        [
          "--no-defaults",
          "--host=127.0.0.1",
          `--port=${kingbus.port}`,
          "--user=repl",
          "--password=replpass",
          option!,
          "--batch",
          "--skip-column-names",
          "--execute=SHOW STATUS LIKE 'Ssl_version'",
        ],
      );
      assertEquals(success, true, new TextDecoder().decode(stderr));
      assertEquals(
        new TextDecoder().decode(stdout),
        `Ssl_version\t${version}\n`,
      );
    }
  },
);

/** How a login without TLS is answered: error number and text. */
async function refusalOf(
  port: number,
  account: { user: string; password: string },
): Promise<string> {
  const error = await assertRejects(
    () => ClientConnection.connect({ hostname: "127.0.0.1", port, ...account }),
    ServerError,
  );
  return `${error.code} ${error.sqlState} ${error.message}`;
}

await rigTest(
  "a login without TLS is refused as MySQL 9.7 refuses it",
  ["mysql97"],
  async () => {
    const source = await sources.asSource();
    await source.run(
      "SET sql_log_bin = 0",
      "CREATE USER IF NOT EXISTS secured@'%' IDENTIFIED BY 'securedpass' REQUIRE SSL",
      "SET sql_log_bin = 1",
    );
    await using folder = await TestCertificateFolder.make();
    const right = { user: "repl", password: "replpass" };
    const secured = { user: "secured", password: "securedpass" };
    const accounts = [
      { name: "repl", password: "replpass" },
      { name: "secured", password: "securedpass", requireTls: true },
    ];
    const compare = async (kingbus: TestKingbus, logins: typeof right[]) => {
      for (const login of logins) {
        const there = await refusalOf(source.port, login);
        assertEquals(
          (await refusalOf(kingbus.port, login))
            .replace("'@'127.0.0.1'", "'@'localhost'"),
          there.replace("'@'127.0.0.1'", "'@'localhost'"),
        );
      }
    };
    {
      const tls = await folder.serverTls(authority);
      await using kingbus = await TestKingbus.start({
        server: { tls, accounts },
      });
      await compare(kingbus, [secured, { ...secured, password: "wrong" }]);
    }
    await source.query("SET GLOBAL require_secure_transport = ON");
    try {
      const tls = await folder.serverTls(authority, { required: true });
      await using kingbus = await TestKingbus.start({
        server: { tls, accounts },
      });
      await compare(kingbus, [
        right,
        { ...right, password: "wrong" },
        secured,
      ]);
    } finally {
      await source.query("SET GLOBAL require_secure_transport = OFF");
    }
  },
);
