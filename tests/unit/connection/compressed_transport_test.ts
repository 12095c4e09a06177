import { assert, assertEquals, assertRejects } from "@std/assert";
import { compressedTransport } from "../../../lib/connection/compressed_transport.ts";
import { ConnectionError } from "../../../lib/connection/connection_error.ts";
import type { Transport } from "../../../lib/connection/transport.ts";
import { compressBytes } from "../../../lib/protocol/compress_bytes.ts";
import { encodeCompressedPacket } from "../../../lib/protocol/compressed_packet.ts";
import type { Compression } from "../../../lib/protocol/compression.ts";
import { ProtocolError } from "../../../lib/protocol/protocol_error.ts";
import { memoryTransportPair } from "../../support/memory_transport.ts";
import { SeededRandom } from "../../support/seeded_random.ts";

const ZLIB: Compression = { algorithm: "zlib", level: 6 };
const ZSTD: Compression = { algorithm: "zstd", level: 3 };

const HELLO = new TextEncoder().encode("hello");

/** Headers of the packets written to `peer`, as [length, id, content length]. */
async function headers(peer: Transport, packets: number): Promise<number[][]> {
  const found: number[][] = [];
  const reader = peer.readable.getReader();
  let held = new Uint8Array(0);
  while (found.length < packets) {
    const { value } = await reader.read();
    if (value === undefined) break;
    held = Uint8Array.from([...held, ...value]);
    while (held.length >= 7) {
      const length = held[0]! | held[1]! << 8 | held[2]! << 16;
      if (held.length < 7 + length) break;
      const content = held[4]! | held[5]! << 8 | held[6]! << 16;
      found.push([length, held[3]!, content]);
      held = held.slice(7 + length);
    }
  }
  reader.releaseLock();
  return found;
}

