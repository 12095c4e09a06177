import { assert, assertEquals, assertRejects } from "@std/assert";
import type { ClientConnection } from "../../../lib/connection/client_connection.ts";
import { ConnectionError } from "../../../lib/connection/connection_error.ts";
import {
  Command,
  encodeBinlogDump,
  encodeBinlogDumpGtid,
  encodeCommand,
  encodeRegisterReplica,
} from "../../../lib/protocol/command.ts";
import { decodeHandshakeV10 } from "../../../lib/protocol/handshake.ts";
import { encodePackets } from "../../../lib/protocol/packet_encoder.ts";
import { ProtocolError } from "../../../lib/protocol/protocol_error.ts";
import { decodeErr, encodeEof, isErr } from "../../../lib/protocol/response.ts";
import { ServerError } from "../../../lib/protocol/server_error.ts";
import type {
  DumpRequest,
  DumpSession,
} from "../../../lib/server/dump_handler.ts";
import type { ServerStore } from "../../../lib/server/server_store.ts";
import { SOURCE_IDENTITY_META } from "../../../lib/store/source_identity.ts";
import {
  eventually,
  readPacket,
  readToEnd,
  SOURCE,
  TestServer,
  testStore,
} from "./test_server.ts";

const REPLICA_UUID = "d7d4364c-e6f6-11f1-a4b5-02fc00000001";

const GTID_DUMP = encodeBinlogDumpGtid({
  flags: 2,
  serverId: 9702,
  fileName: "",
  position: 4n,
  gtidSetBytes: new Uint8Array(8),
});

function positionDump(serverId: number): Uint8Array {
  return encodeBinlogDump({
    position: 4,
    flags: 0,
    serverId,
    fileName: "binlog.000001",
  });
}

async function serverError(promise: Promise<unknown>): Promise<ServerError> {
  return await assertRejects(() => promise, ServerError);
}

Deno.test("Session greets with the source's version and an own server id", async () => {
  await using server = await TestServer.start();
  await using client = await server.connect();
  assertEquals(client.serverVersion, "9.7.4");
  assert(client.connectionId > 0);
  const { rows } = await client.query(
    "SELECT @@GLOBAL.SERVER_ID, @@GLOBAL.SERVER_UUID, @@GLOBAL.GTID_MODE",
  );
  const [[id, uuid, mode]] = rows as [[string, string, string]];
  assert(Number(id) >= 2 ** 30 && id !== SOURCE.serverId, id);
  assert(uuid !== SOURCE.uuid, uuid);
  assertEquals(mode, "ON");
});

Deno.test("Session answers with the source's identity when told to", async () => {
  await using server = await TestServer.start({
    server: { identity: "source" },
  });
  await using client = await server.connect();
  const { rows } = await client.query("SELECT @@server_id, @@server_uuid");
  assertEquals(rows, [[SOURCE.serverId, SOURCE.uuid]]);
});

Deno.test("Session reads who the server is once, and again after it has changed", async () => {
  const kept = testStore({ [SOURCE_IDENTITY_META]: SOURCE });
  let reads = 0;
  const store: ServerStore = {
    ...kept,
    get metaVersion() {
      return kept.metaVersion;
    },
    getMeta: (name) => {
      if (name === SOURCE_IDENTITY_META) reads++;
      return kept.getMeta(name);
    },
  };
  await using server = await TestServer.start({ store });
  const readsBefore = reads;
  const greet = async (): Promise<string> => {
    await using client = await server.connect();
    await client.query("SELECT @@server_uuid");
    return client.serverVersion;
  };
  assertEquals(await greet(), SOURCE.version);
  assertEquals(await greet(), SOURCE.version);
  assertEquals(reads - readsBefore, 1);
  await store.setMeta(SOURCE_IDENTITY_META, { ...SOURCE, version: "9.8.0" });
  assertEquals(await greet(), "9.8.0");
  assertEquals(reads - readsBefore, 2);
});

