// The client's half of the protocol against servers of every kind: what they
// accept is what the in-memory tests cannot know.

import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  ClientConnection,
  type ConnectOptions,
} from "../../../lib/connection/client_connection.ts";
import { ConnectionError } from "../../../lib/connection/connection_error.ts";
import {
  DumpFlag,
  encodeBinlogDump,
  encodeRegisterReplica,
} from "../../../lib/protocol/command.ts";
import { PacketDecoder } from "../../../lib/protocol/packet_decoder.ts";
import { isEof } from "../../../lib/protocol/response.ts";
import { ServerError } from "../../../lib/protocol/server_error.ts";
import { freePort } from "../../../scripts/test_servers/free_port.ts";
import { startMysql56 } from "../../../scripts/test_servers/mysql56.ts";
import { rigTest } from "../../../scripts/test_servers/rig.ts";

const ROTATE = 4;
const FORMAT_DESCRIPTION = 15;
const EVENT_TYPE_OFFSET = 1 + 4;

type Address = Pick<ConnectOptions, "hostname" | "port">;

/** Opens, asks who it is, closes. */
async function userOf(options: ConnectOptions): Promise<string> {
  await using connection = await ClientConnection.connect(options);
  const { rows } = await connection.query("SELECT CURRENT_USER()");
  return rows[0]?.[0] ?? "";
}

/** What every server answers alike. */
async function assertSpeaks(address: Address): Promise<void> {
  const account = { ...address, user: "app", password: "apppass" };
  await using connection = await ClientConnection.connect({
    ...account,
    attributes: new Map([["program_name", "kingbus"]]),
  });
  const id = await connection.query("SELECT CONNECTION_ID()");
  assertEquals(id.rows, [[`${connection.connectionId}`]]);
  const values = await connection.query("SELECT NULL AS a, '' AS b, 'Ö€' AS c");
  assertEquals(values.columns, ["a", "b", "c"]);
  assertEquals(values.rows, [[null, "", "Ö€"]]);
  const error = await assertRejects(() => connection.query("FOO"), ServerError);
  assertEquals([error.code, error.sqlState], [1064, "42000"]);
  const many = await connection.query("SHOW VARIABLES");
  assert(many.rows.length > 400, "more than one chunk of rows");

  const wrong = { ...account, password: "wrong" };
  for (const options of [wrong, { ...wrong, user: "nobody" }]) {
    const refusal = await assertRejects(() => userOf(options), ServerError);
    assertEquals([refusal.code, refusal.sqlState], [1045, "28000"]);
  }
}

/** Registers and dumps the first file without blocking, as a replica would. */
async function assertDumps(address: Address): Promise<void> {
  const account = { ...address, user: "repl", password: "replpass" };
  await using connection = await ClientConnection.connect(account);
  await connection.query("SET @master_binlog_checksum = 'NONE'");
  await connection.command(encodeRegisterReplica({
    serverId: 4242,
    hostName: "kingbus",
    user: "",
    port: 3390,
    rank: 0,
    sourceId: 0,
  }));
  await connection.sendCommand(encodeBinlogDump({
    position: 4,
    flags: DumpFlag.NON_BLOCK,
    serverId: 4242,
    fileName: "",
  }));
  const decoder = new PacketDecoder({
    maxPayloadBytes: 1 << 26,
    initialSequenceId: 1,
  });
  const types: number[] = [];
  for (let ended = false; !ended;) {
    const chunk = await connection.reader.readChunk();
    assert(chunk !== null, "the dump ends with a packet");
    for (const { payload } of decoder.push(chunk)) {
      ended = isEof(payload);
      if (!ended) types.push(payload[EVENT_TYPE_OFFSET]!);
    }
  }
  assertEquals(types.slice(0, 2), [ROTATE, FORMAT_DESCRIPTION]);
}

Deno.test("ClientConnection runs a statement that takes several packets", async () => {
  await using server = await startMysql56({
    extraArgs: ["--max-allowed-packet=64M"],
  });
  await using connection = await server.connect();
  // one that fills its packets, so that an empty one ends it, and one more
  for (const bytes of [0xff_ffff, 0xff_ffff - 1, 2 * 0xff_ffff, 40_000_000]) {
    const around = "\x03SELECT LENGTH('')".length;
    const text = "x".repeat(bytes - around);
    const { rows } = await connection.query(`SELECT LENGTH('${text}')`);
    assertEquals(rows, [[String(text.length)]]);
  }
});

Deno.test("ClientConnection speaks with MySQL 5.6", async () => {
  await using server = await startMysql56();
  const address = { hostname: "127.0.0.1", port: server.port };
  await assertSpeaks(address);
  await assertDumps(address);
});

