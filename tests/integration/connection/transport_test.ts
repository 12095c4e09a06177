import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { ConnectionError } from "../../../lib/connection/connection_error.ts";
import { PacketReader } from "../../../lib/connection/packet_reader.ts";
import { PacketWriter } from "../../../lib/connection/packet_writer.ts";
import {
  quietTcpTransport,
  tcpTransport,
  type Transport,
} from "../../../lib/connection/transport.ts";

const OPTIONS = { maxPayloadBytes: 64 * 1024 * 1024 };

/** Both ends of a TCP connection on loopback. */
async function tcpPair(
  hostname: string,
  open = tcpTransport,
): Promise<[Transport, Transport]> {
  using listener = Deno.listen({ hostname, port: 0 });
  const [client, server] = await Promise.all([
    Deno.connect({ hostname, port: listener.addr.port }),
    listener.accept(),
  ]);
  return [open(client), open(server)];
}

for (const open of [tcpTransport, quietTcpTransport]) {
  Deno.test(`${open.name}() carries packets over IPv4 and IPv6`, async () => {
    for (
      const [hostname, remote] of [
        ["127.0.0.1", /^127\.0\.0\.1:\d+$/],
        ["::1", /^\[::1\]:\d+$/],
      ] as const
    ) {
      const [client, server] = await tcpPair(hostname, open);
      assertMatch(server.remote, remote);
      const payload = new Uint8Array(20_000_000).fill(7);
      const reader = new PacketReader(server.readable, OPTIONS);
      const reading = reader.read();
      const writer = new PacketWriter(client.writable);
      assertEquals(await writer.write(payload, 0), 2);
      assertEquals((await reading)?.payload.length, payload.length);
      client.close();
      assertEquals(await reader.read(), null);
      server.close();
      server.close();
    }
  });

  Deno.test(`${open.name}().close() ends a read under way`, async () => {
    const [client, server] = await tcpPair("127.0.0.1", open);
    const reading = new PacketReader(client.readable, OPTIONS).read();
    client.close();
    const error = await assertRejects(() => reading, ConnectionError);
    assertEquals(error.kind, "closed");
    server.close();
  });
}

Deno.test("Transport.close() ends a write to a peer that reads nothing", async () => {
  const [client, server] = await tcpPair("127.0.0.1");
  const writer = new PacketWriter(client.writable);
  const chunk = new Uint8Array(1024 * 1024);
  let writing = writer.writeRaw(chunk);
  const stuck = () => {
    const patience = Promise.withResolvers<boolean>();
    const timer = setTimeout(() => patience.resolve(true), 100);
    writing.then(() => patience.resolve(false), () => {});
    return patience.promise.finally(() => clearTimeout(timer));
  };
  while (!await stuck()) writing = writer.writeRaw(chunk);
  client.close();
  const error = await assertRejects(() => writing, ConnectionError);
  assertEquals(error.kind, "closed");
  server.close();
});

Deno.test("PacketWriter notices that its peer is gone", async () => {
  const [client, server] = await tcpPair("127.0.0.1");
  server.close();
  const writer = new PacketWriter(client.writable);
  const error = await assertRejects(async () => {
    for (;;) await writer.writeRaw(new Uint8Array(65536));
  }, ConnectionError);
  assert(error.kind === "reset", error.kind);
  client.close();
});
