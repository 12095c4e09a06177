import { assert, assertEquals } from "@std/assert";
import { grantedRights } from "../../../lib/config/right.ts";
import {
  type SourceChange,
  type SourceControl,
  SourceControlError,
  type SourceReplication,
} from "../../../lib/server/source_control.ts";
import { steerSource } from "../../../lib/server/source_steering.ts";
import { answerStatement } from "../../../lib/server/statement.ts";
import { SOURCE_OPTIONS } from "../../../lib/server/source_option.ts";
import type { StatementResult } from "../../../lib/server/statement_result.ts";
import { statementSession } from "./statement_session.ts";

const UUID = "7b4c9a93-e702-11f1-9673-02fc00000001";

const SOURCE: SourceReplication = {
  hostname: "db1",
  port: 3307,
  user: "kb",
  state: "following",
  fault: undefined,
  connectRetryS: 15,
  file: "binlog.000007",
  position: 157,
  logBytes: 4_000,
  secondsBehind: 3,
  serverId: "9701",
  uuid: UUID,
  retrieved: () => `${UUID}:6-9`,
  mariadbPosition: "",
  heartbeatMs: 5000,
  tls: undefined,
  semiSync: false,
};

interface Asked {
  readonly version?: string;
  readonly source?: SourceReplication | undefined;
}

function ask(statement: string, asked: Asked = {}): StatementResult {
  const context = statementSession().context();
  const { version = "9.7.4" } = asked;
  return answerStatement(statement, {
    ...context,
    server: { ...context.server, version },
    session: { ...context.session, rights: grantedRights(["admin"]) },
    source: () => "source" in asked ? asked.source : SOURCE,
  });
}

function rowOf(
  statement: string,
  asked: Asked = {},
): Record<string, string | null> {
  const result = ask(statement, asked);
  assert(result.kind === "rows", JSON.stringify(result));
  assertEquals(result.rows.length, 1);
  return Object.fromEntries(
    result.columns.map(({ name }, at) => [name, result.rows[0]![at] ?? null]),
  );
}

function faultOf(statement: string, asked: Asked = {}): string {
  const result = ask(statement, asked);
  assert(result.kind === "error", `${statement}: ${JSON.stringify(result)}`);
  return `${result.code} ${result.message}`;
}

function actionOf(statement: string, version = "9.7.4"): unknown {
  const result = ask(statement, { version });
  assert(result.kind === "source", `${statement}: ${JSON.stringify(result)}`);
  return result.action;
}

Deno.test("SHOW REPLICA STATUS tells of the source in 60 columns, as MySQL 9.7", () => {
  const row = rowOf("SHOW REPLICA STATUS FOR CHANNEL ''");
  assertEquals(Object.keys(row).length, 60);
  const expected: Record<string, string | null> = {
    Replica_IO_State: "Waiting for source to send event",
    Source_Host: "db1",
    Source_User: "kb",
    Source_Port: "3307",
    Connect_Retry: "15",
    Source_Log_File: "binlog.000007",
    Read_Source_Log_Pos: "157",
    Relay_Log_File: "",
    Relay_Log_Pos: "157",
    Relay_Source_Log_File: "binlog.000007",
    Replica_IO_Running: "Yes",
    Replica_SQL_Running: "Yes",
    Exec_Source_Log_Pos: "157",
    Relay_Log_Space: "4000",
    Source_SSL_Allowed: "No",
    Seconds_Behind_Source: "3",
    Last_IO_Errno: "0",
    Last_IO_Error: "",
    Last_IO_Error_Timestamp: "",
    Source_Server_Id: "9701",
    Source_UUID: UUID,
    SQL_Remaining_Delay: null,
    Replica_SQL_Running_State:
      "Replica has read all relay log; waiting for more updates",
    Retrieved_Gtid_Set: `${UUID}:6-9`,
    Executed_Gtid_Set: "d63952fd-e6f6-11f1-a979-02fc00000001:1-9",
    Auto_Position: "1",
    Channel_Name: "",
  };
  for (const [name, value] of Object.entries(expected)) {
    assertEquals(row[name], value, name);
  }
});

Deno.test("SHOW SLAVE STATUS has the columns of each version", () => {
  const cases: [version: string, count: number, last: string][] = [
    ["5.6.24-log", 54, "Auto_Position"],
    ["5.7.44", 57, "Master_TLS_Version"],
    ["8.0.36", 60, "Network_Namespace"],
    ["9.7.4", 60, "Network_Namespace"],
    ["10.11.19-MariaDB", 54, "Replicate_Rewrite_DB"],
  ];
  for (const [version, count, last] of cases) {
    const names = Object.keys(rowOf("SHOW SLAVE STATUS", { version }));
    assertEquals([names.length, names.at(-1)], [count, last], version);
    assert(names.includes("Seconds_Behind_Master"), version);
    assert(!names.some((name) => name.includes("Source")), version);
  }
});

