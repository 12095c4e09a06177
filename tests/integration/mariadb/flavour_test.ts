import { assertEquals, assertStringIncludes } from "@std/assert";
import { rigTest } from "../../../scripts/test_servers/rig.ts";
import {
  assertSameLog,
  caughtUp,
  SharedMariadb,
  writeRow,
} from "../../support/mariadb_source.ts";
import { SharedSource56 } from "../../support/shared_mysql56.ts";
import { TestKingbus } from "../../support/test_kingbus.ts";

const mysql = new SharedSource56();
const mariadb = new SharedMariadb(8121);

await rigTest(
  "Syncer refuses a MariaDB source for a log that came from MySQL",
  ["mariadb"],
  async () => {
    const other = await mariadb.fresh();
    await writeRow(other);
    await mysql.run("CREATE TABLE test.t (id INT PRIMARY KEY)");
    await using kingbus = await TestKingbus.following(mysql);
    await kingbus.waitUntilHas(await mysql.executed());
    const { executed } = kingbus;
    await kingbus.syncer.stop();
    await kingbus.follow(other);
    const { cause, reason } = await kingbus.waitUntilState("failed");
    assertEquals(cause, "other-flavour");
    assertStringIncludes(reason!, "The source is a MariaDB server (");
    assertStringIncludes(reason!, "the log came from a MySQL server");
    assertStringIncludes(reason!, "give it an empty data-dir");
    // It goes on with a source of its own kind.
    assertEquals(kingbus.executed, executed);
    await kingbus.follow(mysql);
    await kingbus.waitUntilState("following");
  },
);

await rigTest(
  "Syncer refuses a MySQL source for a log that came from MariaDB, also after a restart",
  ["mariadb"],
  async () => {
    const source = await mariadb.fresh();
    await writeRow(source);
    await using kingbus = await TestKingbus.following(source);
    await caughtUp(kingbus, source);
    await kingbus.stop();
    await kingbus.resume();
    await kingbus.syncer.stop();
    await mysql.run("CREATE TABLE test.t (id INT PRIMARY KEY)");
    await kingbus.follow(mysql);
    const { cause, reason } = await kingbus.waitUntilState("failed");
    assertEquals(cause, "other-flavour");
    assertStringIncludes(reason!, "The source is a MySQL server (5.6");
    await writeRow(source);
    await kingbus.follow(source);
    await assertSameLog(kingbus, source);
  },
);
