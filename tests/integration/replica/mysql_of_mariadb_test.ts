import { assertEquals, assertMatch } from "@std/assert";
import { rigTest } from "../../../scripts/test_servers/rig.ts";
import { startMariadb } from "../../support/mariadb.ts";
import { caughtUp } from "../../support/mariadb_source.ts";
import { startMysql97 } from "../../support/mysql97.ts";
import { logEndOf, TestReplica } from "../../support/sql_server.ts";
import { waitUntil } from "../../../scripts/test_servers/wait_until.ts";
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

await rigTest(
  "a MySQL 9.7 replica without GTIDs stops at the same event of a MariaDB log of kingbus as of the source's, by file and position",
  ["mysql97", "mariadb"],
  async () => {
    await using source = await startMariadb(8140);
    await using server = await startMysql97(9798, [
      "--gtid-mode=OFF",
      "--enforce-gtid-consistency=OFF",
    ]);
    await source.run(
      "CREATE TABLE test.t (id INT)",
      "INSERT INTO test.t VALUES (1)",
    );
    await using kingbus = await TestKingbus.following(source);
    await caughtUp(kingbus, source);
    const { fileName, position } = await logEndOf(source);
    const replica = new TestReplica(server, { modern: true });
    const outcomes: Record<string, unknown>[] = [];
    for (const { port } of [source, kingbus]) {
      await replica.reset();
      await replica.start({
        port,
        from: { fileName: "binlog.000001", position: 4 },
        settings: ["GET_SOURCE_PUBLIC_KEY = 1"],
      });
      const state = await waitUntil("it had read all and stopped", async () => {
        const now = await replica.state();
        const hasAll = now.Source_Log_File === fileName &&
          now.Read_Source_Log_Pos === position.toString();
        return hasAll && now.Replica_SQL_Running === "No" && now;
      });
      outcomes.push({
        number: state.Last_SQL_Errno,
        text: state.Last_SQL_Error,
        executed: state.Exec_Source_Log_Pos,
        connection: state.Replica_IO_Running,
      });
      await replica.stop();
    }
    assertEquals(outcomes[1], outcomes[0]);
    // it reads all of it, and applies it up to an event that it does not know
    assertEquals(outcomes[0]?.number, "13121");
    assertEquals(outcomes[0]?.connection, "Yes");
  },
);
