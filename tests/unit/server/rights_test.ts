import { assertEquals, assertRejects } from "@std/assert";
import { grantedRights, type Right } from "../../../lib/config/right.ts";
import type { ClientConnection } from "../../../lib/connection/client_connection.ts";
import {
  encodeBinlogDump,
  encodeRegisterReplica,
} from "../../../lib/protocol/command.ts";
import { decodeErr } from "../../../lib/protocol/response.ts";
import { ServerError } from "../../../lib/protocol/server_error.ts";
import type { LogPurger } from "../../../lib/server/log_purger.ts";
import { answerStatement } from "../../../lib/server/statement.ts";
import { STATEMENTS } from "../../../lib/server/statement_list.ts";
import { statementSession } from "./statement_session.ts";
import { eventually, TestServer } from "./test_server.ts";

const ACCOUNTS = ([
  ["replicate"],
  ["monitor"],
  ["replicate", "monitor"],
  ["admin"],
] as const).map((rights) => ({
  name: rights.join("_"),
  password: "secret",
  rights: [...rights] as Right[],
}));

const NOTHING_PURGED: LogPurger = {
  purge: () =>
    Promise.resolve({
      removed: [],
      asked: 0,
      firstKept: "binlog.000001",
      keptActive: false,
      heldBy: [],
    }),
};

function startServer(): Promise<TestServer> {
  return TestServer.start({
    server: { accounts: ACCOUNTS },
    purger: NOTHING_PURGED,
  });
}

function connectAs(server: TestServer, user: string) {
  return server.connect({ user, password: "secret" });
}

async function faultOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    if (!(error instanceof ServerError)) throw error;
    return `${error.code} ${error.sqlState} ${error.message}`;
  }
  return "";
}

function register(client: ClientConnection): Promise<void> {
  return client.command(encodeRegisterReplica({
    serverId: 5,
    hostName: "",
    user: "",
    port: 0,
    rank: 0,
    sourceId: 0,
  }));
}

Deno.test("grantedRights() gives an admin the other rights too", () => {
  assertEquals([...grantedRights(["admin"])].sort(), [
    "admin",
    "monitor",
    "replicate",
  ]);
  assertEquals([...grantedRights(["monitor"])], ["monitor"]);
});

Deno.test("Session refuses statements by right, with MySQL's privileges, and stays", async () => {
  await using server = await startServer();
  const needs = (privileges: string): string =>
    `1227 42000 Access denied; you need (at least one of) the ${privileges} privilege(s) for this operation`;
  const cases: [statement: string, allowed: string[], refusal: string][] = [
    ["SELECT @@version", ["replicate", "monitor", "admin"], ""],
    ["SET @a = 1", ["replicate", "monitor", "admin"], ""],
    ["SHOW VARIABLES", ["replicate", "monitor", "admin"], ""],
    ["SHOW GLOBAL VARIABLES", ["replicate", "monitor", "admin"], ""],
    ["SHOW GLOBAL STATUS", ["replicate", "monitor", "admin"], ""],
    [
      "SHOW BINARY LOGS",
      ["monitor", "admin"],
      needs("SUPER, REPLICATION CLIENT"),
    ],
    [
      "SHOW MASTER STATUS",
      ["monitor", "admin"],
      needs("SUPER, REPLICATION CLIENT"),
    ],
    [
      "SHOW REPLICA STATUS",
      ["monitor", "admin"],
      needs("SUPER, REPLICATION CLIENT"),
    ],
    ["SHOW REPLICAS", ["replicate", "monitor", "admin"], ""],
    ["SHOW BINLOG EVENTS LIMIT 0", ["replicate", "monitor", "admin"], ""],
    [
      "PURGE BINARY LOGS TO 'binlog.000001'",
      ["admin"],
      needs("SUPER or BINLOG_ADMIN"),
    ],
  ];
  for (const user of ["replicate", "monitor", "admin"]) {
    await using client = await connectAs(server, user);
    for (const [statement, allowed, refusal] of cases) {
      assertEquals(
        await faultOf(client.query(statement)),
        allowed.includes(user) ? "" : refusal,
        `${user}: ${statement}`,
      );
    }
    assertEquals((await client.query("SELECT 1")).rows, [["1"]]);
  }
});

Deno.test("Session says of a malformed statement that it is that, whoever sends it", async () => {
  await using server = await startServer();
  await using client = await connectAs(server, "replicate");
  for (const statement of ["PURGE BINARY LOGS TO 2", "SHOW MASTER STATUS x"]) {
    const fault = await faultOf(client.query(statement));
    assertEquals(fault.slice(0, 4), "1064", statement);
  }
});