Deno.test("Session keeps its own identity over a restart", async () => {
  const store = testStore();
  const identities: unknown[] = [];
  for (let i = 0; i < 2; i += 1) {
    await using server = await TestServer.start({ store });
    await using client = await server.connect();
    assertEquals(client.serverVersion, "8.4.0-kingbus");
    const { rows } = await client.query("SELECT @@server_id, @@server_uuid");
    identities.push(rows);
  }
  assertEquals(identities[0], identities[1]);
});

Deno.test("Session keeps user variables and forgets them at COM_RESET_CONNECTION", async () => {
  await using server = await TestServer.start();
  await using client = await server.connect();
  await client.query("SET @a = 1, @b = 'x'");
  assertEquals((await client.query("SELECT @a, @B, @c")).rows, [
    ["1", "x", null],
  ]);
  await client.command(encodeCommand(Command.RESET_CONNECTION));
  assertEquals((await client.query("SELECT @a")).rows, [[null]]);
});

Deno.test("Session stays open after statements and commands it does not know", async () => {
  await using server = await TestServer.start();
  await using client = await server.connect();
  assertEquals(
    (await serverError(client.query("CREATE TABLE t (a INT)"))).code,
    1064,
  );
  assertEquals((await serverError(client.query("SELECT @@nosuch"))).code, 1193);
  for (const command of [Command.STMT_EXECUTE, Command.CHANGE_USER, 0x7f]) {
    const error = await serverError(
      client.command(Uint8Array.of(command, 0x41)),
    );
    assertEquals([error.code, error.sqlState], [1047, "08S01"]);
  }
  await client.command(encodeCommand(Command.PING));
});

Deno.test("Session says of a statement to prepare what to do instead", async () => {
  await using server = await TestServer.start();
  await using client = await server.connect();
  const prepare = (statement: string) =>
    serverError(client.command(
      Uint8Array.of(
        Command.STMT_PREPARE,
        ...new TextEncoder().encode(statement),
      ),
    ));
  const error = await prepare("SELECT @@server_id");
  assertEquals([error.code, error.sqlState], [1295, "HY000"]);
  const columns = await prepare(
    "SELECT COLUMN_NAME FROM information_schema.columns WHERE TABLE_NAME = ?",
  );
  assertEquals([columns.code, columns.sqlState], [1109, "42S02"]);
  // neither of these two is ever answered
  for (const command of [Command.STMT_CLOSE, Command.STMT_SEND_LONG_DATA]) {
    await client.sendCommand(Uint8Array.of(command, 1, 0, 0, 0));
  }
  await client.command(encodeCommand(Command.PING));
});

Deno.test("Session answers COM_INIT_DB, COM_STATISTICS and COM_SET_OPTION", async () => {
  await using server = await TestServer.start();
  await using client = await server.connect({ database: "first" });
  assertEquals((await client.query("SELECT DATABASE()")).rows, [["first"]]);
  await client.command(Uint8Array.of(Command.INIT_DB, 0x64, 0x62));
  assertEquals((await client.query("SELECT DATABASE()")).rows, [["db"]]);
  await client.sendCommand(encodeCommand(Command.STATISTICS));
  const statistics = new TextDecoder().decode(
    (await client.reader.read())!.payload,
  );
  assert(
    /^Uptime: \d+ {2}Threads: 1 {2}Questions: \d+ /.test(statistics),
    statistics,
  );
  await client.sendCommand(Uint8Array.of(Command.SET_OPTION, 0, 0));
  assertEquals((await client.reader.read())!.payload, encodeEof());
});

Deno.test("Session refuses a wrong user and a wrong password alike", async () => {
  await using server = await TestServer.start();
  for (const login of [{ password: "wrong" }, { user: "nobody" }]) {
    const error = await serverError(server.connect(login));
    assertEquals([error.code, error.sqlState], [1045, "28000"]);
    const user = login.user ?? "repl";
    assertEquals(
      error.message,
      `Access denied for user '${user}'@'127.0.0.1' (using password: YES)`,
    );
  }
  assertEquals(server.server.status().refusals["access-denied"], 2);
});

Deno.test("Session ends a login that takes too long", async () => {
  await using server = await TestServer.start({
    server: { loginTimeoutMs: 50 },
  });
  using conn = await server.dial();
  await readPacket(conn);
  const { sequenceId, payload } = await readPacket(conn);
  assertEquals([sequenceId, decodeErr(payload).code], [2, 1159]);
  assertEquals((await readToEnd(conn)).length, 0);
  assertEquals(server.server.status().refusals["login-timeout"], 1);
});

