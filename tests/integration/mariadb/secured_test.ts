import { assertEquals } from "@std/assert";
import { rigTest } from "../../../scripts/test_servers/rig.ts";
import { waitUntil } from "../../../scripts/test_servers/wait_until.ts";
import { startMariadb } from "../../support/mariadb.ts";
import { MariadbReplica } from "../../support/mariadb_replica.ts";
import { assertSameLog, caughtUp } from "../../support/mariadb_source.ts";
import { checksumTables } from "../../support/sql_server.ts";
import {
  TestAuthority,
  TestCertificateFolder,
} from "../../support/test_authority.ts";
import { TestKingbus } from "../../support/test_kingbus.ts";

const RELEASES = [
  { release: "installed", version: "10.11", part: "mariadb", id: 8120 },
  { release: "sid", version: "11.8", part: "mariadb-sid", id: 8122 },
] as const;

const authority = await TestAuthority.make("test authority");

/** One transaction in each of two domains and two files. */
const STATEMENTS: readonly string[] = [
  "CREATE TABLE test.t (id INT AUTO_INCREMENT PRIMARY KEY, data LONGBLOB)",
  "INSERT INTO test.t (data) VALUES (REPEAT('x', 300000))",
  "SET SESSION gtid_domain_id = 3",
  "FLUSH LOGS",
  "INSERT INTO test.t (data) VALUES ('of another domain')",
];

await rigTest(
  "a MariaDB replica is not let in before kingbus knows its source, and goes on by GTID then",
  ["mariadb"],
  async () => {
    await using source = await startMariadb(8124);
    await using server = await startMariadb(8125);
    await using kingbus = await TestKingbus.start();
    const replica = new MariadbReplica(server);
    await replica.start({ port: kingbus.port });
    await waitUntil(
      "it was turned away",
      () => kingbus.server.status().refusals["no-source-yet"] > 0,
    );
    // an operator may come
    await using _ = await kingbus.connect();
    await source.run(...STATEMENTS);
    await kingbus.follow(source);
    await replica.waitUntilHasAllOf(source);
    const [dump] = await kingbus.waitUntilDumping(1);
    assertEquals(dump!.mode, "gtid");
    await replica.stop();
  },
);

for (const { release, version, part, id } of RELEASES) {
  // only the newer one makes itself a certificate, so that it offers TLS
  const offersTls = release === "sid";
  await rigTest(
    `a MariaDB ${version} replica follows kingbus by GTID over TLS, compressed, as kingbus follows its source`,
    [part],
    async () => {
      await using source = await startMariadb(id, [], release);
      await using server = await startMariadb(id + 1, [
        "--slave-compressed-protocol=1",
      ], release);
      await using folder = await TestCertificateFolder.make();
      await using kingbus = await TestKingbus.following(source, {
        server: {
          tls: await folder.serverTls(authority, { required: true }),
          compression: ["zlib", "zstd"],
        },
        source: {
          tls: { mode: offersTls ? "required" : "preferred", files: {} },
          compression: { algorithm: "zlib", level: 6 },
        },
      });
      const replica = new MariadbReplica(server);
      await replica.start({
        port: kingbus.port,
        settings: ["MASTER_SSL = 1"],
      });
      await source.run(...STATEMENTS);
      await replica.waitUntilHasAllOf(source);
      assertEquals(await checksumTables(server), await checksumTables(source));
      const [dump] = await kingbus.waitUntilDumping(1);
      assertEquals(
        [dump!.mode, dump!.tls?.version, dump!.compression],
        ["gtid", "TLSv1.3", "zlib"],
      );
      const followed = kingbus.status.source;
      assertEquals(followed?.tls?.version, offersTls ? "TLSv1.3" : undefined);
      assertEquals(followed?.compression, "zlib");
      await assertSameLog(kingbus, source);
      await replica.stop();
    },
  );
}

await rigTest(
  "kingbus follows a MariaDB 10.11 source over TLS in every mode, and an account of it that asks for a certificate",
  ["mariadb"],
  async (_rig, context) => {
    await using folder = await TestCertificateFolder.make();
    const pair = await authority.issue({ hosts: ["127.0.0.1"] });
    const files = await folder.writePair("source", pair);
    const ca = await folder.write("ca.pem", authority.pem);
    const own = await folder.writePair(
      "kingbus",
      await authority.issue({ use: "client" }),
    );
    await using source = await startMariadb(8126, [
      `--ssl-cert=${files.certificate}`,
      `--ssl-key=${files.key}`,
      `--ssl-ca=${ca}`,
    ]);
    await source.run(
      ...STATEMENTS,
      "CREATE USER certified@'%' IDENTIFIED BY 'replpass' REQUIRE X509",
      "GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO certified@'%'",
    );
    const modes = [
      { mode: "preferred", files: {}, user: "repl" },
      { mode: "required", files: {}, user: "repl" },
      { mode: "verify-ca", files: { ca }, user: "repl" },
      { mode: "verify-identity", files: { ca }, user: "repl" },
      { mode: "verify-identity", files: { ca, ...own }, user: "certified" },
    ] as const;
    for (const { user, ...tls } of modes) {
      await context.step(`${tls.mode} as ${user}`, async () => {
        await using kingbus = await TestKingbus.start();
        await kingbus.follow(source, { tls, user });
        await caughtUp(kingbus, source);
        assertEquals(kingbus.status.source?.tls?.version, "TLSv1.3");
        await assertSameLog(kingbus, source);
      });
    }
    await context.step("not without the certificate", async () => {
      await using kingbus = await TestKingbus.start();
      const tls = { mode: "verify-identity", files: { ca } } as const;
      await kingbus.follow(source, { tls, user: "certified" });
      await kingbus.waitUntilCause("refused");
    });
    await context.step("not another authority's", async () => {
      const stranger = await TestAuthority.make("another authority");
      const other = await folder.write("other.pem", stranger.pem);
      await using kingbus = await TestKingbus.start();
      const tls = { mode: "verify-ca", files: { ca: other } } as const;
      await kingbus.follow(source, { tls });
      await kingbus.waitUntilCause("tls");
    });
  },
);
