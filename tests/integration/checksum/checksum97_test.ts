import { rigTest } from "../../../scripts/test_servers/rig.ts";
import {
  type ChecksumSource,
  checksumSuite,
  writeChecksumFiles,
} from "../../support/checksum_suite.ts";
import { SharedMysql97 } from "../../support/shared_mysql97.ts";

const sources = new SharedMysql97(9766);

async function openSource(): Promise<ChecksumSource> {
  const server = await sources.asSource();
  await server.query("SET GLOBAL binlog_checksum = CRC32");
  await writeChecksumFiles(server);
  return { server, port: server.port, names: "source", gtids: true };
}

await checksumSuite(
  "MySQL 9.7",
  openSource,
  (name, body) => rigTest(name, ["mysql97"], (_rig, context) => body(context)),
);