Deno.test("Session answers any malformed login with an ERR and closes", async () => {
  await using server = await TestServer.start();
  const logins: [string, Uint8Array][] = [
    // length, sequence id, payload
    ["empty", Uint8Array.of(0, 0, 0, 1)],
    ["short", Uint8Array.of(3, 0, 0, 1, 0x85, 0xa2, 0xbe)],
    ["before 4.1", Uint8Array.of(5, 0, 0, 1, 0x05, 0x00, 0xff, 0xff, 0xff)],
    ["TLS not announced", encodePackets(sslRequest(), 1).bytes],
    ["out of order", Uint8Array.of(1, 0, 0, 7, 0)],
    ["too large", Uint8Array.of(0xff, 0xff, 0xff, 1)],
    ["an HTTP request", new TextEncoder().encode("GET / HTTP/1.1\r\n\r\n")],
  ];
  for (const [name, bytes] of logins) {
    using conn = await server.dial();
    await readPacket(conn);
    await conn.write(bytes);
    const { payload } = await readPacket(conn);
    assert(isErr(payload), name);
    assertEquals((await readToEnd(conn)).length, 0, name);
  }
  const { refusals, connections } = server.server.status();
  assertEquals(refusals["malformed-login"], logins.length);
  await eventually(() =>
    connections === 0 || server.server.status().connections === 0
  );
});

function sslRequest(): Uint8Array {
  const payload = new Uint8Array(32);
  // CLIENT_PROTOCOL_41 | CLIENT_SSL
  payload.set([0x00, 0x0a]);
  return payload;
}

Deno.test("Session survives a login cut off at every byte", async () => {
  await using server = await TestServer.start();
  const response = encodePackets(sslRequest(), 1).bytes;
  for (let length = 0; length < response.length; length += 1) {
    using conn = await server.dial();
    await readPacket(conn);
    await conn.write(response.subarray(0, length));
    await conn.closeWrite();
  }
  await using client = await server.connect();
  await client.command(encodeCommand(Command.PING));
});

Deno.test("Session ends at a malformed, oversized or out-of-order command, with an ERR", async () => {
  await using server = await TestServer.start();
  const big = new Uint8Array(1024 * 1024 + 1);
  big[0] = Command.QUERY;
  const commands: [string, Uint8Array, number][] = [
    ["empty command", Uint8Array.of(0, 0, 0, 0), 1835],
    ["short registration", Uint8Array.of(2, 0, 0, 0, 0x15, 1), 1835],
    ["short dump", Uint8Array.of(2, 0, 0, 0, 0x12, 1), 1835],
    ["short GTID dump", Uint8Array.of(2, 0, 0, 0, 0x1e, 1), 1835],
    ["out of order", Uint8Array.of(1, 0, 0, 3, 0x0e), 1156],
    ["large statement", encodePackets(big, 0).bytes, 1153],
    [
      "too large for any command",
      encodePackets(new Uint8Array(16 * 1024 * 1024 + 1).fill(0x1e), 0).bytes,
      1153,
    ],
  ];
  for (const [name, bytes, code] of commands) {
    await using client = await server.connect();
    await client.writer.writeRaw(bytes);
    client.reader.expectSequence(1);
    const packet = await client.reader.read();
    assertEquals(decodeErr(packet!.payload).code, code, name);
    assertEquals(await client.reader.read(), null, name);
  }
});

Deno.test("Session answers a malformed GTID set with 1773 and one of no bytes too", async () => {
  await using server = await TestServer.start();
  for (const gtidSetBytes of [new Uint8Array(0), new Uint8Array(9).fill(7)]) {
    await using client = await server.connect();
    await client.sendCommand(encodeBinlogDumpGtid({
      flags: 0,
      serverId: 5,
      fileName: "",
      position: 4n,
      gtidSetBytes,
    }));
    const error = decodeErr((await client.reader.read())!.payload);
    assertEquals([error.code, error.message], [
      1773,
      "Malformed GTID set encoding.",
    ]);
  }
});

