import { assertEquals } from "@std/assert";
import { REPLICATION_ACCOUNT } from "../../../scripts/test_servers/mysql56.ts";
import { rigTest } from "../../../scripts/test_servers/rig.ts";
import { columnTypeStatements } from "../../support/column_types.ts";
import { SharedMysql97 } from "../../support/shared_mysql97.ts";
import { executedOf, valueOf } from "../../support/sql_server.ts";
import { TestKingbus } from "../../support/test_kingbus.ts";
import { ZongjiClient } from "../../support/zongji_client.ts";
import { assertSameByGtid, testZongji } from "./zongji_suite.ts";

const sources = new SharedMysql97(9761);

await rigTest(
  "@vlasky/zongji goes on by GTID set with kingbus as with the source, of MySQL 9.7",
  ["mysql97"],
  async () => {
    const source = await sources.asSource();
    await source.run(
      "SET GLOBAL binlog_row_metadata = FULL",
      ...columnTypeStatements({ json: true, altered: true }),
    );
    await using kingbus = await TestKingbus.following(source, {
      server: { identity: "source" },
    });
    const all = await executedOf(source);
    await kingbus.waitUntilHas(all);
    const uuid = await valueOf(source, "SELECT @@server_uuid");
    for (const gtidSet of ["", `${uuid}:1-4`, `${uuid}:1-3:5:7`]) {
      await assertSameByGtid({ kingbus, server: source, gtidSet, all });
    }
    // what it has counted is what it goes on from, at kingbus as at the source
    await using next = ZongjiClient.start("@vlasky/zongji", {
      login: { port: kingbus.port, ...REPLICATION_ACCOUNT },
      start: { serverId: 5151, gtidSet: all },
    });
    await kingbus.waitUntilDumping(1);
    await source.run("INSERT INTO test.kinds (id, v) VALUES (500, 'new')");
    await next.waitFor('"new"');
    assertEquals(next.rowLines.length, 1);
  },
);

await testZongji({
  title: "of MySQL 9.7",
  modern: true,
  test: (name, body) => rigTest(name, ["mysql97"], body),
  fresh: () => sources.asSource(),
});
