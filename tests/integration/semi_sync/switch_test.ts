import { assertEquals, assertNotEquals } from "@std/assert";
import { GtidSet } from "../../../lib/gtid/gtid_set.ts";
import { rigTest } from "../../../scripts/test_servers/rig.ts";
import {
  makeSemiSyncSource,
  semiSyncStatus,
} from "../../support/semi_sync_plugin.ts";
import { SharedMysql97 } from "../../support/shared_mysql97.ts";
import { executedOf, logEndOf } from "../../support/sql_server.ts";
import { TestKingbus } from "../../support/test_kingbus.ts";

const sources = new SharedMysql97(9783);
const successors = new SharedMysql97(9784);

const INSERT = "INSERT INTO test.t (data) VALUES ('x')";

await rigTest(
  "kingbus acknowledges to another source by that one's own files and positions",
  ["mysql97", "mysql97-replica"],
  async () => {
    const a = await sources.asSource();
    const { server: b, replica } = await successors.asReplica();
    await a.query("CREATE TABLE test.t (id SERIAL, data LONGBLOB)");
    // What they are called there, and where they are, is not the same.
    await a.run("FLUSH LOGS", "FLUSH LOGS", "FLUSH LOGS", INSERT, INSERT);
    await replica.start({ port: a.port });
    await using kingbus = await TestKingbus.following(a, {
      source: { semiSync: true },
    });
    {
      await using _semiSync = await makeSemiSyncSource(a);
      await kingbus.waitUntilState("following");
      for (let n = 0; n < 5; n++) await a.query(INSERT);
    }
    await replica.waitUntilHas(await executedOf(a));
    await kingbus.waitUntilHas(await executedOf(a));
    await replica.stop();
    await b.query("RESET REPLICA ALL");
    await kingbus.syncer.stop();
    await using _semiSync = await makeSemiSyncSource(b);
    await kingbus.follow(b);
    const before = await semiSyncStatus(b);
    for (let n = 0; n < 10; n++) {
      await b.run(INSERT, ...n === 5 ? ["FLUSH LOGS", INSERT] : []);
      const missing = GtidSet.parse(await executedOf(b))
        .subtract(kingbus.head.executed);
      assertEquals(missing.toString(), "");
      const { fileName, position } = await logEndOf(b);
      const { semiSync } = kingbus.status;
      assertEquals([semiSync?.file, semiSync?.position], [fileName, position]);
      assertNotEquals(kingbus.head.fileName, fileName);
    }
    const after = await semiSyncStatus(b);
    assertEquals(Number(after.yes_tx) - Number(before.yes_tx), 11);
    assertEquals(after.no_tx, before.no_tx);
  },
);
