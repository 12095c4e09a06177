import { assert, assertEquals } from "@std/assert";
import { rigTest } from "../../../scripts/test_servers/rig.ts";
import { ServerError } from "../../../lib/protocol/server_error.ts";
import { SharedMysql97 } from "../../support/shared_mysql97.ts";
import { SharedSource56 } from "../../support/shared_mysql56.ts";
import {
  binlogsOf,
  executedOf,
  type SqlServer,
} from "../../support/sql_server.ts";
import { TestKingbus } from "../../support/test_kingbus.ts";
import { TEST_TABLE } from "../../support/test_table.ts";
import {
  MYSQL97_KINDS,
  TRANSACTION_KINDS,
} from "../../support/transaction_kinds.ts";

const source56 = new SharedSource56();
const sources97 = new SharedMysql97(9797);

/** Statements that leave every kind of event in three files. */
function everyKind(kinds: Readonly<Record<string, readonly string[]>>) {
  return [
    TEST_TABLE,
    "INSERT INTO test.t (data) VALUES (REPEAT('x', 100000)), ('two')",
    "SET SESSION binlog_format = STATEMENT",
    ...[
      "1",
      "-1.5",
      "CAST(123.456 AS DECIMAL(20,5))",
      "CAST(-7 AS DECIMAL(9,0))",
      "18446744073709551615",
      "NULL",
      "'ümlaut'",
      "_latin1'x' COLLATE latin1_bin",
      "x'00ff'",
    ].flatMap((value) => [
      `SET @\`v x\` = ${value}`,
      "INSERT INTO test.t (data) VALUES (@`v x`)",
    ]),
    "SET SESSION binlog_format = ROW",
    "SET foreign_key_checks = 0, unique_checks = 0",
    "INSERT INTO test.t (data) VALUES ('unchecked')",
    "SET foreign_key_checks = 1, unique_checks = 1",
    ...Object.entries(kinds).filter(([kind]) => !kind.includes("megabytes"))
      .flatMap(([, statements]) => statements),
    "FLUSH LOGS",
    "CREATE DATABASE `odd``name`",
    "CREATE TABLE `odd``name`.`t\tab` (id INT)",
    "INSERT INTO `odd``name`.`t\tab` VALUES (1)",
    "USE `odd``name`",
    "DROP TABLE `t\tab`",
    "DROP DATABASE `odd``name`",
    "FLUSH LOGS",
    "INSERT INTO test.t (data) VALUES ('last')",
  ];
}

interface Answer {
  readonly rows?: (string | null)[][];
  readonly error?: string;
}

async function ask(server: SqlServer, statement: string): Promise<Answer> {
  try {
    const { rows } = await server.query(statement);
    return { rows };
  } catch (error) {
    if (!(error instanceof ServerError)) throw error;
    return { error: error.message };
  }
}

/** The kingbus as something to ask. */
function asSqlServer(kingbus: TestKingbus): SqlServer {
  return {
    query: async (statement: string) => {
      await using connection = await kingbus.connect();
      return await connection.query(statement);
    },
  } as SqlServer;
}

/** Asks both for the events of every file, in all ways. */
async function compare(
  source: SqlServer,
  kingbus: TestKingbus,
): Promise<number> {
  const ours = asSqlServer(kingbus);
  let compared = 0;
  const same = async (statement: string): Promise<Answer> => {
    const expected = await ask(source, statement);
    const actual = await ask(ours, statement);
    const { rows = [] } = expected;
    for (const [index, row] of rows.entries()) {
      assertEquals(
        { statement, index, row: actual.rows?.[index] ?? actual.error },
        { statement, index, row },
      );
      compared++;
    }
    assertEquals({ statement, ...actual }, { statement, ...expected });
    return expected;
  };
  await same("SHOW BINLOG EVENTS");
  await same("SHOW BINLOG EVENTS LIMIT 1");
  await same("SHOW BINLOG EVENTS IN 'nosuch.000001'");
  for (const { name, size } of await binlogsOf(source)) {
    const of = `SHOW BINLOG EVENTS IN '${name}'`;
    const { rows = [] } = await same(of);
    assert(rows.length > 2);
    for (let index = 0; index < rows.length; index += 7) {
      await same(`${of} FROM ${rows[index]![1]} LIMIT 5`);
      await same(`${of} LIMIT ${index}, 3`);
    }
    await same(`${of} FROM 0`);
    await same(`${of} FROM ${size}`);
    await same(`${of} LIMIT 3 OFFSET 2`);
    await same(`${of} LIMIT 99999, 3`);
    for (const bad of [5, Number(rows[1]![1]) + 1, size + 1, size + 1e6]) {
      await same(`${of} FROM ${bad}`);
    }
  }
  return compared;
}

Deno.test("kingbus shows binlog events as its 5.6 source does, row by row", async () => {
  await source56.run(...everyKind(TRANSACTION_KINDS));
  await using kingbus = await TestKingbus.following(source56);
  await kingbus.waitUntilHas(await source56.executed());
  assert(await compare(source56.server, kingbus) > 200);
});

await rigTest(
  "kingbus shows binlog events as its 9.7 source does, row by row",
  ["mysql97"],
  async () => {
    const source = await sources97.asSource();
    await source.run(
      ...everyKind(MYSQL97_KINDS),
    );
    await using kingbus = await TestKingbus.following(source);
    await kingbus.waitUntilHas(await executedOf(source));
    assert(await compare(source, kingbus) > 200);
  },
);