await rigTest(
  "ClientConnection speaks with MySQL 9.7",
  ["mysql97"],
  async (rig) => {
    await assertSpeaks(rig.server("mysql97"));
    await assertDumps(rig.server("mysql97"));
  },
);

await rigTest(
  "ClientConnection speaks with MariaDB",
  ["mariadb"],
  async (rig) => {
    await assertSpeaks(rig.server("mariadb"));
    await assertDumps(rig.server("mariadb"));
  },
);

await rigTest("ClientConnection logs in to MySQL 9.7 by every exchange", [
  "mysql97",
], async (rig) => {
  const server = rig.server("mysql97");
  const { hostname, port } = server;
  const at = (user: string, password: string) =>
    userOf({ hostname, port, user, password });
  const drop = [
    "SET sql_log_bin = 0",
    "DROP USER IF EXISTS kb_new, kb_sha256, kb_empty",
  ];
  await server.query(
    ...drop,
    "CREATE USER kb_new IDENTIFIED WITH caching_sha2_password BY 'geheim-Ö€'",
    "CREATE USER kb_sha256 IDENTIFIED WITH sha256_password BY 'zwei'",
    "CREATE USER kb_empty IDENTIFIED WITH caching_sha2_password BY ''",
  );
  try {
    // A new account is in no cache: a wrong password and the first right one go
    // through the full exchange, the second right one does not.
    await assertRejects(
      () => at("kb_new", "falsch"),
      ServerError,
      "using password: YES",
    );
    assertEquals(await at("kb_new", "geheim-Ö€"), "kb_new@%");
    assertEquals(await at("kb_new", "geheim-Ö€"), "kb_new@%");
    await assertRejects(
      () => at("kb_new", ""),
      ServerError,
      "using password: NO",
    );
    assertEquals(await at("kb_sha256", "zwei"), "kb_sha256@%");
    await assertRejects(
      () => at("kb_sha256", "drei"),
      ServerError,
      "Access denied",
    );
    assertEquals(await at("kb_empty", ""), "kb_empty@%");
    await assertRejects(
      () => at("kb_empty", "x"),
      ServerError,
      "Access denied",
    );
  } finally {
    await server.query(...drop);
  }
});

await rigTest(
  "ClientConnection says why MySQL 9.7 hung up",
  ["mysql97"],
  async (rig) => {
    await using connection = await rig.server("mysql97").connect();
    await connection.query("SET SESSION wait_timeout = 1");
    const { connectionId } = connection;
    await using observer = await rig.server("mysql97").connect();
    let gone = false;
    while (!gone) {
      const { rows } = await observer.query(
        `SELECT 1 FROM information_schema.processlist WHERE id = ${connectionId}`,
      );
      gone = rows.length === 0;
      if (!gone) await new Promise((resolve) => setTimeout(resolve, 50));
    }
    const error = await assertRejects(
      () => connection.query("SELECT 1"),
      ServerError,
    );
    assertEquals(error.code, 4031);
  },
);

await rigTest("ClientConnection reads a value of 20 MB from MySQL 9.7", [
  "mysql97",
], async (rig) => {
  await using connection = await rig.server("mysql97").connect();
  const { rows } = await connection.query("SELECT REPEAT('x', 20000000)");
  assertEquals(rows[0]?.[0]?.length, 20_000_000);
});

Deno.test("ClientConnection.connect() says that nobody listens", async () => {
  for (const hostname of ["127.0.0.1", "::1"]) {
    const options = { hostname, port: freePort(), user: "u", password: "p" };
    const error = await assertRejects(
      () => ClientConnection.connect(options),
      ConnectionError,
      `Cannot connect to ${hostname} port ${options.port}`,
    );
    assertEquals(error.kind, "refused");
  }
});

Deno.test("ClientConnection.connect() gives a silent server up", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  const accepting = listener.accept();
  const options = { hostname: "127.0.0.1", port, user: "u", password: "p" };
  const error = await assertRejects(
    () => ClientConnection.connect({ ...options, connectTimeoutMs: 50 }),
    ConnectionError,
    "Timed out after 50 ms connecting",
  );
  assertEquals(error.kind, "timeout");
  using conn = await accepting;
  assertEquals(await conn.read(new Uint8Array(1)), null, "closed");
});

Deno.test("ClientConnection.connect() does not dial when it is given up before", async () => {
  const signal = AbortSignal.abort();
  const options = {
    hostname: "127.0.0.1",
    port: freePort(),
    user: "u",
    password: "p",
  };
  const error = await assertRejects(
    () => ClientConnection.connect({ ...options, signal }),
    ConnectionError,
  );
  assertEquals(error.kind, "aborted");
});
