import { assert, assertEquals } from "@std/assert";
import { grantedRights, type Right } from "../../../lib/config/right.ts";
import type { ClientConnection } from "../../../lib/connection/client_connection.ts";
import { encodeBinlogDumpGtid } from "../../../lib/protocol/command.ts";
import {
  openStatementText,
  type SessionProcess,
} from "../../../lib/server/session_activity.ts";
import { answerStatement } from "../../../lib/server/statement.ts";
import type { StatementContext } from "../../../lib/server/statement_context.ts";
import { statementSession } from "./statement_session.ts";
import { eventually, TestServer } from "./test_server.ts";

interface Asked {
  readonly version?: string;
  readonly rights?: Right[];
  readonly context?: Partial<StatementContext>;
}

function answer(statement: string, asked: Asked = {}) {
  const context = statementSession().context(asked.context);
  const { version = "9.7.4", rights = ["monitor"] } = asked;
  const result = answerStatement(statement, {
    ...context,
    server: { ...context.server, version },
    session: { ...context.session, rights: grantedRights(rights) },
  });
  assert(result.kind === "rows", `${statement}: ${JSON.stringify(result)}`);
  return result;
}

function statusOf(statement: string, asked: Asked = {}) {
  return Object.fromEntries(answer(statement, asked).rows);
}

const PROCESSES: SessionProcess[] = [
  {
    connectionId: 3,
    user: "repl",
    remote: "10.0.0.1:4711",
    database: undefined,
    activity: "dump",
    sinceMs: 1_795_408_880_000,
    info: undefined,
    dump: { mode: "gtid", atEnd: true },
  },
  {
    connectionId: 4,
    user: "other",
    remote: "10.0.0.2:4711",
    database: "db",
    activity: "query",
    sinceMs: 1_795_408_882_000,
    info: `SELECT '${"x".repeat(200)}'`,
    dump: undefined,
  },
  {
    connectionId: 5,
    user: undefined,
    remote: "10.0.0.3:4711",
    database: undefined,
    activity: "login",
    sinceMs: 1_795_408_882_000,
    info: undefined,
    dump: undefined,
  },
];

Deno.test("SHOW PROCESSLIST has a row for each connection, in the version's words", () => {
  const context = { processes: () => PROCESSES };
  const { columns, rows } = answer("SHOW PROCESSLIST", { context });
  assertEquals(
    columns.map(({ name, type, flags }) => `${name} ${type} ${flags}`),
    [
      "Id 8 129",
      "User 253 1",
      "Host 253 1",
      "db 253 0",
      "Command 253 1",
      "Time 3 129",
      "State 253 0",
      "Info 253 0",
    ],
  );
  assertEquals(rows, [
    [
      "3",
      "repl",
      "10.0.0.1:4711",
      null,
      "Binlog Dump GTID",
      "2",
      "Source has sent all binlog to replica; waiting for more updates",
      null,
    ],
    [
      "4",
      "other",
      "10.0.0.2:4711",
      "db",
      "Query",
      "0",
      "init",
      `SELECT '${"x".repeat(92)}`,
    ],
    [
      "5",
      "unauthenticated user",
      "10.0.0.3:4711",
      null,
      "Connect",
      "0",
      "Receiving from client",
      null,
    ],
  ]);
  const full = answer("SHOW FULL PROCESSLIST", { context });
  assertEquals(full.columns[7]?.type, 251);
  assertEquals(full.rows[1]?.[7]?.length, 209);
  const states: [version: string, state: string][] = [
    [
      "5.6.24",
      "Master has sent all binlog to slave; waiting for binlog to be updated",
    ],
    ["8.0.25", "Master has sent all binlog to slave; waiting for more updates"],
    [
      "10.11.19-MariaDB",
      "Master has sent all binlog to slave; waiting for more updates",
    ],
  ];
  for (const [version, state] of states) {
    const old = answer("SHOW PROCESSLIST", { context, version });
    assertEquals(old.rows[0]?.[6], state);
    const isMariadb = version.includes("MariaDB");
    assertEquals(old.columns.length, isMariadb ? 9 : 8, version);
  }
});

Deno.test("SHOW PROCESSLIST shows others only to accounts that may monitor", () => {
  const context = { processes: () => PROCESSES };
  const { rows } = answer("SHOW PROCESSLIST", {
    context,
    rights: ["replicate"],
  });
  assertEquals(rows.map(([, user]) => user), ["repl"]);
});