Deno.test("SHOW ALL SLAVES STATUS is MariaDB's, by GTID where the log has them", () => {
  const version = "10.11.19-MariaDB";
  const source = { ...SOURCE, mariadbPosition: "0-8001-5" };
  for (const statement of ["SHOW ALL SLAVES STATUS", "SHOW SLAVE '' STATUS"]) {
    const row = rowOf(statement, { version, source });
    assertEquals(row["Using_Gtid"], "Slave_Pos");
    assertEquals(row["Gtid_IO_Pos"], "0-8001-5");
  }
  const all = rowOf("SHOW ALL REPLICAS STATUS", { version, source });
  assertEquals(all["Gtid_Slave_Pos"], "0-8001-5");
  assertEquals(all["Slave_heartbeat_period"], "5.000");
  const plain = rowOf("SHOW REPLICA STATUS", { version });
  assertEquals(plain["Using_Gtid"], "No");
  assert("Master_Host" in plain);
  for (
    const statement of [
      "SHOW SLAVE 'x' STATUS",
      "SHOW SLAVE STATUS FOR CHANNEL 'x'",
      "STOP SLAVE FOR CHANNEL 'x'",
    ]
  ) {
    assertEquals(
      faultOf(statement, { version }),
      "1617 There is no master connection 'x'",
    );
  }
  assertEquals(faultOf("SHOW ALL SLAVES STATUS").slice(0, 4), "1064");
});

Deno.test("SHOW REPLICA STATUS says what keeps it from its source, by version", () => {
  const fault = {
    kind: "reading-log",
    message: "The source purged binlog.000004",
    at: new Date("2026-11-23T12:21:46Z"),
  } as const;
  const failed = rowOf("SHOW REPLICA STATUS", {
    source: { ...SOURCE, state: "failed", fault, secondsBehind: undefined },
  });
  assertEquals(failed["Replica_IO_Running"], "No");
  assertEquals(failed["Replica_SQL_Running"], "Yes");
  assertEquals(failed["Seconds_Behind_Source"], null);
  assertEquals(failed["Last_IO_Errno"], "13114");
  assertEquals(failed["Last_IO_Error"], "The source purged binlog.000004");
  assertEquals(failed["Last_IO_Error_Timestamp"], "261123 12:21:46");
  const waiting = rowOf("SHOW SLAVE STATUS", {
    version: "5.6.24",
    source: { ...SOURCE, state: "waiting", fault },
  });
  assertEquals(waiting["Slave_IO_Running"], "Connecting");
  assertEquals(waiting["Last_IO_Errno"], "1236");
  const stopped = rowOf("SHOW REPLICA STATUS", {
    source: { ...SOURCE, state: "stopped" },
  });
  assertEquals(stopped["Replica_IO_Running"], "No");
  assertEquals(stopped["Replica_SQL_Running"], "No");
  assertEquals(stopped["Replica_IO_State"], "");
});

Deno.test("SHOW REPLICA STATUS has no row before a source was given, and one channel", () => {
  const result = ask("SHOW REPLICA STATUS", { source: undefined });
  assert(result.kind === "rows");
  assertEquals(result.rows, []);
  assertEquals(
    faultOf("SHOW REPLICA STATUS FOR CHANNEL 'x'"),
    "3074 Replica channel 'x' does not exist.",
  );
});

Deno.test("CHANGE REPLICATION SOURCE TO takes what it can, in either words", () => {
  const cases: [statement: string, change: SourceChange][] = [
    ["CHANGE MASTER TO MASTER_HOST='db2'", { hostname: "db2" }],
    [
      "CHANGE MASTER TO MASTER_HEARTBEAT_PERIOD = 2.5",
      { heartbeatMs: 2500 },
    ],
    [
      "CHANGE REPLICATION SOURCE TO SOURCE_HOST = 'db2', SOURCE_PORT=3308, SOURCE_USER='u', SOURCE_PASSWORD='p' FOR CHANNEL ''",
      { hostname: "db2", port: 3308, user: "u", password: "p" },
    ],
    [
      "CHANGE MASTER TO MASTER_SSL=1, MASTER_SSL_CA='/ca.pem', MASTER_SSL_CERT='/c.pem', MASTER_SSL_KEY='/k.pem', MASTER_SSL_VERIFY_SERVER_CERT=1, MASTER_SSL_CIPHER=''",
      {
        tls: {
          enabled: true,
          ca: "/ca.pem",
          certificate: "/c.pem",
          key: "/k.pem",
          verifiesIdentity: true,
        },
      },
    ],
    [
      "change replication source to source_log_file='binlog.000007', source_log_pos=157",
      { file: "binlog.000007", position: 157 },
    ],
    [
      "CHANGE MASTER TO MASTER_HOST='a', MASTER_AUTO_POSITION=1, MASTER_DELAY=0, IGNORE_SERVER_IDS=(), GET_MASTER_PUBLIC_KEY=1, PRIVILEGE_CHECKS_USER=NULL",
      { hostname: "a" },
    ],
  ];
  for (const [statement, change] of cases) {
    const text = statement.replace("GET_MASTER", "GET_SOURCE");
    assertEquals(actionOf(text), { kind: "change", change }, statement);
  }
  assertEquals(
    actionOf("CHANGE MASTER '' TO MASTER_USE_GTID=slave_pos", "10.11-MariaDB"),
    { kind: "change", change: {} },
  );
});

