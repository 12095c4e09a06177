import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  ClientConnection,
  type LoginOptions,
} from "../../../lib/connection/client_connection.ts";
import { ConnectionError } from "../../../lib/connection/connection_error.ts";
import { PacketReader } from "../../../lib/connection/packet_reader.ts";
import { PacketWriter } from "../../../lib/connection/packet_writer.ts";
import type { Transport } from "../../../lib/connection/transport.ts";
import {
  Command,
  decodeQuery,
  encodeBinlogDump,
  encodeCommand,
} from "../../../lib/protocol/command.ts";
import { Capability } from "../../../lib/protocol/capability.ts";
import { ProtocolError } from "../../../lib/protocol/protocol_error.ts";
import { encodeErr, encodeOk } from "../../../lib/protocol/response.ts";
import {
  encodeTextResultSet,
  textColumn,
} from "../../../lib/protocol/result_set.ts";
import {
  accountFromPassword,
  type Login,
  ServerAuth,
} from "../../../lib/protocol/server_auth.ts";
import { ServerError } from "../../../lib/protocol/server_error.ts";
import { byteTable } from "../../support/byte_table.ts";
import { SCRAMBLE } from "../../support/captured_login.ts";
import { memoryTransportPair } from "../../support/memory_transport.ts";

const LOGIN: LoginOptions = { user: "repl", password: "replpass" };

/** The server's end of a connection in memory, after its login. */
interface Peer {
  readonly transport: Transport;
  readonly reader: PacketReader;
  readonly writer: PacketWriter;
  readonly login: Login;
}

/** Accepts a login as a server does. */
async function accept(transport: Transport): Promise<Peer> {
  const reader = new PacketReader(transport.readable, {
    maxPayloadBytes: 65536,
  });
  const writer = new PacketWriter(transport.writable);
  const account = accountFromPassword("repl", "replpass");
  const auth = new ServerAuth({
    lookup: (user) => user === "repl" ? account : undefined,
    host: "192.0.2.9",
  });
  const greeting = {
    connectionId: 4711,
    serverVersion: "8.4.7",
    scramble: SCRAMBLE,
  };
  let sequenceId = await writer.write(auth.greeting(greeting), 0);
  for (;;) {
    reader.expectSequence(sequenceId);
    const packet = await reader.read();
    if (packet === null) throw new ConnectionError("closed", "no login");
    sequenceId = packet.sequenceId + 1;
    const step = auth.next(packet.payload);
    if ("accepted" in step) {
      for (const reply of step.replies) {
        sequenceId = await writer.write(reply, sequenceId);
      }
      return { transport, reader, writer, login: step.accepted };
    }
    const reply = "refused" in step
      ? step.refused
      : "send" in step
      ? step.send
      : encodeOk();
    sequenceId = await writer.write(reply, sequenceId);
  }
}

/** A logged-in connection and its server's end. */
async function connected(options: Partial<LoginOptions> = {}): Promise<{
  connection: ClientConnection;
  peer: Peer;
  cut: () => void;
}> {
  const { client, server, cut } = memoryTransportPair();
  const [connection, peer] = await Promise.all([
    ClientConnection.open(client, { ...LOGIN, ...options }),
    accept(server),
  ]);
  return { connection, peer, cut };
}

/** The next command's payload. */
async function commandOf({ reader }: Peer): Promise<Uint8Array | undefined> {
  reader.expectSequence(0);
  return (await reader.read())?.payload;
}

Deno.test("ClientConnection.open() logs in and knows its server", async () => {
  const attributes = new Map([["program_name", "kingbus"]]);
  const { connection, peer } = await connected({ attributes });
  assertEquals(connection.serverVersion, "8.4.7");
  assertEquals(connection.connectionId, 4711);
  assertEquals(connection.capabilities, peer.login.capabilities);
  assertEquals(connection.capabilities & Capability.DEPRECATE_EOF, 0);
  assertEquals(connection.remote, "192.0.2.1:3306");
  assertEquals(peer.login.attributes, attributes);
  assertEquals(peer.login.database, undefined);
  connection.close();
});

Deno.test("ClientConnection.open() throws the server's refusal and closes", async () => {
  const { client, server } = memoryTransportPair();
  const serving = accept(server);
  const opening = ClientConnection.open(client, {
    ...LOGIN,
    password: "wrong",
  });
  const error = await assertRejects(
    () => opening,
    ServerError,
    "Access denied for user 'repl'",
  );
  assertEquals(error.code, 1045);
  await assertRejects(() => serving, ConnectionError, "no login");
});

