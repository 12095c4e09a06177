import { assertEquals, assertRejects } from "@std/assert";
import { ProtocolError } from "../../../lib/protocol/protocol_error.ts";
import { SessionChannel } from "../../../lib/server/session_channel.ts";
import { joinBytes } from "../../support/dump_packets.ts";
import { memoryTransportPair } from "../../support/memory_transport.ts";
import { rawPacket } from "../../support/raw_socket.ts";

const PART_BYTES = 0xff_ffff;

/** The id of the packet that answers what is refused. */
async function answerIdTo(
  bytes: Uint8Array,
  maxPayloadBytes: number,
): Promise<number> {
  const { client, server } = memoryTransportPair();
  const channel = new SessionChannel(
    { ...server, closeWrite: () => Promise.resolve() },
    { maxPayloadBytes, writeTimeoutMs: 1000 },
  );
  const writer = client.writable.getWriter();
  await writer.write(bytes);
  await assertRejects(
    () => channel.readCommand(AbortSignal.timeout(20_000)),
    ProtocolError,
  );
  const id = channel.nextSequenceId;
  await channel.cut();
  client.close();
  return id;
}

Deno.test("SessionChannel answers a command that is too large with the id after the part that is too much", async () => {
  const announced = rawPacket(new Uint8Array(10), 0, 5000);
  assertEquals(await answerIdTo(announced, 4096), 1);
  const twoParts = joinBytes([
    rawPacket(new Uint8Array(PART_BYTES), 0),
    rawPacket(new Uint8Array(10), 1, 5000),
  ]);
  assertEquals(await answerIdTo(twoParts, PART_BYTES + 4096), 2);
});

Deno.test("SessionChannel answers a part out of order with the id after the one it should have had", async () => {
  const first = rawPacket(new Uint8Array(10), 7);
  assertEquals(await answerIdTo(first, 4096), 1);
  const second = joinBytes([
    rawPacket(new Uint8Array(PART_BYTES), 0),
    rawPacket(new Uint8Array(10), 5),
  ]);
  assertEquals(await answerIdTo(second, PART_BYTES + 4096), 2);
});
