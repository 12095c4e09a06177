import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import type { SourceTls } from "../../../lib/syncer/source_tls.ts";
import { readCredentials } from "../../../lib/tls/credentials.ts";
import { rigTest } from "../../../scripts/test_servers/rig.ts";
import type { LaunchedServer } from "../../support/launched_server.ts";
import { startMysql97 } from "../../support/mysql97.ts";
import { SharedMysql97 } from "../../support/shared_mysql97.ts";
import { assertSameFiles } from "../../support/source_file.ts";
import { executedOf } from "../../support/sql_server.ts";
import {
  TestAuthority,
  TestCertificateFolder,
  type TestCertificateOptions,
} from "../../support/test_authority.ts";
import { TestKingbus } from "../../support/test_kingbus.ts";
import { TEST_TABLE } from "../../support/test_table.ts";
import { MYSQL97_KINDS } from "../../support/transaction_kinds.ts";

const sources = new SharedMysql97(9773);
const authority = await TestAuthority.make("test authority");

/** Puts a certificate in the place of the source's own. */
async function giveCertificate(
  source: LaunchedServer,
  by: TestAuthority,
  options: TestCertificateOptions,
): Promise<void> {
  const folder = source.onDisk.binlogFolder;
  const { certificatePem, keyPem } = await by.issue(options);
  await Deno.writeTextFile(`${folder}/server-cert.pem`, certificatePem);
  await Deno.writeTextFile(`${folder}/server-key.pem`, keyPem);
  await Deno.writeTextFile(`${folder}/ca.pem`, by.pem);
  await source.query("ALTER INSTANCE RELOAD TLS");
}

/**
 * An empty source that lets nobody in without TLS, but for the connection that
 * the test has already.
 */
async function secureSource(): Promise<LaunchedServer> {
  const source = await sources.asSource();
  await source.query("SET GLOBAL require_secure_transport = ON");
  return source;
}

await rigTest(
  "a MySQL 9.7 source with require_secure_transport is followed in every mode that has TLS",
  ["mysql97"],
  async () => {
    const source = await secureSource();
    await using folder = await TestCertificateFolder.make();
    const ca = await folder.write("ca.pem", authority.pem);
    await giveCertificate(source, authority, { hosts: ["127.0.0.1"] });
    await source.run(TEST_TABLE);
    for (const statements of Object.values(MYSQL97_KINDS)) {
      await source.run(...statements);
    }
    for (
      const mode of [
        "preferred",
        "required",
        "verify-ca",
        "verify-identity",
      ] as const
    ) {
      await using kingbus = await TestKingbus.start();
      await kingbus.follow(source, { tls: { mode, files: { ca } } });
      await kingbus.waitUntilHas(await executedOf(source));
      await assertSameFiles(kingbus, source.onDisk);
      assertEquals(kingbus.status.source?.tls?.version, "TLSv1.3");
    }
  },
);

await rigTest(
  "kingbus says what is wrong about TLS with a MySQL 9.7 source, and what to do",
  ["mysql97"],
  async () => {
    const source = await secureSource();
    await using folder = await TestCertificateFolder.make();
    const stranger = await TestAuthority.make("another authority");
    const ca = await folder.write("ca.pem", authority.pem);
    const foreign = await folder.writePair("foreign", await stranger.issue());
    const own = await folder.writePair(
      "own",
      await authority.issue({ use: "client" }),
    );
    await using kingbus = await TestKingbus.start();
    const expect = async (tls: SourceTls, wanted: RegExp) => {
      await kingbus.follow(source, { tls });
      const { reason } = await kingbus.waitUntilCause("tls");
      assertMatch(reason ?? "", wanted);
      await kingbus.syncer.stop();
    };
    const verified = { mode: "verify-ca", files: { ca } } as const;

    await giveCertificate(source, authority, { hosts: ["db.example"] });
    await expect({ mode: "disabled", files: {} }, /3159.*source\.tls\.mode/);
    await expect(
      { mode: "verify-identity", files: { ca } },
      /is for DNS:db\.example, not for 127\.0\.0\.1; .*verify-ca/,
    );
    await expect(
      { mode: "required", files: foreign },
      /refuses our certificate.*source\.tls\.certificate/,
    );
    await expect(
      { mode: "required", files: { ca: `${folder.path}/none.pem` } },
      /none\.pem does not exist; check the files/,
    );
    await giveCertificate(source, stranger, { hosts: ["127.0.0.1"] });
    await expect(verified, /another authority.*no trusted authority.*ca/);
    // A certificate that is trusted brings it back.
    await giveCertificate(source, authority, { hosts: ["127.0.0.1"] });
    await source.run(TEST_TABLE);
    await kingbus.follow(source, {
      tls: { ...verified, files: { ca, ...own } },
    });
    await kingbus.waitUntilHas(await executedOf(source));
  },
);