Deno.test("ClientConnection.open() throws an error sent instead of a greeting", async () => {
  const { client, server } = memoryTransportPair();
  const writer = new PacketWriter(server.writable);
  await writer.write(byteTable(`ff 1004 "Too many connections"`), 0);
  const opening = ClientConnection.open(client, LOGIN);
  const error = await assertRejects(
    () => opening,
    ServerError,
    "Too many connections",
  );
  assertEquals(error.code, 1040);
});

Deno.test("ClientConnection.open() refuses what is no greeting", async () => {
  const cases = [
    `"HTTP/1.1 400 Bad Request" 0d0a`,
    "010000 00 09",
    "010000 01 0a",
  ];
  for (const bytes of cases) {
    const { client, server } = memoryTransportPair();
    await new PacketWriter(server.writable).writeRaw(byteTable(bytes));
    await assertRejects(
      () => ClientConnection.open(client, LOGIN),
      ProtocolError,
    );
  }
});

Deno.test("ClientConnection.open() tells a closed connection from a silent one", async () => {
  const closed = memoryTransportPair();
  closed.server.close();
  const gone = await assertRejects(
    () => ClientConnection.open(closed.client, LOGIN),
    ConnectionError,
  );
  assertEquals(gone.kind, "closed");
  const silent = memoryTransportPair();
  const options = { ...LOGIN, connectTimeoutMs: 5 };
  const late = await assertRejects(
    () => ClientConnection.open(silent.client, options),
    ConnectionError,
    "Timed out after 5 ms logging in",
  );
  assertEquals(late.kind, "timeout");
});

Deno.test("ClientConnection.open() can be given up", async () => {
  const { client } = memoryTransportPair();
  const controller = new AbortController();
  const opening = ClientConnection.open(client, {
    ...LOGIN,
    signal: controller.signal,
  });
  controller.abort();
  const error = await assertRejects(() => opening, ConnectionError);
  assertEquals(error.kind, "aborted");
});

Deno.test("ClientConnection.query() answers rows and changes", async () => {
  const { connection, peer } = await connected();
  const rows = connection.query("SELECT @@server_uuid, NULL");
  const statement = decodeQuery(
    (await commandOf(peer))!,
    peer.login.capabilities,
  );
  assertEquals(statement, "SELECT @@server_uuid, NULL");
  await peer.writer.writeRaw(encodeTextResultSet(
    {
      columns: [textColumn("@@server_uuid"), textColumn("NULL")],
      rows: [["u", null]],
    },
    peer.login.capabilities,
    1,
  ));
  assertEquals(await rows, {
    columns: ["@@server_uuid", "NULL"],
    rows: [["u", null]],
    affectedRows: 0n,
  });
  const change = connection.query("DELETE FROM t");
  await commandOf(peer);
  await peer.writer.write(encodeOk({ affectedRows: 3 }), 1);
  assertEquals(await change, { columns: [], rows: [], affectedRows: 3n });
  connection.close();
});

Deno.test("ClientConnection.query() throws a refusal and stays usable", async () => {
  const { connection, peer } = await connected();
  const refused = connection.query("FOO");
  await commandOf(peer);
  await peer.writer.write(
    encodeErr({ code: 1064, sqlState: "42000", message: "no" }),
    1,
  );
  const error = await assertRejects(() => refused, ServerError, "no");
  assertEquals(error.sqlState, "42000");
  const next = connection.command(encodeCommand(Command.PING));
  assertEquals(await commandOf(peer), byteTable("0e"));
  await peer.writer.write(encodeOk(), 1);
  await next;
  connection.close();
});

Deno.test("ClientConnection.command() throws a refusal and malformed answers", async () => {
  const { connection, peer } = await connected();
  const refused = connection.command(byteTable("15"));
  await commandOf(peer);
  await peer.writer.write(
    encodeErr({ code: 1045, sqlState: "28000", message: "denied" }),
    1,
  );
  await assertRejects(() => refused, ServerError, "denied");
  const malformed = connection.command(byteTable("15"));
  await commandOf(peer);
  await peer.writer.write(byteTable("05"), 1);
  await assertRejects(() => malformed, ProtocolError);
  await assertRejects(() => connection.query("SELECT 1"), ConnectionError);
});