Deno.test("SELECT reads the table of connections, as tools that look for replicas do", () => {
  const context = { processes: () => PROCESSES };
  const cases: [statement: string, rows: (string | null)[][]][] = [
    [
      `select
        substring_index(host, ':', 1) as slave_hostname
      from
        information_schema.processlist
      where
        command IN ('Binlog Dump', 'Binlog Dump GTID')`,
      [["10.0.0.1"]],
    ],
    [
      "SELECT id, `User`, SUBSTRING_INDEX(host, ':', -1) FROM INFORMATION_SCHEMA.PROCESSLIST WHERE NOT command = 'Query' LIMIT 1, 5",
      [["5", "unauthenticated user", "4711"]],
    ],
    [
      "SELECT COUNT(*) FROM performance_schema.processlist WHERE state LIKE 'Source%'",
      [["1"]],
    ],
  ];
  for (const [statement, rows] of cases) {
    assertEquals(answer(statement, { context }).rows, rows, statement);
  }
  const all = answer("SELECT * FROM information_schema.processlist", {
    context,
  });
  assertEquals([all.columns[0]?.name, all.rows.length], ["ID", 3]);
  const own = answer("SELECT user FROM information_schema.processlist", {
    context,
    rights: ["replicate"],
  });
  assertEquals(own.rows, [["repl"]]);
  for (
    const [statement, code] of [
      ["SELECT nosuch FROM information_schema.processlist", 1054],
      ["SELECT id FROM information_schema.processlist WHERE nosuch = 1", 1054],
      ["SELECT id, FROM information_schema.processlist", 1054],
      ["SELECT id FROM information_schema.processlist ORDER BY id", 1064],
      ["SELECT COUNT(id) FROM information_schema.processlist", 1064],
      ["SELECT id FROM information_schema.tables", 1109],
    ] as const
  ) {
    const result = answerStatement(statement, statementSession().context());
    assert(result.kind === "error", statement);
    assertEquals(result.code, code, statement);
  }
});

Deno.test("openStatementText() keeps what may hold a password to itself", () => {
  const open = [
    "SELECT 1",
    "/* tool */ show processlist",
    "kill 5",
  ];
  for (const text of open) assertEquals(openStatementText(text), text);
  const secret = "hunter2";
  const closed: [text: string, shown: string][] = [
    [
      `CHANGE MASTER TO MASTER_PASSWORD='${secret}'`,
      "CHANGE MASTER …",
    ],
    [`SET PASSWORD = '${secret}'`, "SET PASSWORD …"],
    [`/* x */ CHANGE MASTER TO MASTER_PASSWORD='${secret}'`, "…"],
    [`'${secret}'`, "…"],
    [`selection '${secret}'`, "selection …"],
  ];
  for (const [text, shown] of closed) {
    assertEquals(openStatementText(text), shown);
  }
  for (const long of ["x", "/*", " ", "/* */", "a "]) {
    const text = long.repeat(200_000);
    assert(openStatementText(text).length < 200, long);
    assert(openStatementText(`SELECT '${text}'`).length < 20_000);
  }
});

Deno.test("SHOW STATUS has what was counted, by session where that differs", () => {
  const session = statementSession();
  const context = session.context();
  for (const statement of ["SELECT 1", "SELECT @@nosuch", "SET @a = 1"]) {
    answerStatement(statement, context);
  }
  const global = statusOf("SHOW GLOBAL STATUS", { context });
  assertEquals(global["Com_select"], "2");
  assertEquals(global["Com_set_option"], "1");
  assertEquals(global["Com_kill"], "0");
  assertEquals(global["Uptime"], "10");
  assertEquals(global["Threads_connected"], "3");
  assertEquals(global["Threads_running"], "2");
  assertEquals(global["Aborted_connects"], "8");
  assertEquals(global["Connection_errors_max_connections"], "2");
  assertEquals(global["Bytes_sent"], "0");
  const own = statusOf("SHOW SESSION STATUS LIKE 'bytes\\_%'", { context });
  assertEquals(own, { Bytes_received: "10", Bytes_sent: "20" });
  const where = statusOf(
    "SHOW STATUS WHERE Variable_name IN ('uptime', 'questions') AND Value > ''"
      .replace(" AND Value > ''", ""),
    { context },
  );
  assertEquals(Object.keys(where), ["Questions", "Uptime"]);
  const names = answer("SHOW GLOBAL STATUS", { context }).rows.map(([name]) =>
    name!
  );
  assertEquals(names, names.toSorted());
});

