import {
  type ChecksumSource,
  compareHeartbeats,
  compareSayings,
  followAll,
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

Deno.test("whatever a client says of checksums, kingbus sends what MySQL 5.6 sends, to the byte", async (context) => {
  const source = await openSource();
  await using kingbus = await followAll(source);
  await compareSayings(source, kingbus, context);
});

Deno.test("heartbeats and rotates have checksums as those of MySQL 5.6 while they are switched", async () => {
  const source = await openSource();
  await using kingbus = await followAll(source);
  await compareHeartbeats(source, kingbus);
});