function joined(chunks: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(
    chunks.reduce((sum, { length }) => sum + length, 0),
  );
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

Deno.test("compressedTransport() carries both directions, of any size", async () => {
  const random = new SeededRandom(3);
  for (const compression of [ZLIB, ZSTD]) {
    const pair = memoryTransportPair();
    const client = compressedTransport(pair.client, {
      compression,
      side: "client",
    });
    const server = compressedTransport(pair.server, {
      compression,
      side: "server",
    });
    const sizes = [1, 49, 50, 1000, 131_072, 131_073, 1_000_000];
    for (
      const [from, to, begin] of [
        [client, server, () => {}],
        [server, client, () => server.beginAnswer()],
      ] as const
    ) {
      const writer = from.transport.writable.getWriter();
      const reader = to.transport.readable.getReader();
      for (const size of sizes) {
        begin();
        const sent = new Uint8Array(size);
        for (let i = 0; i < size; i += 1 + random.integer(0, 20)) {
          sent[i] = random.integer(0, 255);
        }
        const written = writer.write(sent);
        const chunks: Uint8Array[] = [];
        for (let left = size; left > 0;) {
          const { value } = await reader.read();
          chunks.push(value!);
          left -= value!.length;
        }
        await written;
        assertEquals(joined(chunks), sent);
      }
      writer.releaseLock();
      reader.releaseLock();
    }
    client.transport.close();
  }
});

Deno.test("compressedTransport() counts a client's packets from 0 for each command", async () => {
  const { client, server } = memoryTransportPair();
  const { transport } = compressedTransport(client, {
    compression: ZLIB,
    side: "client",
  });
  const writer = transport.writable.getWriter();
  await writer.write(HELLO);
  await writer.write(new Uint8Array(300_000));
  await writer.write(HELLO);
  const seen = await headers(server, 5);
  assertEquals(seen.map(([, id]) => id), [0, 0, 1, 2, 0]);
  assertEquals(seen.map(([, , content]) => content), [
    0,
    131_072,
    131_072,
    300_000 - 2 * 131_072,
    0,
  ]);
});

Deno.test("compressedTransport() counts a server's packets on behind the command, or as told", async () => {
  const pair = memoryTransportPair();
  const server = compressedTransport(pair.server, {
    compression: ZSTD,
    side: "server",
  });
  const writer = server.transport.writable.getWriter();
  const reader = server.transport.readable.getReader();
  const commands = pair.client.writable.getWriter();
  await commands.write(encodeCompressedPacket(HELLO, 0, 0));
  await commands.write(encodeCompressedPacket(HELLO, 1, 0));
  await reader.read();
  await reader.read();
  server.beginAnswer();
  const seen = headers(pair.client, 259);
  await writer.write(HELLO);
  await writer.write(HELLO);
  // what comes during an answer, as an acknowledgement does, changes nothing
  await commands.write(encodeCompressedPacket(HELLO, 0, 0));
  await reader.read();
  await writer.write(HELLO);
  server.restart(1);
  for (let n = 0; n < 256; n++) await writer.write(HELLO);
  const ids = (await seen).map(([, id]) => id);
  assertEquals(ids.slice(0, 5), [2, 3, 4, 1, 2]);
  assertEquals(ids.slice(-3), [254, 255, 0]);
});

Deno.test("compressedTransport() takes a server's answer behind its command, or one begun anew", async () => {
  const pair = memoryTransportPair();
  const { transport } = compressedTransport(pair.client, {
    compression: ZLIB,
    side: "client",
  });
  const reader = transport.readable.getReader();
  const answers = pair.server.writable.getWriter();
  const commands = transport.writable.getWriter();
  const answer = async (id: number) => {
    await answers.write(encodeCompressedPacket(HELLO, id, 0));
    assertEquals((await reader.read()).value, HELLO);
  };
  await commands.write(HELLO);
  await answer(1);
  await answer(2);
  await answer(1);
  await answer(0);
  await commands.write(new Uint8Array(300_000));
  await answer(3);
  await answer(4);
  await answers.write(encodeCompressedPacket(HELLO, 1, 0));
  const error = await assertRejects(() => reader.read(), ProtocolError);
  assertEquals(error.code, 1156);
});

Deno.test("compressedTransport() ends a bomb, and what is not compressed", async () => {
  const zeros = new Uint8Array(1_000_000);
  for (const compression of [ZLIB, ZSTD]) {
    const bomb = compressBytes(zeros, compression)!;
    for (
      const packet of [
        encodeCompressedPacket(bomb, 0, 1000),
        encodeCompressedPacket(zeros.subarray(0, 100), 0, 1000),
        encodeCompressedPacket(bomb, 0, 1_000_001),
      ]
    ) {
      const pair = memoryTransportPair();
      const { transport } = compressedTransport(pair.server, {
        compression,
        side: "server",
      });
      await pair.client.writable.getWriter().write(packet);
      const reader = transport.readable.getReader();
      const error = await assertRejects(() => reader.read(), ProtocolError);
      assertEquals(error.code, 1157);
      pair.client.close();
    }
  }
});

Deno.test("compressedTransport() tells an end between two packets from one inside", async () => {
  const content = new Uint8Array(1000).fill(7);
  const packet = encodeCompressedPacket(
    compressBytes(content, ZSTD)!,
    0,
    content.length,
  );
  for (let length = 0; length <= packet.length; length++) {
    const pair = memoryTransportPair();
    const { transport } = compressedTransport(pair.server, {
      compression: ZSTD,
      side: "server",
    });
    const writer = pair.client.writable.getWriter();
    for (const byte of packet.subarray(0, length)) {
      await writer.write(Uint8Array.of(byte));
      if (length % 9 !== 0) continue;
    }
    pair.client.close();
    const reader = transport.readable.getReader();
    if (length === packet.length) {
      assertEquals((await reader.read()).value, content);
    }
    if (length === 0 || length === packet.length) {
      assertEquals((await reader.read()).done, true);
    } else {
      const error = await assertRejects(() => reader.read(), ConnectionError);
      assertEquals(error.kind, "truncated");
    }
  }
});

Deno.test("compressedTransport() reads nothing ahead", async () => {
  const content = new Uint8Array(1_000_000);
  const packet = encodeCompressedPacket(
    compressBytes(content, ZSTD)!,
    0,
    content.length,
  );
  const pair = memoryTransportPair();
  const { transport } = compressedTransport(pair.server, {
    compression: ZSTD,
    side: "server",
  });
  // Many packets in one chunk: only those that are asked for are decompressed.
  const many = joined(Array<Uint8Array>(200).fill(packet));
  for (let at = 3, n = 0; at < many.length; at += packet.length, n++) {
    many[at] = n;
  }
  const before = Deno.memoryUsage().external;
  await pair.client.writable.getWriter().write(many);
  const reader = transport.readable.getReader();
  assertEquals((await reader.read()).value!.length, content.length);
  await new Promise((resolve) => setTimeout(resolve, 20));
  const held = Deno.memoryUsage().external - before;
  assert(held < 20_000_000, `${held} bytes`);
});

Deno.test("compressedTransport() refuses what holds too much, by its header, and what there is no memory for", async () => {
  const content = new Uint8Array(1_000_000);
  const packet = encodeCompressedPacket(
    compressBytes(content, ZSTD)!,
    0,
    content.length,
  );
  const cases = [
    { contentBytesMax: 999_999, free: Infinity, code: 1153 },
    { contentBytesMax: 1_000_000, free: 900_000, code: 1041 },
    { contentBytesMax: 1_000_000, free: 1_000_000, code: undefined },
  ];
  for (const { contentBytesMax, free, code } of cases) {
    let held = 0;
    const memory = {
      take: (bytes: number) => held + bytes <= free && (held += bytes, true),
      give: (bytes: number) => void (held -= bytes),
    };
    const { client, server } = memoryTransportPair();
    const { transport } = compressedTransport(server, {
      compression: ZSTD,
      side: "server",
      contentBytesMax,
      memory,
    });
    const writer = client.writable.getWriter();
    await writer.write(packet);
    const reader = transport.readable.getReader();
    if (code === undefined) {
      assertEquals((await reader.read()).value?.length, content.length);
      assertEquals(held, content.length - 4096);
      // it is used up when the next is asked for
      await writer.close();
      assertEquals((await reader.read()).done, true);
      assertEquals(held, 0);
    } else {
      const error = await assertRejects(() => reader.read(), ProtocolError);
      assertEquals(error.code, code);
      await writer.close().catch(() => {});
    }
  }
});