Deno.test("ClientConnection.sendCommand() leaves the answer to its caller", async () => {
  const { connection, peer } = await connected();
  const dump = { position: 4, flags: 0, serverId: 1, fileName: "" };
  await connection.sendCommand(encodeBinlogDump(dump));
  assertEquals(await commandOf(peer), byteTable("12 04000000 0000 01000000"));
  await peer.writer.writeRaw(byteTable("020000 01 00 aa  0200"));
  assertEquals(
    await connection.reader.readChunk(),
    byteTable("020000 01 00 aa  0200"),
  );
  peer.transport.close();
  assertEquals(await connection.reader.readChunk(), null);
  connection.close();
});

Deno.test("ClientConnection throws a server's notice before it hung up", async () => {
  const { connection, peer } = await connected();
  await peer.writer.write(
    encodeErr({ code: 4031, sqlState: "HY000", message: "idle" }),
    0,
  );
  const error = await assertRejects(
    () => connection.query("SELECT 1"),
    ServerError,
    "idle",
  );
  assertEquals(error.code, 4031);
  connection.close();
});

Deno.test("ClientConnection times out, closes, and says so", async () => {
  const { connection, peer } = await connected({ responseTimeoutMs: 5 });
  const error = await assertRejects(
    () => connection.query("SELECT SLEEP(1)"),
    ConnectionError,
    "Timed out after 5 ms waiting for an answer",
  );
  assertEquals(error.kind, "timeout");
  await commandOf(peer);
  assertEquals(await commandOf(peer), undefined, "closed");
});

Deno.test("ClientConnection takes a limit and a signal for one command", async () => {
  const slow = await connected();
  await assertRejects(
    () => slow.connection.query("SELECT 1", { timeoutMs: 5 }),
    ConnectionError,
    "after 5 ms",
  );
  const given = await connected();
  const controller = new AbortController();
  const waiting = given.connection.query("SELECT 1", {
    signal: controller.signal,
  });
  controller.abort();
  const error = await assertRejects(() => waiting, ConnectionError);
  assertEquals(error.kind, "aborted");
});

Deno.test("ClientConnection says how its connection was lost", async () => {
  const reset = await connected();
  const waiting = reset.connection.query("SELECT 1");
  await commandOf(reset.peer);
  reset.cut();
  assertEquals(
    (await assertRejects(() => waiting, ConnectionError)).kind,
    "reset",
  );

  const closed = await connected();
  const orphan = closed.connection.query("SELECT 1");
  await commandOf(closed.peer);
  closed.peer.transport.close();
  assertEquals(
    (await assertRejects(() => orphan, ConnectionError)).kind,
    "closed",
  );

  const truncated = await connected();
  const half = truncated.connection.query("SELECT 1");
  await commandOf(truncated.peer);
  await truncated.peer.writer.writeRaw(byteTable("070000 01 00 00"));
  truncated.peer.transport.close();
  assertEquals(
    (await assertRejects(() => half, ConnectionError)).kind,
    "truncated",
  );
});

Deno.test("ClientConnection.close() ends a wait under way", async () => {
  const { connection } = await connected();
  const waiting = connection.query("SELECT 1");
  await new Promise((resolve) => setTimeout(resolve, 0));
  connection.close();
  connection.close();
  assertEquals(
    (await assertRejects(() => waiting, ConnectionError)).kind,
    "closed",
  );
});

Deno.test("ClientConnection runs one command at a time", async () => {
  const { connection, peer } = await connected();
  const first = connection.query("SELECT 1");
  await assertRejects(
    () => connection.query("SELECT 2"),
    TypeError,
    "at the same time",
  );
  await commandOf(peer);
  await peer.writer.write(encodeOk(), 1);
  await first;
  connection.close();
});

Deno.test("ClientConnection says goodbye when it is disposed of", async () => {
  let peer: Peer;
  {
    await using connection = await connected().then((both) => {
      peer = both.peer;
      return both.connection;
    });
    assert(connection.serverVersion);
  }
  assertEquals(await commandOf(peer!), byteTable("01"));
  assertEquals(await commandOf(peer!), undefined);
});

Deno.test("ClientConnection.quit() does not mind that the server is gone", async () => {
  const { connection, cut } = await connected();
  cut();
  await connection.quit();
});
