import { assert, assertEquals, assertRejects } from "@std/assert";
import { ClientConnection } from "../../../lib/connection/client_connection.ts";
import { CompressionNotOfferedError } from "../../../lib/connection/compression_not_offered_error.ts";
import { tcpTransport } from "../../../lib/connection/transport.ts";
import { Command, encodeCommand } from "../../../lib/protocol/command.ts";
import { compressBytes } from "../../../lib/protocol/compress_bytes.ts";
import { encodeCompressedPacket } from "../../../lib/protocol/compressed_packet.ts";
import type { Compression } from "../../../lib/protocol/compression.ts";
import { encodePackets } from "../../../lib/protocol/packet_encoder.ts";
import { decodeErr } from "../../../lib/protocol/response.ts";
import { TestServer } from "./test_server.ts";

const ZLIB: Compression = { algorithm: "zlib", level: 6 };
const ZSTD: Compression = { algorithm: "zstd", level: 3 };
const BOTH = { compression: ["zlib", "zstd"] } as const;

Deno.test("a session is compressed as the client asks, whatever it sends and gets", async () => {
  await using server = await TestServer.start({ server: BOTH });
  for (const compression of [ZLIB, ZSTD, { ...ZSTD, level: 22 }]) {
    await using connection = await server.connect({ compression });
    assertEquals(connection.compression, compression.algorithm);
    for (const length of [0, 1, 30, 50, 5000, 200_000, 900_000]) {
      const text = "x".repeat(length);
      const { rows } = await connection.query(`SELECT '${text}' AS text`);
      assertEquals(rows, [[text]]);
    }
    const { rows } = await connection.query("SHOW VARIABLES");
    assert(rows.length > 20);
    await assertRejects(() => connection.query("nonsense"));
    assertEquals((await connection.query("SELECT 2")).rows, [["2"]]);
  }
});

Deno.test("a session stays uncompressed where the client asks for nothing", async () => {
  await using server = await TestServer.start({ server: BOTH });
  await using connection = await server.connect();
  assertEquals(connection.compression, undefined);
  assertEquals((await connection.query("SELECT 2")).rows, [["2"]]);
});

Deno.test("a session offers only the compression that the server is to offer", async () => {
  const cases = [
    { compression: [], offered: [] },
    { compression: ["zlib"], offered: [ZLIB] },
    { compression: ["zstd"], offered: [ZSTD] },
    { compression: undefined, offered: [] },
  ] as const;
  for (const { compression, offered } of cases) {
    await using server = await TestServer.start({ server: { compression } });
    for (const asked of [ZLIB, ZSTD]) {
      if (offered.some((one) => one === asked)) {
        await using connection = await server.connect({ compression: asked });
        assertEquals(connection.compression, asked.algorithm);
      } else {
        await assertRejects(
          () => server.connect({ compression: asked }),
          CompressionNotOfferedError,
          asked.algorithm,
        );
      }
    }
  }
});

Deno.test("a login with a level that zstd does not have is refused", async () => {
  await using server = await TestServer.start({ server: BOTH });
  for (const level of [0, 23, 255]) {
    await assertRejects(
      () => server.connect({ compression: { algorithm: "zstd", level } }),
      Error,
      `Invalid compression level '${level}'`,
    );
  }
});

/** A ping, as a client's packet. */
const PING = encodePackets(encodeCommand(Command.PING), 0).bytes;

const FAULTS: [what: string, packet: Uint8Array, code: number][] = [
  ["a wrong sequence id", encodeCompressedPacket(PING, 7, 0), 1156],
  [
    "what is not compressed",
    encodeCompressedPacket(new Uint8Array(60).fill(7), 0, 100),
    1157,
  ],
  [
    "a packet that holds less than it says",
    encodeCompressedPacket(compressBytes(new Uint8Array(100), ZLIB)!, 0, 200),
    1157,
  ],
  [
    "a bomb",
    encodeCompressedPacket(
      compressBytes(new Uint8Array(10_000_000), ZLIB)!,
      0,
      100,
    ),
    1157,
  ],
];

/**
 * A client that logs in as any other and then sends what it likes: its writes
 * go below the compression.
 */
class HostileClient implements AsyncDisposable {
  readonly #conn: Deno.TcpConn;
  readonly #connection: ClientConnection;

  private constructor(conn: Deno.TcpConn, connection: ClientConnection) {
    this.#conn = conn;
    this.#connection = connection;
  }

  static async open(port: number): Promise<HostileClient> {
    const conn = await Deno.connect({ hostname: "127.0.0.1", port });
    const { writable, ...transport } = tcpTransport(conn);
    const writer = writable.getWriter();
    const connection = await ClientConnection.open({
      ...transport,
      writable: new WritableStream({ write: (bytes) => writer.write(bytes) }),
    }, { user: "repl", password: "replpass", compression: ZLIB });
    // From a command on it takes the id with which answers begin.
    await connection.query("SELECT 1");
    return new HostileClient(conn, connection);
  }

  async write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) {
      at += await this.#conn.write(bytes.subarray(at));
    }
  }

  /** The next payload, decompressed as any client's is; null at the end. */
  async read(): Promise<Uint8Array | null> {
    const { reader } = this.#connection;
    const packet = await reader.read({ signal: AbortSignal.timeout(10_000) });
    return packet === null ? null : packet.payload;
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#connection.close();
    return Promise.resolve();
  }
}

for (const [what, packet, code] of FAULTS) {
  Deno.test(`a compressed session that gets ${what} says so and ends`, async () => {
    await using server = await TestServer.start({ server: BOTH });
    await using bystander = await server.connect({ compression: ZLIB });
    await using hostile = await HostileClient.open(server.port);
    await hostile.write(packet);
    const answer = await hostile.read();
    assertEquals(decodeErr(answer!).code, code);
    assertEquals(await hostile.read(), null);
    assertEquals((await bystander.query("SELECT 2")).rows, [["2"]]);
  });
}

Deno.test("a compressed session takes a command one byte at a time", async () => {
  await using server = await TestServer.start({ server: BOTH });
  await using client = await HostileClient.open(server.port);
  const half = PING.length >> 1;
  const parts = [
    // cut inside the packet's own header, too
    encodeCompressedPacket(PING.subarray(0, half), 0, 0),
    encodeCompressedPacket(PING.subarray(half), 1, 0),
  ];
  for (const part of parts) {
    for (const byte of part) await client.write(Uint8Array.of(byte));
  }
  assertEquals((await client.read())![0], 0);
});