Deno.test("CHANGE REPLICATION SOURCE TO refuses by name what it can't", () => {
  const of = (options: string) => faultOf(`CHANGE MASTER TO ${options}`);
  const refused = (options: string): string =>
    /'([^']*)'/.exec(of(options))?.[1] ?? "";
  assertEquals(refused("MASTER_DELAY=5"), "MASTER_DELAY = 5");
  assertEquals(refused("MASTER_AUTO_POSITION=0"), "MASTER_AUTO_POSITION = 0");
  assertEquals(refused("MASTER_CONNECT_RETRY=5"), "MASTER_CONNECT_RETRY");
  assertEquals(refused("IGNORE_SERVER_IDS=(1,2)"), "IGNORE_SERVER_IDS = (1,2)");
  assertEquals(
    refused("MASTER_HEARTBEAT_PERIOD=0"),
    "MASTER_HEARTBEAT_PERIOD = 0",
  );
  assertEquals(
    of("MASTER_HEARTBEAT_PERIOD=99999999"),
    "1624 The requested value for the heartbeat period is either negative or exceeds the maximum allowed (4294967 seconds).",
  );
  assertEquals(refused("MASTER_SSL_CRL='/x'"), "MASTER_SSL_CRL = /x");
  assertEquals(
    of("MASTER_HOST=''"),
    "1210 Incorrect arguments to MASTER_HOST",
  );
  assertEquals(
    of("MASTER_PORT=65536"),
    "1210 Incorrect arguments to MASTER_PORT",
  );
  for (
    const malformed of [
      "",
      "MASTER_HOST",
      "MASTER_HOST='a',",
      "MASTER_HOST=5",
      "MASTER_PORT='a'",
      "NOSUCH=1",
      "MASTER_HOST='a', MASTER_HOST='b'",
      "IGNORE_SERVER_IDS=(1",
      "MASTER_DELAY=",
      "MASTER_HEARTBEAT_PERIOD=-1",
      "MASTER_HOST='a' MASTER_PORT=1",
    ]
  ) {
    assertEquals(of(malformed).slice(0, 4), "1064", malformed);
  }
});

Deno.test("SOURCE_OPTIONS are all answered or refused with their reason", () => {
  for (const [name, { refused, about }] of SOURCE_OPTIONS) {
    assert(about.length > 10, name);
    if (!refused) continue;
    const fault = faultOf(`CHANGE REPLICATION SOURCE TO ${name} = 1`);
    assertEquals(fault, `1235 kingbus does not support '${name}': ${about}`);
  }
});

Deno.test("CHANGE REPLICATION SOURCE TO shows no password in an error", () => {
  const secret = "hunter2hunter2";
  for (
    const options of [
      `SOURCE_PASSWORD='${secret.repeat(50)}'`,
      `SOURCE_PASSWORD='${secret}', SOURCE_DELAY=3`,
      `SOURCE_PASSWORD='${secret}', SOURCE_PORT=99999`,
    ]
  ) {
    const fault = faultOf(`CHANGE REPLICATION SOURCE TO ${options}`);
    assert(!fault.includes(secret), fault);
  }
});

