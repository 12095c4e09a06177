import { rigTest } from "../../../scripts/test_servers/rig.ts";
import { waitUntil } from "../../../scripts/test_servers/wait_until.ts";
import {
  type ChecksumSource,
  checksumSuite,
  writeChecksumFiles,
} from "../../support/checksum_suite.ts";
import { startMariadb } from "../../support/mariadb.ts";
import { SharedServer } from "../../support/shared_server.ts";
import {
  binlogsOf,
  dropDatabases,
  resetLog,
} from "../../support/sql_server.ts";

const shared = new SharedServer(() => startMariadb(9767));

async function openSource(): Promise<ChecksumSource> {
  const server = await shared.running();
  await server.query("SET GLOBAL binlog_checksum = CRC32");
  await dropDatabases(server);
  await resetLog(server);
  await writeChecksumFiles(server);
  const { name } = (await binlogsOf(server)).at(-1)!;
  await waitUntil("MariaDB had written what it writes later", async () => {
    const { rows } = await server.query(`SHOW BINLOG EVENTS IN '${name}'`);
    return rows.some(([, , type, , , info]) =>
      type === "Binlog_checkpoint" && info === name
    );
  });
  return { server, port: server.port, names: "master", gtids: false };
}

await checksumSuite(
  "MariaDB",
  openSource,
  (name, body) => rigTest(name, ["mariadb"], (_rig, context) => body(context)),
);
