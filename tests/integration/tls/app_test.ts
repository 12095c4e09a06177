import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { ClientConnection } from "../../../lib/connection/client_connection.ts";
import { readCredentials } from "../../../lib/tls/credentials.ts";
import { rigTest } from "../../../scripts/test_servers/rig.ts";
import { KingbusProcess, runKingbus } from "../../support/kingbus_process.ts";
import { SharedMysql97 } from "../../support/shared_mysql97.ts";
import { checksumTables, executedOf } from "../../support/sql_server.ts";
import {
  TestAuthority,
  TestCertificateFolder,
} from "../../support/test_authority.ts";

const sources = new SharedMysql97(9775);
const replicas = new SharedMysql97(9776);
const ACCOUNT = { user: "repl", password: "replpass" };
const TABLE = "CREATE TABLE test.t (id INT AUTO_INCREMENT PRIMARY KEY)";
const INSERT = "INSERT INTO test.t VALUES ()";

interface Replicas {
  readonly slaves: readonly { readonly tls: string; readonly mode: string }[];
}

function portOf({ serverListen }: KingbusProcess): number {
  return Number(serverListen.slice(serverListen.lastIndexOf(":") + 1));
}

/** Logs in over TLS and verifies the name. */
async function connect(
  kingbus: KingbusProcess,
  ca: string,
): Promise<ClientConnection> {
  const credentials = await readCredentials({ ca });
  return await ClientConnection.connect({
    hostname: "127.0.0.1",
    port: portOf(kingbus),
    ...ACCOUNT,
    tls: { mode: "verify-identity", hostname: "127.0.0.1", credentials },
  });
}

await rigTest(
  "a MySQL 9.7 replica with its defaults replicates from a kingbus with its own, source and all over TLS",
  ["mysql97", "mysql97-replica"],
  async () => {
    const source = await sources.asSource();
    const { server, replica } = await replicas.asReplica();
    await using folder = await TestCertificateFolder.make();
    const config = await folder.write(
      "kingbus.yaml",
      `data-dir: ${folder.path}/data
server:
  users: [{ name: repl, password: replpass }]
source: { address: "127.0.0.1:${source.port}", user: repl, password: replpass }
`,
    );
    await using kingbus = await KingbusProcess.start([`--config=${config}`]);
    const made = await kingbus.logged("no certificate is configured");
    assertEquals(made["ca"], `${folder.path}/data/tls/ca.pem`);
    await source.run(TABLE, INSERT, INSERT);
    await server.run(
      `CHANGE REPLICATION SOURCE TO SOURCE_HOST = '127.0.0.1', SOURCE_PORT = ${
        portOf(kingbus)
      }, SOURCE_USER = 'repl', SOURCE_PASSWORD = 'replpass', SOURCE_AUTO_POSITION = 1`,
    );
    await replica.resume();
    await replica.waitUntilHas(await executedOf(source));
    assertEquals(await checksumTables(server), await checksumTables(source));
    const { data } = await (await fetch(
      `${kingbus.adminUrl}/binlog/server/status`,
    )).json() as { data: Replicas };
    assertEquals(data.slaves.map(({ tls }) => tls), ["TLSv1.3"]);
    const followed = await (await fetch(
      `${kingbus.adminUrl}/binlog/syncer/status`,
    )).json();
    assertEquals(followed.data.source.tls, "TLSv1.3");
    assertStringIncludes(followed.data.source.tls_cipher, "TLS_");
    await replica.stop();

    // The authority's file is what clients verify it with.
    await using client = await connect(
      kingbus,
      `${folder.path}/data/tls/ca.pem`,
    );
    assertEquals(
      (await client.query("SHOW STATUS LIKE 'Ssl_version'")).rows,
      [["Ssl_version", "TLSv1.3"]],
    );
  },
);

Deno.test("SIGHUP and a change of the files bring a new certificate, and end no session", async () => {
  await using folder = await TestCertificateFolder.make();
  const names: string[] = [];
  const authorities: TestAuthority[] = [];
  for (const name of ["first", "second", "third"]) {
    const authority = await TestAuthority.make(name);
    names.push(await folder.write(`${name}.pem`, authority.pem));
    authorities.push(authority);
  }
  const give = async (index: number) =>
    await folder.writePair(
      "server",
      await authorities[index]!.issue({ hosts: ["127.0.0.1"] }),
    );
  const files = await give(0);
  await using kingbus = await KingbusProcess.start([
    `--config=${await folder.write(
      "kingbus.yaml",
      `data-dir: ${folder.path}/data
server:
  users: [{ name: repl, password: replpass }]
  tls: { certificate: ${files.certificate}, key: ${files.key} }
`,
    )}`,
  ]);
  await using first = await connect(kingbus, names[0]!);
  await give(1);
  kingbus.signal("SIGHUP");
  await kingbus.logged("certificate read again");
  await using second = await connect(kingbus, names[1]!);

  // A broken one changes nothing but the log.
  await folder.write("server-cert.pem", "broken");
  kingbus.signal("SIGHUP");
  const fault = await kingbus.logged("the new certificate can't be used");
  assertStringIncludes(String(fault["file"]), "server-cert.pem");
  await using again = await connect(kingbus, names[1]!);

  await give(2);
  await using third = await untilConnected(() => connect(kingbus, names[2]!));
  for (const client of [first, second, again, third]) {
    assertEquals((await client.query("SELECT 1")).rows, [["1"]]);
  }
});

/** Tries until the new certificate is there, which a poll finds. */
async function untilConnected(
  connect: () => Promise<ClientConnection>,
): Promise<ClientConnection> {
  const deadline = Date.now() + 30_000;
  for (;;) {
    try {
      return await connect();
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

Deno.test("kingbus does not start with certificate files that can't be used, and says why", async () => {
  await using folder = await TestCertificateFolder.make();
  const authority = await TestAuthority.make("test authority");
  const { certificate, key } = await folder.writePair(
    "server",
    await authority.issue(),
  );
  const other = await folder.writePair("other", await authority.issue());
  const none = `${folder.path}/none.pem`;
  for (
    const [keys, ...parts] of [
      [
        `server: { tls: { certificate: ${none}, key: ${key} } }`,
        "server.tls.certificate",
        "none.pem does not exist",
      ],
      [
        `server: { tls: { certificate: ${certificate}, key: ${other.key} } }`,
        "server.tls.key",
        "is not the key of the certificate in",
      ],
      [
        `server: { tls: { certificate: ${key}, key: ${key} } }`,
        "server.tls.certificate",
        "is no PEM file of a certificate",
      ],
      [
        `server: { tls: { certificate: ${certificate} } }`,
        "server.tls.certificate",
        "is given without server.tls.key",
      ],
      [
        "server: { tls: { client-certificate: required } }",
        "server.tls.client-certificate",
        "without server.tls.ca",
      ],
      [
        "source: { address: 'db:3306', user: a, password: b, tls: { mode: verify-ca } }",
        "source.tls.mode",
        "without source.tls.ca nobody is trusted",
      ],
      [
        "server: { tls: { mode: disabled }, users: [{ name: a, password: b, require-tls: true }] }",
        "server.users[0].require-tls",
        "nobody has TLS",
      ],
      ["server: { tls: { mode: on } }", "server.tls.mode", "optional"],
    ] as const
  ) {
    const config = await folder.write(
      "kingbus.yaml",
      `data-dir: ${folder.path}/data\n${keys}\n`,
    );
    const { code, stderr } = await runKingbus(["serve", `--config=${config}`]);
    assert(code !== 0, keys);
    for (const part of parts) assertStringIncludes(stderr, part);
  }
});