Deno.test("Session registers and dumps only for accounts that may replicate", async () => {
  await using server = await startServer();
  const dump = encodeBinlogDump({
    position: 4,
    flags: 0,
    serverId: 5,
    fileName: "binlog.000001",
  });
  await using monitor = await connectAs(server, "monitor");
  assertEquals(
    await faultOf(register(monitor)),
    "1045 28000 Access denied for user 'monitor'@'%' (using password: YES)",
  );
  await monitor.sendCommand(dump);
  const { code, sqlState, message } = decodeErr(
    (await monitor.reader.read())!.payload,
  );
  assertEquals(
    `${code} ${sqlState} ${message}`,
    "1227 42000 Access denied; you need (at least one of) the REPLICATION SLAVE privilege(s) for this operation",
  );
  assertEquals(server.server.status().replicas, []);

  await using replica = await connectAs(server, "replicate");
  await register(replica);
  await replica.sendCommand(dump);
  await eventually(() =>
    server.server.status().replicas[0]?.state === "dumping"
  );
});

Deno.test("Session ends others' connections for an admin only", async () => {
  await using server = await startServer();
  await using victim = await connectAs(server, "replicate");
  await using monitor = await connectAs(server, "monitor");
  await using admin = await connectAs(server, "admin");
  const statement = `KILL ${victim.connectionId}`;
  assertEquals(
    await faultOf(monitor.query(statement)),
    `1095 HY000 You are not owner of thread ${victim.connectionId}`,
  );
  await admin.query(statement);
  await assertRejects(() => victim.query("SELECT 1"));
});

/** A statement of each entry of the table, by its first spelling. */
const SAMPLES: Readonly<Record<string, string>> = {
  "PURGE BINARY LOGS": "PURGE BINARY LOGS TO 'binlog.000001'",
  "KILL": "KILL 4294967295",
  "SHOW SLAVE": "SHOW SLAVE '' STATUS",
  "CHANGE REPLICATION SOURCE": "CHANGE MASTER TO MASTER_PORT = 3306",
  "SELECT": "SELECT 1",
  "SET": "SET @a = 1",
  "SHOW TABLES": "SHOW TABLES FROM test",
  "USE": "USE test",
};

/** What may be answered to an account without a right. */
const OPEN_TO_ALL = [
  "SHOW PROCESSLIST",
  "SHOW FULL PROCESSLIST",
  "KILL",
  "SELECT",
  "SET",
  "SHOW VARIABLES",
  "SHOW GLOBAL VARIABLES",
  "SHOW STATUS",
  "SHOW GLOBAL STATUS",
  "SHOW GRANTS",
  "SHOW WARNINGS",
  "SHOW ERRORS",
  "SHOW DATABASES",
  "SHOW TABLES",
  "USE",
  "BEGIN",
  "COMMIT",
  "ROLLBACK",
];

Deno.test("answerStatement() holds every statement of the table to its right, in each flavour", () => {
  const without = STATEMENTS.filter(({ needed }) => needed === undefined);
  assertEquals(without.map(({ words }) => words[0]), OPEN_TO_ALL);
  const accounts: Right[][] = [
    [],
    ["replicate"],
    ["monitor"],
    ["replicate", "monitor"],
    ["admin"],
  ];
  for (const version of ["5.6.24", "9.7.4", "10.11.19-MariaDB"]) {
    for (const { words, needed } of STATEMENTS) {
      const statement = SAMPLES[words[0]!] ?? words[0]!;
      if (statement.startsWith("SHOW ALL") && version[0] !== "1") continue;
      for (const rights of accounts) {
        const granted = grantedRights(rights);
        const context = statementSession().context();
        const result = answerStatement(statement, {
          ...context,
          server: { ...context.server, version },
          session: { ...context.session, rights: granted },
        });
        const mayIt = needed?.anyOf.some((right) => granted.has(right)) ?? true;
        const where = `${version}: ${statement} with ${
          rights.join() || "none"
        }`;
        const code = result.kind === "error" ? result.code : 0;
        assertEquals(code === 1227, !mayIt, where);
        if (mayIt || result.kind !== "error" || needed === undefined) continue;
        const named = version.includes("MariaDB")
          ? needed.mariadb
          : needed.mysql;
        assertEquals(
          result.message,
          `Access denied; you need (at least one of) the ${named} privilege(s) for this operation`,
          where,
        );
      }
    }
  }
});