Deno.test("kingbus follows no source whose certificate is out of its time or self-signed", async () => {
  await using folder = await TestCertificateFolder.make();
  const ca = await folder.write("ca.pem", authority.pem);
  const strangers = await folder.write(
    "strangers.pem",
    (await TestAuthority.make("another authority")).pem,
  );
  // A server does not start with such certificates; kingbus takes its place.
  const expect = async (
    options: TestCertificateOptions & { selfSigned?: true },
    file: string,
    wanted: RegExp,
  ) => {
    const pair = options.selfSigned
      ? await (await TestAuthority.make("itself")).asOwn()
      : await authority.issue(options);
    const files = await folder.writePair("source", pair);
    const credentials = await readCredentials(files);
    await using source = await TestKingbus.start({
      server: {
        tls: {
          required: false,
          clientCertificate: "ignored",
          files,
          credentials: () => credentials,
        },
      },
    });
    await using kingbus = await TestKingbus.start();
    const tls = { mode: "verify-ca", files: { ca: file } } as const;
    await kingbus.follow(source, { tls });
    const { reason } = await kingbus.waitUntilCause("tls");
    assertMatch(reason ?? "", wanted);
  };
  await expect(
    { fromDays: -9, toDays: -2 },
    ca,
    /expired on .*new certificate/,
  );
  await expect({ fromDays: 2, toDays: 9 }, ca, /not valid before .*clocks/);
  await expect({ selfSigned: true }, ca, /is self-signed .*source\.tls\.ca/);
  await expect({}, strangers, /test authority, which is no trusted/);
});

await rigTest(
  "an account with REQUIRE X509 is followed with a certificate only",
  ["mysql97"],
  async () => {
    const source = await secureSource();
    await using folder = await TestCertificateFolder.make();
    await giveCertificate(source, authority, { hosts: ["127.0.0.1"] });
    const own = await folder.writePair("own", await authority.issue());
    await source.run(
      "SET sql_log_bin = 0",
      "CREATE USER IF NOT EXISTS x509@'%' IDENTIFIED BY 'x509pass' REQUIRE X509",
      "GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO x509@'%'",
      "SET sql_log_bin = 1",
      TEST_TABLE,
    );
    const account = { user: "x509", password: "x509pass" };
    await using kingbus = await TestKingbus.start();
    await kingbus.follow(source, {
      ...account,
      tls: { mode: "required", files: {} },
    });
    const { reason } = await kingbus.waitUntilCause("refused");
    assertStringIncludes(reason ?? "", "1045");
    await kingbus.syncer.stop();
    await kingbus.follow(source, {
      ...account,
      tls: { mode: "required", files: own },
    });
    await kingbus.waitUntilHas(await executedOf(source));
  },
);

await rigTest(
  "a MySQL 9.7 source without TLS is followed with preferred, and refused with required",
  ["mysql97"],
  async () => {
    await using source = await startMysql97(9774, ["--tls-version="]);
    await source.run(TEST_TABLE);
    await using kingbus = await TestKingbus.start();
    await kingbus.follow(source, { tls: { mode: "required", files: {} } });
    const { reason } = await kingbus.waitUntilCause("tls");
    assertMatch(reason ?? "", /does not offer TLS; .*preferred/);
    await kingbus.syncer.stop();
    await kingbus.follow(source, { tls: { mode: "preferred", files: {} } });
    await kingbus.waitUntilHas(await executedOf(source));
    assertEquals(kingbus.status.source?.tls, undefined);
  },
);
