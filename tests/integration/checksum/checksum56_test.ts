import {
  type ChecksumSource,
  checksumSuite,
  writeChecksumFiles,
} from "../../support/checksum_suite.ts";
import { SharedSource56 } from "../../support/shared_mysql56.ts";

const source = new SharedSource56();

async function openSource(): Promise<ChecksumSource> {
  const { server, port } = source;
  await server.query("SET GLOBAL binlog_checksum = CRC32");
  await source.reset();
  await writeChecksumFiles(server);
  // By GTID 5.6 sends a heartbeat for each event that it leaves out.
  return { server, port, names: "master", gtids: false };
}

await checksumSuite(
  "MySQL 5.6",
  openSource,
  (name, body) => Deno.test(name, body),
);
