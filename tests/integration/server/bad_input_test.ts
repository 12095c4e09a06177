import { assert, assertEquals, assertRejects } from "@std/assert";
import { ConnectionError } from "../../../lib/connection/connection_error.ts";
import type { ClientConnection } from "../../../lib/connection/client_connection.ts";
import { Command } from "../../../lib/protocol/command.ts";
import { decodeErr, isErr, isOk } from "../../../lib/protocol/response.ts";
import { ServerError } from "../../../lib/protocol/server_error.ts";
import { waitUntil } from "../../../scripts/test_servers/wait_until.ts";
import { byteTable } from "../../support/byte_table.ts";
import { DumpClient, joinBytes } from "../../support/dump_client.ts";
import { rawPacket, RawSocket } from "../../support/raw_socket.ts";
import { SeededRandom } from "../../support/seeded_random.ts";
import { SharedSource56 } from "../../support/shared_mysql56.ts";
import { TestKingbus } from "../../support/test_kingbus.ts";

const source = new SharedSource56();

/** Limits that a test can reach. */
const LIMITS = { connectionsMax: 8, loginTimeoutMs: 500 };

/** A kingbus with a replica that must not notice what others do. */
class Bystander implements AsyncDisposable {
  readonly kingbus: TestKingbus;
  readonly #dump: DumpClient;

  private constructor(kingbus: TestKingbus, dump: DumpClient) {
    this.kingbus = kingbus;
    this.#dump = dump;
  }

  static async start(): Promise<Bystander> {
    await source.run("CREATE TABLE test.t (id INT AUTO_INCREMENT PRIMARY KEY)");
    const kingbus = await TestKingbus.following(source, { server: LIMITS });
    await kingbus.waitUntilHas(await source.executed());
    const dump = await DumpClient.open(kingbus, {
      flags: 0,
      serverId: 99,
      heartbeatMs: 100,
      executed: "",
    });
    return new Bystander(kingbus, dump);
  }

  get port(): number {
    return this.kingbus.port;
  }

  /** Writes on the source and waits until that has come through kingbus. */
  async assertUndisturbed(): Promise<void> {
    await source.run("INSERT INTO test.t VALUES ()");
    await this.kingbus.waitUntilHas(await source.executed());
    await this.#dump.readTo(this.kingbus.head.position);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#dump.close();
    await this.kingbus[Symbol.asyncDispose]();
  }
}

/** A limit of each wait. */
function soon(): { signal: AbortSignal } {
  return { signal: AbortSignal.timeout(20_000) };
}

/** The number of the error that a payload is; 0 if it is none. */
function errorIn(payload: Uint8Array | null | undefined): number {
  if (!payload || !isErr(payload)) return 0;
  const { code } = decodeErr(payload);
  return code;
}

const text = (value: string): Uint8Array => new TextEncoder().encode(value);

/** What clients of other protocols, or none, send where a login belongs. */
const NO_LOGINS: Record<string, Uint8Array> = {
  "an HTTP request": text("GET / HTTP/1.1\r\nHost: kingbus\r\n\r\n"),
  "a TLS hello": byteTable("16 03 01 00 05 01 00 00 01 03"),
  "zeros": new Uint8Array(64),
  "ones": new Uint8Array(64).fill(0xff),
  "an empty packet": rawPacket(new Uint8Array(0), 1),
  "a login cut short": rawPacket(byteTable("85 a6 7f 00 00"), 1),
  "a login with the wrong sequence id": rawPacket(new Uint8Array(40), 7),
  "a login of 16 MB": rawPacket(new Uint8Array(100), 1, 0xff_ffff),
  "a login without end of its user's name": rawPacket(
    byteTable(`
      85a27f00 00000001 21       // capabilities, packet size, character set
      0000000000000000000000000000000000000000000000
      "repl"
    `),
    1,
  ),
  "an SSL request": rawPacket(
    byteTable(`
      85ae7f00 00000001 21
      0000000000000000000000000000000000000000000000
    `),
    1,
  ),
};

for (const [what, bytes] of Object.entries(NO_LOGINS)) {
  Deno.test(`kingbus ends a connection that begins with ${what}, and no other`, async () => {
    await using others = await Bystander.start();
    using socket = await RawSocket.dial(others.port);
    assert(await socket.readPacket() !== null);
    await socket.send(bytes);
    const answers = await socket.readToEnd();
    assert(answers.length <= 1);
    if (answers.length > 0) assert(errorIn(answers[0]) > 0);
    await others.assertUndisturbed();
  });
}

