import { APPLICATION_ACCOUNT } from "../../../scripts/test_servers/mysql56.ts";
import { rigTest } from "../../../scripts/test_servers/rig.ts";
import { MARIADB_CLIENT_SCRIPTS } from "../../support/client_scripts.ts";
import { columnTypeStatements } from "../../support/column_types.ts";
import { checkpointed } from "../../support/mariadb_checkpoint.ts";
import { SharedMariadb } from "../../support/mariadb_source.ts";
import { logEndOf, runAll, valueOf } from "../../support/sql_server.ts";
import { TestKingbus } from "../../support/test_kingbus.ts";
import { testScripts } from "./script_suite.ts";
import {
  assertSameByGtid,
  type CdcSource,
  testZongji,
} from "./zongji_suite.ts";

const sources = new SharedMariadb(8095);

const source: CdcSource = {
  title: "of MariaDB",
  modern: false,
  test: (name, body) => rigTest(name, ["mariadb"], body),
  fresh: async () => {
    const server = await sources.fresh();
    await server.run("DROP TABLE test.t", "RESET MASTER");
    return server;
  },
  settle: checkpointed,
};

await testZongji(source);

await rigTest(
  "@vlasky/zongji goes on by GTID position with kingbus as with the source, of MariaDB",
  ["mariadb"],
  async () => {
    const server = await source.fresh();
    await runAll(
      server,
      "SET GLOBAL binlog_row_metadata = FULL",
      ...columnTypeStatements({ json: false, altered: true }),
    );
    await source.settle?.(server);
    await using kingbus = await TestKingbus.following(server, {
      server: { identity: "source" },
    });
    const { fileName, position } = await logEndOf(server);
    await kingbus.waitUntilAt(fileName, position);
    const all = await valueOf(server, "SELECT @@GLOBAL.gtid_binlog_pos");
    const some = all.replace(/-\d+$/, "-5");
    for (const gtidSet of ["", some]) {
      await assertSameByGtid({
        kingbus,
        server,
        gtidSet,
        all,
        // columns of kinds that the log does not tell apart
        metadata: { port: server.port, ...APPLICATION_ACCOUNT },
      });
    }
  },
);

await testScripts(source, MARIADB_CLIENT_SCRIPTS, async (server) => {
  const all = await valueOf(server, "SELECT @@GLOBAL.gtid_binlog_pos");
  return ["", all.replace(/-\d+$/, "-3"), all];
});