Deno.test("Session is refused with 1040 above the limit, and let in again after", async () => {
  await using server = await TestServer.start({
    server: { connectionsMax: 1 },
  });
  {
    await using _client = await server.connect();
    using conn = await server.dial();
    const { sequenceId, payload } = await readPacket(conn);
    const text = new TextDecoder().decode(payload.subarray(3));
    // no capabilities are agreed on, so no SQLSTATE
    assertEquals([sequenceId, text], [0, "Too many connections"]);
    const error = await serverError(server.connect());
    assertEquals(error.code, 1040);
  }
  await eventually(() => server.server.status().connections === 0);
  await using client = await server.connect();
  await client.command(encodeCommand(Command.PING));
});

Deno.test("Session ends when its client is idle for too long", async () => {
  await using server = await TestServer.start({
    server: { idleTimeoutMs: 50 },
  });
  await using client = await server.connect();
  assertEquals(await client.reader.read(), null);
});

Deno.test("Session hands a dump what the replica set up, and ends it with EOF", async () => {
  const seen: { session: DumpSession; request: DumpRequest }[] = [];
  await using server = await TestServer.start({
    dump: async (session, request) => {
      seen.push({ session, request });
      session.status.file = "binlog.000001";
      const payload = Uint8Array.of(0, 1, 2, 3);
      session.nextSequenceId = await session.writer.write(
        payload,
        session.nextSequenceId,
      );
    },
  });
  await using client = await server.connect();
  await client.query(
    "SET @master_heartbeat_period = 1000000000, @source_heartbeat_period = 1000000000",
  );
  await client.query(
    "SET @master_binlog_checksum = @@global.binlog_checksum, " +
      "@source_binlog_checksum = @@global.binlog_checksum",
  );
  await client.query(
    `SET @slave_uuid = '${REPLICA_UUID}', @replica_uuid = '${REPLICA_UUID}'`,
  );
  await client.command(encodeRegisterReplica({
    serverId: 0xffff_fff0,
    hostName: "replica",
    user: "",
    port: 33071,
    rank: 0,
    sourceId: 0,
  }));
  assertEquals(server.server.status().replicas[0]!.state, "connected");
  await client.sendCommand(GTID_DUMP);
  assertEquals(
    (await client.reader.read())!.payload,
    Uint8Array.of(0, 1, 2, 3),
  );
  const last = await client.reader.read();
  assertEquals([last!.sequenceId, last!.payload], [2, encodeEof()]);
  assertEquals(await client.reader.read(), null);
  const [{ session, request }] = seen as [typeof seen[0]];
  assertEquals(session.settings.checksum, "crc32");
  assertEquals(session.settings.heartbeatPeriodNs, 1_000_000_000n);
  assertEquals(session.settings.uuid, REPLICA_UUID);
  assertEquals(session.registered?.serverId, 0xffff_fff0);
  assert(session.serverId >= 2 ** 30);
  assert(request.mode === "gtid" && request.executed.isEmpty);
});

Deno.test("Session sends what a dump throws as an ERR and closes", async () => {
  await using server = await TestServer.start({
    dump: () =>
      Promise.reject(new ProtocolError(1236, "could not find next log")),
  });
  await using client = await server.connect();
  await client.sendCommand(positionDump(5));
  const error = decodeErr((await client.reader.read())!.payload);
  assertEquals([error.code, error.message], [1236, "could not find next log"]);
  assertEquals(await client.reader.read(), null);
});

Deno.test("Session hides the cause of a dump that failed by our own fault", async () => {
  await using server = await TestServer.start({
    dump: () => Promise.reject(new TypeError("secret detail")),
  });
  await using client = await server.connect();
  await client.sendCommand(positionDump(5));
  const error = decodeErr((await client.reader.read())!.payload);
  assertEquals(error.code, 1105);
  assert(!error.message.includes("secret"));
});