Deno.test("START and STOP name threads, and refuse what there is not", () => {
  const cases: [statement: string, kind: string, threads: string][] = [
    ["START REPLICA", "start", "all"],
    ["START SLAVE IO_THREAD FOR CHANNEL ''", "start", "io"],
    ["START REPLICA SQL_THREAD", "start", "sql"],
    ["start slave io_thread, sql_thread", "start", "all"],
    ["STOP REPLICA;", "stop", "all"],
    ["STOP SLAVE RELAY_THREAD", "stop", "io"],
    ["STOP ALL SLAVES", "stop", "all"],
    ["START ALL REPLICAS", "start", "all"],
  ];
  for (const [statement, kind, threads] of cases) {
    assertEquals(actionOf(statement), { kind, threads }, statement);
  }
  for (
    const statement of [
      "STOP REPLICA SQL_THREAD",
      "START REPLICA UNTIL SOURCE_LOG_FILE='a', SOURCE_LOG_POS=4",
      "START REPLICA USER='u' PASSWORD='p'",
      "RESET REPLICA ALL",
      "RESET SLAVE",
      "RESET MASTER",
      "RESET BINARY LOGS AND GTIDS",
    ]
  ) {
    assertEquals(faultOf(statement).slice(0, 4), "1235", statement);
  }
  assertEquals(faultOf("START REPLICA IO_THREAD,").slice(0, 4), "1064");
  assertEquals(faultOf("START REPLICA FOR CHANNEL 'c'").slice(0, 4), "3074");
});

/** A source that does as it is told, or fails. */
function control(
  answer: { changed?: boolean; error?: SourceControlError; known?: boolean },
): SourceControl {
  const act = <Result>(result: Result): Promise<Result> =>
    answer.error === undefined
      ? Promise.resolve(result)
      : Promise.reject(answer.error);
  return {
    status: () => answer.known === false ? undefined : SOURCE,
    start: () => act(answer.changed ?? true),
    stop: () => act(answer.changed ?? true),
    change: () => act(undefined),
  };
}

Deno.test("steerSource() answers as a server of the version", async () => {
  const start = { kind: "start", threads: "all" } as const;
  const stop = { kind: "stop", threads: "all" } as const;
  const change = { kind: "change", change: {} } as const;
  const running = new SourceControlError("running", "it runs");
  const cases: [
    Parameters<typeof steerSource>[0],
    SourceControl | undefined,
    string,
    string,
  ][] = [
    [start, control({}), "9.7.4", ""],
    [
      start,
      control({ changed: false }),
      "9.7.4",
      "Note 3083 Replication thread(s) for channel '' are already running.",
    ],
    [
      { kind: "start", threads: "sql" },
      control({}),
      "5.6.24",
      "Note 1254 Slave is already running",
    ],
    [
      stop,
      control({ changed: false }),
      "9.7.4",
      "Note 3084 Replication thread(s) for channel '' are already stopped.",
    ],
    [
      stop,
      control({ changed: false }),
      "10.11.19-MariaDB",
      "Note 1255 Slave already has been stopped",
    ],
    [
      start,
      control({ known: false }),
      "9.7.4",
      "1200 HY000 The server is not configured as replica; fix in config file or with CHANGE REPLICATION SOURCE TO",
    ],
    [
      start,
      control({ known: false }),
      "5.6.24",
      "1200 HY000 The server is not configured as slave; fix in config file or with CHANGE MASTER TO",
    ],
    [
      start,
      control({ known: false }),
      "10.11.19-MariaDB",
      "1200 HY000 Misconfigured slave: MASTER_HOST was not set; Fix in config file or with CHANGE MASTER TO",
    ],
    [
      change,
      control({ error: running }),
      "9.7.4",
      "3021 HY000 This operation cannot be performed with a running replica io thread; run STOP REPLICA IO_THREAD FOR CHANNEL '' first.",
    ],
    [
      change,
      control({ error: running }),
      "5.6.24",
      "1198 HY000 This operation cannot be performed with a running slave; run STOP SLAVE first",
    ],
    [
      change,
      control({ error: running }),
      "10.11.19-MariaDB",
      "1198 HY000 This operation cannot be performed as you have a running slave ''; run STOP SLAVE '' first",
    ],
    [
      change,
      control({ error: new SourceControlError("refused", "is kingbus") }),
      "9.7.4",
      "1210 HY000 is kingbus",
    ],
    [
      start,
      control({ error: new SourceControlError("failed", "no space") }),
      "9.7.4",
      "1105 HY000 no space",
    ],
    [
      start,
      undefined,
      "9.7.4",
      "1235 42000 kingbus does not support 'CHANGE, START and STOP of the source' here: it follows none",
    ],
  ];
  for (const [action, source, version, expected] of cases) {
    const result = await steerSource(action, source, version);
    const said = result.kind === "error"
      ? `${result.code} ${result.sqlState} ${result.message}`
      : result.kind === "ok"
      ? (result.warnings ?? []).map(({ level, code, message }) =>
        `${level} ${code} ${message}`
      ).join()
      : result.kind;
    assertEquals(said, expected, `${action.kind} ${version}`);
  }
});
