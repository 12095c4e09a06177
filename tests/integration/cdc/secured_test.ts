import { assert, assertEquals } from "@std/assert";
import { createPool, type RowDataPacket } from "mysql2/promise";
import {
  APPLICATION_ACCOUNT,
  REPLICATION_ACCOUNT,
} from "../../../scripts/test_servers/mysql56.ts";
import { columnTypeStatements } from "../../support/column_types.ts";
import { SharedSource56 } from "../../support/shared_mysql56.ts";
import { logEndOf } from "../../support/sql_server.ts";
import {
  TestAuthority,
  TestCertificateFolder,
} from "../../support/test_authority.ts";
import { TestKingbus } from "../../support/test_kingbus.ts";
import {
  type Login,
  ZongjiClient,
  type ZongjiPackage,
} from "../../support/zongji_client.ts";

const source = new SharedSource56();
const authority = await TestAuthority.make("test authority");

/** What a zongji is told of the whole log, and how kingbus saw it. */
async function told(
  name: ZongjiPackage,
  login: Login,
  kingbus?: TestKingbus,
): Promise<{ lines: string[]; tls: boolean; compression: string }> {
  await using client = ZongjiClient.start(name, {
    login,
    metadata: { port: source.port, ...APPLICATION_ACCOUNT },
    start: { serverId: 5170, filename: "binlog.000001", position: 4 },
  });
  await client.waitFor('"last row"');
  await client.waitFor("Xid");
  const replica = kingbus?.replicas[0];
  await client.stop();
  return {
    lines: client.rowLines,
    tls: replica?.tls !== undefined,
    compression: replica?.compression ?? "",
  };
}

const CASES: [name: ZongjiPackage, how: Partial<Login>][] = [
  ["@vlasky/zongji", { secure: true }],
  ["@powersync/mysql-zongji", { secure: true }],
  ["@vlasky/zongji", { compress: true }],
  ["@vlasky/zongji", { secure: true, compress: true }],
];

for (const [name, how] of CASES) {
  const words = [how.secure && "TLS", how.compress && "compression"];
  const what = words.filter(Boolean).join(" and ");
  Deno.test(`${name} with ${what} is told of every row as by the source itself`, async () => {
    await source.run(...columnTypeStatements({ json: false, altered: false }));
    await using folder = await TestCertificateFolder.make();
    await using kingbus = await TestKingbus.following(source, {
      server: {
        tls: await folder.serverTls(authority),
        compression: ["zlib", "zstd"],
      },
    });
    const { fileName, position } = await logEndOf(source.server);
    await kingbus.waitUntilAt(fileName, position);
    const expected = await told(name, {
      port: source.port,
      ...REPLICATION_ACCOUNT,
    });
    const actual = await told(name, {
      port: kingbus.port,
      ...REPLICATION_ACCOUNT,
      ...how,
    }, kingbus);
    assert(expected.lines.length > 5);
    assertEquals(actual.lines, expected.lines);
    assertEquals(actual.tls, how.secure ?? false);
    assertEquals(actual.compression, how.compress ? "zlib" : "");
  });
}

for (const secure of [false, true]) {
  for (const compress of [false, true]) {
    const how = `${secure ? "with" : "without"} TLS, ${
      compress ? "with" : "without"
    } compression`;
    Deno.test(`mysql2 asks kingbus ${how}`, async () => {
      await using folder = await TestCertificateFolder.make();
      await using kingbus = await TestKingbus.following(source, {
        server: {
          tls: await folder.serverTls(authority),
          compression: ["zlib"],
        },
      });
      await kingbus.waitUntilAt("binlog.000001", 4);
      const pool = createPool({
        host: "127.0.0.1",
        port: kingbus.port,
        ...REPLICATION_ACCOUNT,
        compress,
        ...secure ? { ssl: { rejectUnauthorized: false } } : {},
      });
      const [rows] = await pool.query<RowDataPacket[]>("SHOW VARIABLES");
      assert(rows.length > 40);
      const [status] = await pool.query<RowDataPacket[]>(
        "SHOW STATUS LIKE 'Ssl_version'",
      );
      assertEquals(
        status.map(({ Value }) => Value),
        [secure ? "TLSv1.3" : ""],
      );
      await pool.end();
    });
  }
}