Deno.test("kingbus ends a login that takes longer than its limit, and no other", async () => {
  await using others = await Bystander.start();
  using silent = await RawSocket.dial(others.port);
  using slow = await RawSocket.dial(others.port);
  const [ofSilent, ofSlow] = await Promise.all([
    silent.readToEnd(),
    slow.readToEnd(),
    (async () => {
      // one byte at a time does not win more of it
      const login = rawPacket(new Uint8Array(60), 1);
      for (const byte of login) {
        if (!await slow.send(Uint8Array.of(byte))) break;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    })(),
  ]);
  assertEquals(errorIn(ofSilent[1]), 1159);
  assert(ofSlow.length <= 2);
  assertEquals(others.kingbus.server.status().refusals["login-timeout"], 2);
  await others.assertUndisturbed();
});

Deno.test("kingbus refuses one connection too many, and takes others when some have gone", async () => {
  await using others = await Bystander.start();
  const clients: ClientConnection[] = [];
  const { connections } = others.kingbus.server.status();
  for (let n = connections; n < LIMITS.connectionsMax; n++) {
    clients.push(await others.kingbus.connect());
  }
  const error = await assertRejects(
    () => others.kingbus.connect(),
    ServerError,
  );
  assertEquals(error.code, 1040);
  for (const client of clients) {
    assertEquals((await client.query("SELECT 1")).rows, [["1"]]);
  }
  await others.assertUndisturbed();
  await clients[0]!.quit();
  await waitUntil("a place was free", () => {
    return others.kingbus.server.status().connections < LIMITS.connectionsMax;
  });
  await using _late = await others.kingbus.connect();
  for (const client of clients) await client.quit();
});

Deno.test("kingbus gives one answer to a wrong user and to a wrong password", async () => {
  await using others = await Bystander.start();
  const messages: string[] = [];
  for (
    const login of [
      { user: "repl", password: "wrong" },
      { user: "nobody", password: "replpass" },
      { user: "repl", password: "" },
      { user: "nobody", password: "" },
    ]
  ) {
    const error = await assertRejects(
      () => others.kingbus.connect(login),
      ServerError,
    );
    assertEquals([error.code, error.sqlState], [1045, "28000"]);
    messages.push(error.message.replace(login.user, "USER"));
  }
  assertEquals(messages[0], messages[1]);
  assertEquals(messages[2], messages[3]);
  assertEquals(others.kingbus.server.status().refusals["access-denied"], 4);
  await others.assertUndisturbed();
});

/** Packets after a login that end the connection, and the error that says so. */
const FATAL: Record<string, [bytes: Uint8Array, code: number]> = {
  "an empty command": [rawPacket(new Uint8Array(0), 0), 1835],
  "a command out of order": [
    rawPacket(Uint8Array.of(Command.PING), 5),
    1156,
  ],
  "a command of more than 16 MB": [
    joinBytes([
      rawPacket(new Uint8Array(0xff_ffff).fill(Command.BINLOG_DUMP), 0),
      rawPacket(new Uint8Array(0), 1, 100),
    ]),
    1153,
  ],
  "a statement of more than a megabyte": [
    rawPacket(
      Uint8Array.from([Command.QUERY, ...new Uint8Array(1_100_000).fill(0x20)]),
      0,
    ),
    1153,
  ],
  "a dump command cut short": [
    rawPacket(byteTable("12 04000000 00"), 0),
    1835,
  ],
  "a GTID dump command cut short": [
    rawPacket(byteTable("1e 0000 01000000 00000000 04000000"), 0),
    1835,
  ],
  "a GTID dump whose set is longer than the packet": [
    rawPacket(
      byteTable(
        "1e 0000 01000000 00000000 0400000000000000 ffffff7f 0000000000000000",
      ),
      0,
    ),
    1835,
  ],
  "a GTID dump whose file name is longer than the packet": [
    rawPacket(byteTable("1e 0000 01000000 ffffffff 61"), 0),
    1835,
  ],
  "a malformed GTID set": [
    rawPacket(
      byteTable(
        "1e 0000 01000000 00000000 0400000000000000 08000000 ffffffffffffff00",
      ),
      0,
    ),
    1773,
  ],
  "a GTID set of no bytes": [
    rawPacket(
      byteTable("1e 0000 01000000 00000000 0400000000000000 00000000"),
      0,
    ),
    1773,
  ],
};

for (const [what, [bytes, code]] of Object.entries(FATAL)) {
  Deno.test(`kingbus ends a session that sends ${what} with error ${code}, and no other`, async () => {
    await using others = await Bystander.start();
    await using client = await others.kingbus.connect();
    await client.writer.writeRaw(bytes);
    client.reader.expectSequence(1);
    const answer = await client.reader.read(soon());
    assertEquals(errorIn(answer?.payload), code);
    assertEquals(await client.reader.read(soon()).catch(() => null), null);
    await others.assertUndisturbed();
  });
}

/** Commands that are answered with an error and change nothing else. */
const HARMLESS: Record<string, [payload: Uint8Array, code: number]> = {
  "no SQL": [Uint8Array.from([Command.QUERY, ...text("¿qué? \0 '")]), 1064],
  "an empty statement": [Uint8Array.of(Command.QUERY), 1065],
  "bytes that are no text": [
    byteTable("03 53454c45435420 fffefdfc 00 2763 80"),
    1064,
  ],
  "an unknown command": [Uint8Array.of(0x77, 1, 2, 3), 1047],
  "a table dump": [Uint8Array.of(Command.TABLE_DUMP), 1047],
  "a statement to prepare": [
    Uint8Array.from([Command.STMT_PREPARE, ...text("SELECT 1")]),
    1295,
  ],
};

for (const [what, [payload, code]] of Object.entries(HARMLESS)) {
  Deno.test(`kingbus answers ${what} with error ${code} and goes on`, async () => {
    await using others = await Bystander.start();
    await using client = await others.kingbus.connect();
    const error = await assertRejects(
      () => client.command(payload),
      ServerError,
    );
    assertEquals(error.code, code);
    await client.command(Uint8Array.of(Command.PING));
    await others.assertUndisturbed();
  });
}

Deno.test("kingbus ends the session of a client that leaves inside a packet, and no other", async () => {
  await using others = await Bystander.start();
  const { connections } = others.kingbus.server.status();
  const whole = rawPacket(
    Uint8Array.from([Command.QUERY, ...text("SELECT 1")]),
    0,
  );
  for (let length = 1; length < whole.length; length++) {
    const client = await others.kingbus.connect();
    await client.writer.writeRaw(whole.subarray(0, length));
    client.close();
  }
  await waitUntil("they had gone", () => {
    return others.kingbus.server.status().connections === connections;
  });
  await others.assertUndisturbed();
});

Deno.test("kingbus takes no notice of what a client sends during its dump", async () => {
  await using others = await Bystander.start();
  await using client = await others.kingbus.connect();
  await client.query("SET @master_binlog_checksum = 'NONE'");
  await client.sendCommand(
    byteTable('12 04000000 0000 64000000 "binlog.000001"'),
  );
  const first = await client.reader.read(soon());
  assertEquals(first?.payload[0], 0);
  await client.writer.writeRaw(new Uint8Array(100_000).fill(0x55));
  await client.writer.writeRaw(rawPacket(Uint8Array.of(Command.PING), 0));
  const { position } = others.kingbus.head;
  await others.assertUndisturbed();
  await waitUntil("it got what was written after that", async () => {
    const { payload } = (await client.reader.read(soon()))!;
    assert(!isErr(payload) && payload[0] === 0);
    const event = new DataView(payload.buffer, payload.byteOffset + 1);
    return event.getUint32(13, true) > position;
  }, { intervalMs: 0 });
});

/** Commands that no server answers, whatever is in them. */
const UNANSWERED: readonly number[] = [
  Command.STMT_CLOSE,
  Command.STMT_SEND_LONG_DATA,
];

Deno.test("kingbus outlives random bytes at any point of a connection", async () => {
  await using others = await Bystander.start();
  const seed = Number(Deno.env.get("KINGBUS_SEED") ?? 20_240_611);
  const random = new SeededRandom(seed);
  for (let round = 0; round < 150; round++) {
    const bytes = random.chance(0.5)
      ? random.bytes(random.integer(1, 300))
      : rawPacket(
        random.bytes(random.integer(0, 200)),
        random.chance(0.8) ? 1 : random.integer(0, 255),
      );
    using socket = await RawSocket.dial(others.port);
    await socket.send(bytes);
    await socket.closeWrite();
    await socket.readToEnd();
  }
  await using client = await others.kingbus.connect();
  for (let round = 0; round < 300; round++) {
    await using one = await others.kingbus.connect();
    const payload = random.bytes(random.integer(1, 60));
    // commands that the rest of the payload means something to
    if (random.chance(0.7)) {
      payload[0] = random.pick([
        Command.QUERY,
        Command.INIT_DB,
        Command.REGISTER_SLAVE,
        Command.BINLOG_DUMP,
        Command.BINLOG_DUMP_GTID,
        Command.SET_OPTION,
      ]);
    }
    await one.writer.writeRaw(rawPacket(payload, 0));
    if (UNANSWERED.includes(payload[0]!)) continue;
    one.reader.expectSequence(1);
    await one.reader.read(soon()).catch((error) => {
      if (!(error instanceof ConnectionError)) throw error;
    });
    one.close();
  }
  assert(isOk((await pingOf(client))!), `seed ${seed}`);
  await others.assertUndisturbed();
});

async function pingOf(client: ClientConnection): Promise<Uint8Array | null> {
  await client.sendCommand(Uint8Array.of(Command.PING));
  return (await client.reader.read(soon()))?.payload ?? null;
}
