import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import {
  type RigPart,
  type RigProgram,
  rigTest,
} from "../../../scripts/test_servers/rig.ts";
import { STATEMENTS } from "../../../lib/server/statement_list.ts";
import { SharedSource56 } from "../../support/shared_mysql56.ts";
import { KEEPER_ACCOUNT, TestApp } from "../../support/test_app.ts";

const source = new SharedSource56();

/** One statement of each kind, as an operator would type it. */
const TYPED: readonly string[] = [
  "SHOW BINARY LOGS",
  "SHOW MASTER STATUS",
  "SHOW BINARY LOG STATUS",
  "SHOW BINLOG EVENTS LIMIT 2",
  "PURGE BINARY LOGS TO 'binlog.000001'",
  "SHOW REPLICAS",
  "SHOW SLAVE HOSTS",
  "SHOW PROCESSLIST",
  "SHOW FULL PROCESSLIST",
  "SHOW REPLICA STATUS",
  "SHOW SLAVE STATUS",
  "SHOW SLAVE '' STATUS",
  "STOP SLAVE",
  "CHANGE MASTER TO MASTER_HOST = '127.0.0.1'",
  "CHANGE REPLICATION SOURCE TO SOURCE_PASSWORD = 'replpass'",
  "START REPLICA",
  "STOP ALL SLAVES",
  "START ALL SLAVES",
  "SELECT @@server_id, NOW(), CURRENT_USER()",
  "SET @a = 5",
  "SHOW VARIABLES LIKE 'version%'",
  "SHOW GLOBAL VARIABLES LIKE 'server%'",
  "SHOW STATUS WHERE Variable_name = 'Uptime'",
  "SHOW GLOBAL STATUS",
  "SHOW GRANTS",
  "SHOW WARNINGS",
  "SHOW ERRORS",
  "SHOW DATABASES",
  "USE somewhere",
  "SHOW TABLES",
  "BEGIN",
  "COMMIT",
  "ROLLBACK",
];

/** Entries that are refused, or are another flavour's. */
const NOT_TYPED = ["RESET", "SHOW ALL", "KILL"];

Deno.test("every statement of the table is typed by the clients' tests", () => {
  for (const { words } of STATEMENTS) {
    if (NOT_TYPED.some((start) => words[0]!.startsWith(start))) continue;
    assert(
      words.some((spelling) =>
        TYPED.some((statement) => statement.startsWith(spelling))
      ),
      words[0],
    );
  }
});

async function run(
  client: RigProgram,
  app: TestApp,
  options: readonly string[],
  sql: string,
  account = KEEPER_ACCOUNT,
): Promise<{ success: boolean; out: string; err: string }> {
  const { success, stdout, stderr } = await client.run([
    "--no-defaults",
    "--host=127.0.0.1",
    `--port=${app.port}`,
    `--user=${account.user}`,
    `--password=${account.password}`,
    ...options,
    "-e",
    sql,
  ]);
  const decoder = new TextDecoder();
  return { success, out: decoder.decode(stdout), err: decoder.decode(stderr) };
}

const CLIENTS: readonly {
  readonly part: RigPart;
  readonly title: string;
  readonly options: readonly string[];
}[] = [
  {
    part: "mysql-client",
    title: "mysql 9.7",
    options: ["--ssl-mode=DISABLED", "--get-server-public-key", "--commands"],
  },
  { part: "mariadb-client", title: "mariadb", options: ["--skip-ssl"] },
];

for (const { part, title, options } of CLIENTS) {
  await rigTest(
    `an operator with the ${title} client sees and steers kingbus`,
    [part],
    async (rig) => {
      const client = rig.program(part);
      await source.server.query("CREATE TABLE test.t (id INT PRIMARY KEY)");
      await using app = await TestApp.following(source.server);
      await app.waitUntilHas(await source.executed());
      const careful = await run(
        client,
        app,
        [...options, "--safe-updates", "--skip-column-names"],
        "SELECT @@sql_safe_updates, @@sql_select_limit, @@max_join_size",
      );
      assertEquals(careful.out, "1\t1000\t1000000\n", careful.err);
      for (const statement of TYPED) {
        const sql = statement === "SHOW TABLES"
          ? `USE somewhere; ${statement}`
          : statement;
        const { success, err } = await run(client, app, options, sql);
        assert(success, `${statement}: ${err}`);
      }
      await app.waitUntil("kingbus followed the source again", () => {
        return app.app.syncer.report().state === "following";
      });
      const status = await run(
        client,
        app,
        [...options, "--vertical"],
        "SHOW SLAVE STATUS",
      );
      assertStringIncludes(status.out, "Slave_IO_Running: Yes");
      assertStringIncludes(
        status.out,
        `Executed_Gtid_Set: ${await source.executed()}`,
      );
      const list = await run(
        client,
        app,
        [...options, "--batch", "--skip-column-names"],
        "SHOW PROCESSLIST",
      );
      const [, user, , , command, , , info] = list.out.trim().split("\t");
      assertEquals(
        [user, command, info],
        [KEEPER_ACCOUNT.user, "Query", "SHOW PROCESSLIST"],
      );
      const denied = await run(client, app, options, "STOP SLAVE", {
        user: "repl",
        password: "replpass",
      });
      assertEquals(denied.success, false);
      assertStringIncludes(denied.err, "ERROR 1227 (42000)");
      // what the client itself asks for
      const own = await run(client, app, options, "status");
      assert(own.success, own.err);
      assertStringIncludes(own.out, "Uptime:");
      await using victim = await app.connect();
      const killed = await run(
        client,
        app,
        options,
        `KILL ${victim.connectionId}`,
      );
      assert(killed.success, killed.err);
      for (const hostile of HOSTILE) {
        const { success, err } = await run(client, app, options, hostile);
        assertEquals(success, false, hostile);
        assert(/ERROR 1(064|235|210|054|193)/.test(err), `${hostile}: ${err}`);
      }
      assertEquals(app.app.syncer.report().state, "following");
    },
  );
}

/** Statements that no client would send in good faith. */
const HOSTILE: readonly string[] = [
  `CHANGE MASTER TO ${"MASTER_HOST='a',".repeat(1000)} MASTER_PORT=1`,
  `CHANGE MASTER TO MASTER_HOST='${"x".repeat(100_000)}'`,
  `CHANGE MASTER TO IGNORE_SERVER_IDS=(${"1,".repeat(3000)}`,
  `SELECT ${"(".repeat(5000)}1`,
  `SELECT ${"IFNULL(".repeat(2000)}1`,
  "SHOW SLAVE STATUS FOR CHANNEL",
  "SHOW STATUS WHERE nosuch = 1",
  `SHOW STATUS WHERE ${"NOT ".repeat(5000)} Variable_name = 'a'`,
  "START SLAVE UNTIL",
  "RESET MASTER",
  "SELECT @@global.nosuch = 'ON'",
];