Deno.test("SHOW STATUS has the semi-sync and statement names of the version", () => {
  const semiSync = {
    clients: 2,
    degraded: true,
    timeouts: 5,
    acknowledged: 7,
    unacknowledged: 3,
  };
  const base = statementSession().context();
  const context = {
    server: { ...base.server, semiSync: { replicas: 1, timeoutMs: 10 } },
    tally: () => ({ ...base.tally(), semiSync }),
  };
  const cases: [version: string, words: string[], counter: string][] = [
    ["5.6.24", ["master"], "Com_show_slave_status"],
    ["8.0.36", ["master", "source"], "Com_show_replica_status"],
    ["9.7.4", ["source"], "Com_show_replica_status"],
    ["10.11.19-MariaDB", ["master"], "Com_show_slave_status"],
  ];
  for (const [version, words, counter] of cases) {
    const session = statementSession().context();
    const result = answerStatement("SHOW GLOBAL STATUS", {
      ...session,
      ...context,
      server: { ...context.server, version },
    });
    assert(result.kind === "rows");
    const status = Object.fromEntries(result.rows);
    for (const word of ["master", "source"]) {
      const isThere = words.includes(word);
      const at = `Rpl_semi_sync_${word}`;
      assertEquals(status[`${at}_clients`], isThere ? "2" : undefined, version);
      assertEquals(status[`${at}_status`], isThere ? "OFF" : undefined);
      assertEquals(status[`${at}_no_times`], isThere ? "5" : undefined);
      assertEquals(status[`${at}_yes_tx`], isThere ? "7" : undefined);
      assertEquals(status[`${at}_no_tx`], isThere ? "3" : undefined);
    }
    assertEquals(status[counter], "0", version);
  }
});

Deno.test("SHOW GRANTS means the account's rights, in the version's privileges", () => {
  const cases: [version: string, rights: Right[], grants: string[]][] = [
    [
      "9.7.4",
      ["replicate", "monitor"],
      ["GRANT PROCESS, REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO `repl`@`%`"],
    ],
    ["9.7.4", ["replicate"], ["GRANT REPLICATION SLAVE ON *.* TO `repl`@`%`"]],
    [
      "9.7.4",
      ["admin"],
      [
        "GRANT PROCESS, REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO `repl`@`%`",
        "GRANT BINLOG_ADMIN,CONNECTION_ADMIN,REPLICATION_SLAVE_ADMIN ON *.* TO `repl`@`%`",
      ],
    ],
    [
      "5.6.24",
      ["admin"],
      [
        "GRANT PROCESS, SUPER, REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO 'repl'@'%'",
      ],
    ],
    [
      "10.11.19-MariaDB",
      ["monitor"],
      [
        "GRANT PROCESS, BINLOG MONITOR, SLAVE MONITOR, REPLICATION MASTER ADMIN ON *.* TO `repl`@`%`",
      ],
    ],
  ];
  for (const [version, rights, grants] of cases) {
    for (const whose of ["", " FOR CURRENT_USER()", " FOR 'repl'@'%'"]) {
      const { columns, rows } = answer(`SHOW GRANTS${whose}`, {
        version,
        rights,
      });
      assertEquals(columns[0]?.name, "Grants for repl@%");
      assertEquals(rows.flat(), grants);
    }
  }
  const other = answerStatement(
    "SHOW GRANTS FOR root@localhost",
    statementSession().context(),
  );
  assert(other.kind === "error" && other.code === 1141);
});

Deno.test("SELECT answers what tools ask when they connect", () => {
  const cases: [statement: string, row: (string | null)[]][] = [
    [
      "select @@global.hostname, ifnull(@@global.report_host, ''), @@global.server_id, @@global.version, @@global.read_only, @@global.log_bin, @@global.log_slave_updates",
      ["host", "", "4000000001", "9.7.4", "1", "1", "1"],
    ],
    [
      "select @@global.gtid_mode = 'ON', @@global.gtid_mode != 'on', NULL = 1, 1 = '1.0', 'a' <> 'A'",
      ["1", "0", null, "1", "0"],
    ],
    ["SELECT COALESCE(NULL, @nosuch, 'x')", ["x"]],
    ["SELECT CURRENT_USER(), USER()", ["repl@%", "repl@127.0.0.1"]],
    [
      "SELECT NOW(), UTC_TIMESTAMP(), CURRENT_TIMESTAMP",
      ["2026-11-23 04:41:22", "2026-11-23 04:41:22", "2026-11-23 04:41:22"],
    ],
    ["select @@version_comment limit 1", ["kingbus 0.1.0"]],
    [
      "/* mysql-connector-java-8.0.33 */SELECT  @@session.auto_increment_increment AS auto_increment_increment, @@character_set_client AS character_set_client, @@license AS license",
      ["1", "utf8mb4", "Apache-2.0"],
    ],
  ];
  for (const [statement, row] of cases) {
    assertEquals(answer(statement).rows, [row], statement);
  }
  assertEquals(
    answer(
      "SELECT @@query_cache_size, @@tx_isolation, @@master_info_repository",
      {
        version: "5.6.24",
      },
    ).rows,
    [["0", "REPEATABLE-READ", "FILE"]],
  );
});

