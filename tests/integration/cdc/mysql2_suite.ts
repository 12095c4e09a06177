import { assert, assertEquals, assertRejects } from "@std/assert";
import mysql from "mysql2";
import { createPool, type Pool } from "mysql2/promise";
import {
  APPLICATION_ACCOUNT,
  REPLICATION_ACCOUNT,
} from "../../../scripts/test_servers/mysql56.ts";
import { waitUntil } from "../../../scripts/test_servers/wait_until.ts";
import { columnTypeStatements } from "../../support/column_types.ts";
import { assertSameConversations } from "../../support/recorded_pair.ts";
import { logEndOf, runAll, type SqlServer } from "../../support/sql_server.ts";
import { type ServerAddress, TestKingbus } from "../../support/test_kingbus.ts";
import type { CdcSource } from "./zongji_suite.ts";

/** Statements that kingbus and its source answer with the same values. */
const SAME: readonly string[] = [
  "SELECT 1",
  "SELECT 2 AS two, 'text' AS t, NULL AS n",
  "SELECT @@server_id AS id, @@server_uuid AS uuid",
  "SELECT @@GLOBAL.gtid_mode, @@GLOBAL.gtid_executed, @@GLOBAL.gtid_purged",
  "SELECT @@GLOBAL.binlog_format AS f, @@GLOBAL.binlog_checksum AS c",
  "SELECT VERSION() AS version",
  "SELECT @nothing AS n",
  "SET @a = 5, @b = 'text'",
  "SELECT @a AS a, @b AS b",
  "SHOW VARIABLES LIKE 'server\\_id'",
  "SHOW GLOBAL VARIABLES LIKE 'binlog_row_image'",
  "SHOW VARIABLES WHERE Variable_name IN ('server_id', 'server_uuid')",
  "SHOW VARIABLES LIKE 'no such variable'",
  "SHOW BINARY LOGS",
  "SHOW BINLOG EVENTS",
  "SHOW BINLOG EVENTS IN 'binlog.000002' LIMIT 2, 3",
  "SHOW WARNINGS",
  "SET SESSION sql_mode = ''",
  "SET NAMES utf8mb4",
  "SET SESSION wait_timeout = 100",
  "SELECT @@session.wait_timeout AS w",
  "USE test",
  "SELECT DATABASE() AS d",
  "BEGIN",
  "COMMIT",
];

/** Statements that both refuse, with the same error. */
const REFUSED: readonly string[] = [
  "SELECT @@no_such_variable",
  "SHOW BINLOG EVENTS IN 'binlog.000099'",
  "KILL 4000000000",
  "SET @@no_such_variable = 1",
];

/** An error's number and state; the text may name what a server is. */
function errorOf(error: unknown): string {
  const { errno, sqlState } = error as { errno?: number; sqlState?: string };
  return `${errno} ${sqlState}`;
}

/** Answers in the order of the statements, errors as text. */
async function askAll(pool: Pool): Promise<unknown[]> {
  const answers: unknown[] = [];
  const connection = await pool.getConnection();
  for (const statement of [...SAME, ...REFUSED]) {
    try {
      const [rows, fields] = await connection.query(statement);
      const names = fields?.map(({ name }) => name);
      // an OK also has what belongs to its server: warnings, state changes
      answers.push(names === undefined ? "OK" : [names, rows]);
    } catch (error) {
      answers.push(`${statement}: ${errorOf(error)}`);
    }
  }
  connection.release();
  return answers;
}

function poolOf(port: number, account = REPLICATION_ACCOUNT): Pool {
  return createPool({
    host: "127.0.0.1",
    port,
    ...account,
    supportBigNumbers: true,
  });
}

