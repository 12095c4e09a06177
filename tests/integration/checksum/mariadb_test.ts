import { rigTest } from "../../../scripts/test_servers/rig.ts";
import {
  type ChecksumSource,
  checksumSuite,
  writeChecksumFiles,
} from "../../support/checksum_suite.ts";
import { startMariadb } from "../../support/mariadb.ts";
import { checkpointed } from "../../support/mariadb_checkpoint.ts";
import { SharedServer } from "../../support/shared_server.ts";
import { dropDatabases, resetLog } from "../../support/sql_server.ts";

const shared = new SharedServer(() => startMariadb(9767));

async function openSource(): Promise<ChecksumSource> {
  const server = await shared.running();
  await server.query("SET GLOBAL binlog_checksum = CRC32");
  await dropDatabases(server);
  await resetLog(server);
  await writeChecksumFiles(server);
  const settle = (): Promise<void> => checkpointed(server);
  await settle();
  return { server, port: server.port, names: "master", gtids: false, settle };
}

await checksumSuite(
  "MariaDB",
  openSource,
  (name, body) => rigTest(name, ["mariadb"], (_rig, context) => body(context)),
);
