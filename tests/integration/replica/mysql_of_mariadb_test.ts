import { assertEquals, assertMatch } from "@std/assert";
import { rigTest } from "../../../scripts/test_servers/rig.ts";
import { startMariadb } from "../../support/mariadb.ts";
import { caughtUp } from "../../support/mariadb_source.ts";
import { startMysql97 } from "../../support/mysql97.ts";
import { TestReplica } from "../../support/sql_server.ts";
import { TestKingbus } from "../../support/test_kingbus.ts";

await rigTest(
  "a MySQL 9.7 replica with GTIDs refuses a MariaDB log of kingbus as it refuses the source",
  ["mysql97", "mariadb"],
  async () => {
    await using source = await startMariadb(8140);
    await using server = await startMysql97(9798);
    await source.run("CREATE TABLE test.t (id INT)");
    await using kingbus = await TestKingbus.following(source);
    await caughtUp(kingbus, source);
    const replica = new TestReplica(server, { modern: true });
    const faults: string[] = [];
    for (const { port } of [source, kingbus]) {
      await replica.reset();
      await replica.start({ port });
      faults.push(await replica.waitUntilStopped());
    }
    const [expected, actual] = faults.map((fault) =>
      fault.replace(/127\.0\.0\.1:\d+/, "the source")
    );
    assertEquals(actual, expected);
    assertMatch(expected!, /GTID_MODE/);
  },
);
