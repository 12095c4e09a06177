import { assert, assertEquals, assertRejects } from "@std/assert";
import { ConnectionError } from "../../../lib/connection/connection_error.ts";
import { PacketLink } from "../../../lib/connection/packet_link.ts";
import type { Transport } from "../../../lib/connection/transport.ts";
import { ProtocolError } from "../../../lib/protocol/protocol_error.ts";
import { byteTable } from "../../support/byte_table.ts";
import { memoryTransportPair } from "../../support/memory_transport.ts";

/** A layer that turns every bit over, in both directions. */
function inverted(transport: Transport): Transport {
  const invert = () =>
    new TransformStream<Uint8Array, Uint8Array>({
      transform: (chunk, controller) =>
        controller.enqueue(chunk.map((byte) => byte ^ 0xff)),
    });
  const outgoing = invert();
  outgoing.readable.pipeTo(transport.writable).catch(() => {});
  return {
    ...transport,
    readable: transport.readable.pipeThrough(invert()),
    writable: outgoing.writable,
  };
}

Deno.test("PacketLink.replace() swaps both directions between two packets", async () => {
  const { client, server } = memoryTransportPair();
  const link = new PacketLink(server, { maxPayloadBytes: 10 });
  const wire = client.writable.getWriter();
  const received = client.readable.getReader();

  // The layer's first bytes come in one chunk with the plain packet.
  await wire.write(byteTable(`010000 00 01 ${"feffff fe fd"}`));
  assertEquals((await link.reader.read())?.payload, byteTable("01"));
  await link.replace(inverted);
  link.reader.expectSequence(1);
  assertEquals((await link.reader.read())?.payload, byteTable("02"));

  await link.writer.write(byteTable("03"), 2);
  assertEquals((await received.read()).value, byteTable("feffff fd fc"));
  link.close();
});

Deno.test("PacketLink.replace() keeps the limit of the reader", async () => {
  const { client, server } = memoryTransportPair();
  const link = new PacketLink(server, { maxPayloadBytes: 10 });
  link.reader.maxPayloadBytes = 2;
  await link.replace(inverted);
  await client.writable.getWriter().write(byteTable("fcffff ff 000000"));
  await assertRejects(() => link.reader.read(), ProtocolError);
  link.close();
});

Deno.test("PacketLink.replace() may be done once more over a layer", async () => {
  const { client, server } = memoryTransportPair();
  const link = new PacketLink(server, { maxPayloadBytes: 10 });
  await link.replace(inverted);
  await link.replace(inverted);
  await client.writable.getWriter().write(byteTable("010000 00 05"));
  assertEquals((await link.reader.read())?.payload, byteTable("05"));
  link.close();
});

Deno.test("PacketLink.close() during a replacement closes the layer that comes", async () => {
  const { server } = memoryTransportPair();
  const link = new PacketLink(server, { maxPayloadBytes: 10 });
  const wrapping = Promise.withResolvers<Transport>();
  let closed = false;
  const replaced = link.replace(() => wrapping.promise);
  link.close();
  wrapping.resolve({ ...server, close: () => void (closed = true) });
  const error = await assertRejects(() => replaced, ConnectionError);
  assertEquals(error.kind, "closed");
  assert(closed);
});

Deno.test("PacketLink.replace() throws what the layer throws", async () => {
  const { server } = memoryTransportPair();
  const link = new PacketLink(server, { maxPayloadBytes: 10 });
  await assertRejects(
    () => link.replace(() => Promise.reject(new RangeError("no layer"))),
    RangeError,
    "no layer",
  );
  link.close();
});
