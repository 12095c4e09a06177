import { rigTest } from "../../../scripts/test_servers/rig.ts";
import {
  type ChecksumSource,
  compareHeartbeats,
  compareSayings,
  followAll,
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

await rigTest(
  "whatever a client says of checksums, kingbus sends what MySQL 9.7 sends, to the byte",
  ["mysql97"],
  async (_rig, context) => {
    const source = await openSource();
    await using kingbus = await followAll(source);
    await compareSayings(source, kingbus, context);
  },
);

await rigTest(
  "heartbeats and rotates have checksums as those of MySQL 9.7 while they are switched",
  ["mysql97"],
  async () => {
    const source = await openSource();
    await using kingbus = await followAll(source);
    await compareHeartbeats(source, kingbus);
  },
);