/** Registers the tests of mysql2 against kingbus behind one source. */
export async function testMysql2(source: CdcSource): Promise<void> {
  const test = (what: string, body: () => Promise<void>) =>
    source.test(`mysql2 ${what}, ${source.title}`, body);

  async function open(): Promise<{
    server: SqlServer & ServerAddress;
    kingbus: TestKingbus;
  }> {
    const server = await source.fresh();
    await runAll(
      server,
      ...columnTypeStatements({ json: source.modern, altered: true }),
    );
    const kingbus = await TestKingbus.following(server, {
      server: {
        identity: "source",
        accounts: [REPLICATION_ACCOUNT, APPLICATION_ACCOUNT].map((
          { user, password },
        ) => ({ name: user, password })),
      },
    });
    const { fileName, position } = await logEndOf(server);
    await kingbus.waitUntilAt(fileName, position);
    return { server, kingbus };
  }

  await test("is answered by kingbus as by the source", async () => {
    const { server, kingbus } = await open();
    await using _kingbus = kingbus;
    const answers: unknown[][] = [];
    await assertSameConversations({
      kingbus,
      source: server,
      client: async ({ address }) => {
        const pool = poolOf(address.port, APPLICATION_ACCOUNT);
        answers.push(await askAll(pool));
        await pool.end();
      },
    });
    const [expected, actual] = answers;
    assertEquals(actual, expected);
    assert(
      expected!.slice(-REFUSED.length).every((a) => typeof a === "string"),
    );
  });

  await test("is answered on ten connections at once", async () => {
    const { kingbus } = await open();
    await using _kingbus = kingbus;
    const pool = poolOf(kingbus.port);
    const ids = await Promise.all(Array.from({ length: 40 }, async () => {
      const [rows] = await pool.query<mysql.RowDataPacket[]>(
        "SELECT CONNECTION_ID() AS id, @@server_id AS server",
      );
      return rows[0]!.id;
    }));
    assertEquals(new Set(ids).size, 10);
    const connection = await pool.getConnection();
    await connection.ping();
    await connection.changeUser({}).catch((error: unknown) => {
      // COM_CHANGE_USER is none of a binlog server's commands
      assertEquals(errorOf(error), "1047 08S01");
    });
    connection.destroy();
    await pool.end();
    await waitUntil(
      "all connections had gone",
      () => kingbus.server.status().connections === 0,
    );
  });

  await test("learns that kingbus prepares no statements, and goes on", async () => {
    const { kingbus } = await open();
    await using _kingbus = kingbus;
    const pool = poolOf(kingbus.port);
    const connection = await pool.getConnection();
    const cases: [sql: string, error: string][] = [
      ["SELECT @@server_id", "1295 HY000"],
      ["SELECT * FROM test.kinds WHERE id = ?", "1146 42S02"],
      [
        "SELECT COLUMN_NAME FROM information_schema.columns WHERE TABLE_NAME = ?",
        "1109 42S02",
      ],
    ];
    for (const [sql, expected] of cases) {
      const error = await assertRejects(() => connection.execute(sql, [1]));
      assertEquals(errorOf(error), expected);
      const [rows] = await connection.query<mysql.RowDataPacket[]>(
        "SELECT 1 AS one",
      );
      assertEquals(rows[0]!.one, 1);
    }
    connection.release();
    await pool.end();
  });

  // mysql2 3.24 reads no name in a binlog event of any server ("Encoding not
  // recognized"): what can be compared is what it is sent, and how it fails
  await test("asks kingbus for a binlog stream, and fails at it as at the source's", async () => {
    const { server, kingbus } = await open();
    await using _kingbus = kingbus;
    const told: string[][] = [];
    await assertSameConversations({
      kingbus,
      source: server,
      client: async ({ address, sentAll }) => {
        const errors: string[] = [];
        told.push(errors);
        const connection = mysql.createConnection({
          host: "127.0.0.1",
          port: address.port,
          ...REPLICATION_ACCOUNT,
        });
        connection.on("error", ({ message }) => errors.push(message));
        await new Promise<void>((resolve, reject) =>
          connection.query(
            "SET @master_binlog_checksum = @@global.binlog_checksum",
            (error) => error === null ? resolve() : reject(error),
          )
        );
        const stream = streamOf(connection, {
          serverId: 5160,
          // it fails by itself with a name that is not empty
          filename: "",
          binlogPos: 4,
        });
        stream.on("data", () => errors.push("an event was read"));
        await sentAll();
        // that it was sent does not say that it has read it
        await waitUntil("the client had failed", () => errors.length > 0);
        connection.destroy();
      },
    });
    const [expected, actual] = told.map(([first]) => first);
    assert(expected!.includes("Encoding not recognized"), expected);
    assertEquals(actual, expected);
  });
}

/** What mysql2's types do not say of its binlog stream. */
interface BinlogStreams {
  createBinlogStream(options: {
    serverId: number;
    filename: string;
    binlogPos: number;
  }): { on(name: "data", listener: (event: unknown) => void): void };
}

function streamOf(
  connection: mysql.Connection,
  options: Parameters<BinlogStreams["createBinlogStream"]>[0],
): ReturnType<BinlogStreams["createBinlogStream"]> {
  return (connection as unknown as BinlogStreams).createBinlogStream(options);
}