Deno.test("Session discards what the client sends during a dump", async () => {
  const signals: AbortSignal[] = [];
  const release = Promise.withResolvers<void>();
  await using server = await TestServer.start({
    dump: ({ signal }) => {
      signals.push(signal);
      return release.promise;
    },
  });
  await using client = await server.connect();
  await client.sendCommand(positionDump(5));
  const ping = encodePackets(encodeCommand(Command.PING), 0).bytes;
  for (let i = 0; i < 100; i += 1) await client.writer.writeRaw(ping);
  await eventually(() => signals.length === 1);
  assert(!signals[0]!.aborted);
  release.resolve();
  assertEquals((await client.reader.read())!.payload, encodeEof());
  assertEquals(await client.reader.read(), null);
});

Deno.test("Session ends a dump whose client went away", async () => {
  await using server = await TestServer.start();
  const client = await server.connect();
  await client.sendCommand(positionDump(5));
  await eventually(() =>
    server.server.status().replicas[0]?.state === "dumping"
  );
  client.close();
  await eventually(() => server.server.status().connections === 0);
});

Deno.test("Session ends the older dump of the same uuid: an ERR for new names, EOF for old", async () => {
  await using server = await TestServer.start();
  for (const modern of [true, false]) {
    const set = modern
      ? `SET @slave_uuid = '${REPLICA_UUID}', @replica_uuid = '${REPLICA_UUID}'`
      : `SET @slave_uuid= '${REPLICA_UUID}'`;
    await using older = await server.connect();
    await older.query(set);
    await older.sendCommand(positionDump(5));
    await eventually(() => dumping(server) === 1);
    await using newer = await server.connect();
    await newer.query(set);
    // the uuid decides, not the server id
    await newer.sendCommand(positionDump(6));
    const payload = (await older.reader.read())!.payload;
    if (modern) {
      const error = decodeErr(payload);
      assertEquals(error.code, 1236);
      assert(error.message.startsWith(
        "A replica with the same server_uuid/server_id as this replica has " +
          "connected to the source; the first event 'binlog.000001' at 4,",
      ));
    } else {
      assertEquals(payload, encodeEof());
    }
    assertEquals(await older.reader.read(), null);
    assertEquals(dumping(server), 1);
    newer.close();
    await eventually(() => dumping(server) === 0);
  }
});

Deno.test("Session ends the older dump of the same server id only without uuids", async () => {
  await using server = await TestServer.start();
  await using withUuid = await server.connect();
  await withUuid.query(`SET @slave_uuid= '${REPLICA_UUID}'`);
  await withUuid.sendCommand(positionDump(5));
  await using older = await server.connect();
  await older.sendCommand(positionDump(5));
  await eventually(() => dumping(server) === 2);
  await using newer = await server.connect();
  await newer.sendCommand(positionDump(5));
  assertEquals((await older.reader.read())!.payload, encodeEof());
  await eventually(() => dumping(server) === 2);
});

Deno.test("Session lets any number of dumps with server id 0 run", async () => {
  await using server = await TestServer.start();
  await using first = await server.connect();
  await first.sendCommand(positionDump(0));
  await using second = await server.connect();
  await second.sendCommand(positionDump(0));
  await eventually(() => dumping(server) === 2);
});

function dumping(server: TestServer): number {
  return server.server.status().replicas
    .filter(({ state }) => state === "dumping").length;
}

Deno.test("KILL ends another connection of the same account without a word", async () => {
  await using server = await TestServer.start();
  await using victim = await server.connect();
  await victim.sendCommand(positionDump(5));
  await eventually(() => dumping(server) === 1);
  await using killer = await server.connect();
  await killer.query(`KILL ${victim.connectionId}`);
  assertEquals(await victim.reader.read(), null);
  await eventually(() => dumping(server) === 0);
  const unknown = await serverError(
    killer.query(`KILL CONNECTION ${victim.connectionId}`),
  );
  assertEquals(unknown.code, 1094);
  assertEquals(
    (await serverError(killer.query("KILL 18446744073709551615"))).code,
    1094,
  );
});

Deno.test("KILL QUERY leaves a connection without a dump alone", async () => {
  await using server = await TestServer.start();
  await using victim = await server.connect();
  await using killer = await server.connect();
  await killer.query(`KILL QUERY ${victim.connectionId}`);
  await victim.command(encodeCommand(Command.PING));
});

