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