Deno.test("answerStatement() answers what gh-ost, orchestrator and exporters send", () => {
  for (
    const [version, statements] of [
      ["5.7.44-log", [
        "show /* gh-ost */ grants for current_user()",
        "show /* gh-ost readCurrentBinlogCoordinates */ master status",
        "select /* gh-ost */ @@global.log_slave_updates",
        "select @@global.log_bin, @@global.binlog_format",
        "select @@global.binlog_row_image",
        "show slave hosts",
        "show global status like 'rpl_semi_sync_%_status'",
        "show global variables like 'rpl_semi_sync_%'",
        "select @@global.gtid_mode = 'ON', @@global.server_uuid, @@global.gtid_purged, @@global.master_info_repository = 'TABLE', @@global.binlog_row_image",
        "select @@global.gtid_mode, @@global.enforce_gtid_consistency",
        "set /* gh-ost */ session lock_wait_timeout:=3",
        "SELECT @@log_bin",
        "SHOW GLOBAL VARIABLES",
      ]],
      ["9.7.4", [
        "SELECT @@version, @@version_comment",
        "SHOW REPLICA STATUS",
        "SHOW BINARY LOG STATUS",
        "SHOW REPLICAS",
        "SHOW SESSION STATUS LIKE 'Ssl_cipher'",
        "SELECT CONNECTION_ID()",
        "SET NAMES utf8mb4",
        "SET autocommit=1",
        // what an exporter's driver sets as it connects
        "SET lock_wait_timeout=2",
        // what mysql --safe-updates begins with
        "SET SQL_SAFE_UPDATES=1,SQL_SELECT_LIMIT=1000,MAX_JOIN_SIZE=1000000",
        "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ",
      ]],
    ] as const
  ) {
    for (const statement of statements) {
      const context = statementSession().context();
      const result = answerStatement(statement, {
        ...context,
        server: { ...context.server, version },
      });
      assert(result.kind !== "error", `${version}: ${statement}`);
    }
  }
});

Deno.test("answerStatement() tells how strict the source is with GTIDs, and how many may connect", () => {
  const of = (version: string, gtidMode: string) => {
    const { server } = statementSession().context();
    return answer(
      "SELECT @@enforce_gtid_consistency, @@global.max_connections",
      { version, context: { server: { ...server, gtidMode } } },
    ).rows;
  };
  assertEquals(of("9.7.4", "ON"), [["ON", "1000"]]);
  assertEquals(of("9.7.4", "ON_PERMISSIVE"), [["OFF", "1000"]]);
  assertEquals(of("5.6.24", "ON"), [["1", "1000"]]);
});

Deno.test("SHOW DATABASES and SHOW TABLES find nothing", () => {
  assertEquals(
    answer("SHOW DATABASES LIKE 'x%'").columns[0]?.name,
    "Database (x%)",
  );
  assertEquals(
    answer("SHOW TABLES FROM `db`").columns[0]?.name,
    "Tables_in_db",
  );
  const result = answerStatement("SHOW TABLES", statementSession().context());
  assert(result.kind === "error" && result.code === 1046);
});

Deno.test("Session appears in SHOW PROCESSLIST and SHOW STATUS with what it does", async () => {
  await using server = await TestServer.start({
    server: {
      accounts: [
        { name: "repl", password: "replpass" },
        { name: "other", password: "otherpass", rights: ["replicate"] },
      ],
    },
  });
  await using client = await server.connect();
  await using replica = await server.connect({
    user: "other",
    password: "otherpass",
  });
  await replica.query("USE somewhere");
  assertEquals(
    (await processes(client)).map(([, , , db, command]) => [
      db,
      command,
    ]),
    [[null, "Query"], ["somewhere", "Sleep"]],
  );
  await replica.sendCommand(encodeBinlogDumpGtid({
    flags: 0,
    serverId: 5,
    fileName: "",
    position: 4n,
    gtidSetBytes: new Uint8Array(8),
  }));
  await eventually(() =>
    server.server.status().replicas[0]?.state === "dumping"
  );
  const [own, dump] = await processes(client);
  assertEquals(own?.slice(4), ["Query", "0", "init", "SHOW PROCESSLIST"]);
  assertEquals(dump?.slice(4), [
    "Binlog Dump GTID",
    "0",
    "Sending binlog event to replica",
    null,
  ]);
  const status = Object.fromEntries(
    (await client.query("SHOW GLOBAL STATUS")).rows,
  ) as Record<string, string>;
  assertEquals(status["Connections"], "2");
  assertEquals(status["Threads_connected"], "2");
  assertEquals(status["Threads_running"], "2");
  assertEquals(status["Com_show_processlist"], "2");
  assertEquals(status["Com_change_db"], "1");
  assert(Number(status["Bytes_received"]) > 50);
  assert(Number(status["Bytes_sent"]) > 500);
});

async function processes(
  client: ClientConnection,
): Promise<(string | null)[][]> {
  return (await client.query("SHOW PROCESSLIST")).rows;
}