Deno.test("KILL is denied for another account's connection", async () => {
  await using server = await TestServer.start();
  await using victim = await server.connect();
  await using other = await server.connect({
    user: "other",
    password: "otherpass",
  });
  const error = await serverError(other.query(`KILL ${victim.connectionId}`));
  assertEquals(error.code, 1095);
  await victim.command(encodeCommand(Command.PING));
});

Deno.test("KILL of the own connection is interrupted and closed", async () => {
  await using server = await TestServer.start();
  await using client = await server.connect();
  const error = await serverError(client.query(`KILL ${client.connectionId}`));
  assertEquals(error.code, 1317);
  const lost = await assertRejects(
    () => client.command(encodeCommand(Command.PING)),
  );
  assert(lost instanceof ConnectionError, String(lost));
});

Deno.test("Session greets with scrambles of 20 printable bytes, each another", async () => {
  await using server = await TestServer.start();
  const scrambles = new Set<string>();
  for (let i = 0; i < 8; i += 1) {
    using conn = await server.dial();
    const { scramble, authPlugin } = decodeHandshakeV10(
      (await readPacket(conn)).payload,
    );
    assertEquals(authPlugin, "caching_sha2_password");
    assert(scramble.every((byte) => byte > 0 && byte < 128 && byte !== 0x24));
    scrambles.add(scramble.join());
  }
  assertEquals(scrambles.size, 8);
});

Deno.test("Session ends when a command that has begun does not end in time", async () => {
  await using server = await TestServer.start({
    server: { unfinishedTimeoutMs: 50 },
  });
  await using client = await server.connect();
  await client.writer.writeRaw(Uint8Array.of(100, 0, 0, 0, Command.QUERY));
  assertEquals(await client.reader.read(), null);
  await eventually(() => server.server.status().connections === 0);
});

Deno.test("Sessions together hold no more than 32 MiB of unfinished commands", async () => {
  await using server = await TestServer.start({
    server: { connectionsMax: 100 },
  });
  // most of what a command may have, of more clients than there is memory for
  const begun = encodePackets(new Uint8Array(1024 * 1024 - 1), 0).bytes
    .subarray(0, 700_000);
  begun[4] = Command.BINLOG_DUMP_GTID;
  const clients: ClientConnection[] = [];
  try {
    for (let n = 0; n < 60; n++) {
      const client = await server.connect();
      clients.push(client);
      await client.writer.writeRaw(begun);
    }
    const refused = clients.map(async (client) => {
      client.reader.expectSequence(1);
      const packet = await client.reader.read({
        signal: AbortSignal.timeout(20_000),
      });
      return decodeErr(packet!.payload).code;
    });
    assertEquals(await Promise.any(refused), 1041);
    // what others want is small, and needs no part of it
    await using other = await server.connect();
    await other.query(`SET @a = '${"x".repeat(3000)}'`);
    for (const client of clients) client.close();
    await Promise.allSettled(refused);
    await eventually(() => server.server.status().connections === 1);
    // it is there again for the next
    await using late = await server.connect();
    const text = `SET @a = '${"x".repeat(200_000)}'`;
    assertEquals((await serverError(late.query(`${text} ?`))).code, 1064);
  } finally {
    for (const client of clients) client.close();
  }
});

Deno.test("Session lets a client in while others are connected and say nothing", async () => {
  await using server = await TestServer.start({
    server: { connectionsMax: 6, loginTimeoutMs: 60_000 },
  });
  await using first = await server.connect();
  const silent: Deno.TcpConn[] = [];
  for (let n = 0; n < 30; n++) silent.push(await server.dial());
  try {
    // each takes the place of one that has said nothing for longer
    await eventually(() =>
      server.server.status().refusals["too-many-logins"] >= 25
    );
    for (let n = 0; n < 3; n++) {
      await using client = await server.connect();
      await client.command(encodeCommand(Command.PING));
    }
    await first.command(encodeCommand(Command.PING));
    assertEquals(server.server.status().refusals["too-many-connections"], 0);
  } finally {
    for (const conn of silent) conn.close();
  }
  await eventually(() => server.server.status().connections === 1);
});
