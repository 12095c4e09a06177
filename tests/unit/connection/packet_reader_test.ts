import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { ConnectionError } from "../../../lib/connection/connection_error.ts";
import { PacketReader } from "../../../lib/connection/packet_reader.ts";
import { encodePackets } from "../../../lib/protocol/packet_encoder.ts";
import { ProtocolError } from "../../../lib/protocol/protocol_error.ts";
import { byteTable } from "../../support/byte_table.ts";

const OPTIONS = { maxPayloadBytes: 1 << 20 };
const FIRST = byteTable(`030000 00 "abc"`);
const SECOND = byteTable(`020000 01 "de"`);

/** A reader over a stream that the test feeds by hand. */
function fed(): {
  reader: PacketReader;
  source: ReadableStreamDefaultController<Uint8Array>;
} {
  let source!: ReadableStreamDefaultController<Uint8Array>;
  const readable = new ReadableStream<Uint8Array>({
    start: (controller) => void (source = controller),
  });
  return { reader: new PacketReader(readable, OPTIONS), source };
}

/** A reader over these chunks and then the end. */
function over(...chunks: Uint8Array[]): PacketReader {
  return new PacketReader(ReadableStream.from(chunks), OPTIONS);
}

function joined(...parts: Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

Deno.test("PacketReader.read() answers packet after packet, then null", async () => {
  const reader = over(joined(FIRST, SECOND));
  assertEquals(await reader.read(), {
    sequenceId: 0,
    payload: byteTable(`"abc"`),
  });
  assertEquals(await reader.read(), {
    sequenceId: 1,
    payload: byteTable(`"de"`),
  });
  assertEquals(await reader.read(), null);
  assertEquals(await reader.read(), null);
});

Deno.test("PacketReader.read() joins a packet that comes byte by byte", async () => {
  const bytes = [...joined(FIRST, SECOND)].map((byte) => Uint8Array.of(byte));
  const reader = over(...bytes);
  assertEquals((await reader.read())?.payload, byteTable(`"abc"`));
  assertEquals((await reader.read())?.payload, byteTable(`"de"`));
  assertEquals(await reader.read(), null);
});

Deno.test("PacketReader.readBatch() answers all packets of a chunk", async () => {
  const reader = over(
    joined(FIRST, SECOND, byteTable("0100")),
    byteTable("00 02 66"),
    byteTable("000000 03"),
  );
  const sequenceIds = async () =>
    (await reader.readBatch())?.map((packet) => packet.sequenceId);
  assertEquals(await sequenceIds(), [0, 1]);
  assertEquals(await sequenceIds(), [2]);
  assertEquals(await sequenceIds(), [3]);
  assertEquals(await sequenceIds(), undefined);
});

Deno.test("PacketReader.readBatch() begins with what read() left", async () => {
  const reader = over(joined(FIRST, SECOND));
  await reader.read();
  assertEquals((await reader.readBatch())?.length, 1);
  assertEquals(await reader.readBatch(), null);
});

Deno.test("PacketReader.readBuffered() does not wait", async () => {
  const reader = over(joined(FIRST, SECOND, byteTable("0100")));
  assertEquals(reader.readBuffered(), undefined);
  await reader.read();
  assertEquals(reader.readBuffered()?.sequenceId, 1);
  assertEquals(reader.readBuffered(), undefined);
  const { reader: waiting, source } = fed();
  const reading = waiting.read();
  assertThrows(() => waiting.readBuffered(), TypeError, "twice");
  source.enqueue(FIRST);
  await reading;
});

Deno.test("PacketReader.readChunk() answers raw bytes, first what is buffered", async () => {
  const reader = over(
    joined(FIRST, SECOND, byteTable("05")),
    byteTable("0000"),
  );
  await reader.read();
  assertEquals(await reader.readChunk(), joined(SECOND, byteTable("05")));
  assertEquals(await reader.readChunk(), byteTable("0000"));
  assertEquals(await reader.readChunk(), null);
});

Deno.test("PacketReader tells a truncated packet from a clean end", async () => {
  for (let length = 1; length < FIRST.length; length++) {
    for (const read of ["read", "readBatch"] as const) {
      const reader = over(FIRST.subarray(0, length));
      const error = await assertRejects(() => reader[read](), ConnectionError);
      assertEquals(error.kind, "truncated");
    }
  }
});

Deno.test("PacketReader.expectSequence() applies to what is buffered", async () => {
  const reader = over(joined(FIRST, FIRST));
  await reader.read();
  reader.expectSequence(0);
  assertEquals((await reader.read())?.sequenceId, 0);
});

Deno.test("PacketReader throws the decoder's errors", async () => {
  await assertRejects(() => over(SECOND).read(), ProtocolError, "out of order");
  const reader = over(byteTable("010010 00"));
  await assertRejects(
    () => reader.read(),
    ProtocolError,
    "bigger than 1048576 bytes",
  );
});

Deno.test("PacketReader.maxPayloadBytes can be raised", async () => {
  const { bytes } = encodePackets(new Uint8Array((1 << 20) + 1), 0);
  const reader = over(bytes);
  reader.maxPayloadBytes = 1 << 21;
  assertEquals(reader.maxPayloadBytes, 1 << 21);
  assertEquals((await reader.read())?.payload.length, (1 << 20) + 1);
});

Deno.test("PacketReader.read() stops waiting when its signal aborts and loses nothing", async () => {
  const { reader, source } = fed();
  const controller = new AbortController();
  const waiting = reader.read({ signal: controller.signal });
  controller.abort();
  const error = await assertRejects(() => waiting, ConnectionError);
  assertEquals(error.kind, "aborted");
  const again = reader.read();
  source.enqueue(FIRST);
  assertEquals((await again)?.payload, byteTable(`"abc"`));
});

Deno.test("PacketReader keeps half a packet over an aborted wait", async () => {
  const { reader, source } = fed();
  source.enqueue(FIRST.subarray(0, 5));
  const controller = new AbortController();
  const waiting = reader.read({ signal: controller.signal });
  await new Promise((resolve) => setTimeout(resolve, 0));
  controller.abort();
  await assertRejects(() => waiting, ConnectionError);
  source.enqueue(FIRST.subarray(5));
  assertEquals((await reader.read())?.payload, byteTable(`"abc"`));
});

Deno.test("PacketReader rejects with the reason of its signal", async () => {
  const timeout = new DOMException("late", "TimeoutError");
  const own = new ConnectionError("timeout", "Timed out after 5 ms");
  const cases: [unknown, string][] = [
    [timeout, "timeout"],
    [own, "timeout"],
    ["stop", "aborted"],
  ];
  for (const [reason, kind] of cases) {
    const { reader } = fed();
    const signal = AbortSignal.abort(reason);
    const error = await assertRejects(
      () => reader.read({ signal }),
      ConnectionError,
    );
    assertEquals(error.kind, kind);
    assert(error === own || error.cause === reason, "says why");
  }
});

Deno.test("PacketReader answers what is buffered though its signal is aborted", async () => {
  const reader = over(joined(FIRST, SECOND));
  await reader.read();
  const packet = await reader.read({ signal: AbortSignal.abort() });
  assertEquals(packet?.payload, byteTable(`"de"`));
});

Deno.test("PacketReader says that the network broke the connection off", async () => {
  const { reader, source } = fed();
  const cause = new Deno.errors.ConnectionReset("reset by peer");
  const waiting = reader.read();
  source.error(cause);
  const error = await assertRejects(
    () => waiting,
    ConnectionError,
    "reset by peer",
  );
  assertEquals(error.kind, "reset");
  assertEquals(error.cause, cause);
  await assertRejects(() => reader.read(), ConnectionError, "reset by peer");
});

Deno.test("PacketReader says that the connection was closed under it", async () => {
  const { reader, source } = fed();
  const waiting = reader.read();
  source.error(new Deno.errors.Interrupted("operation canceled"));
  const error = await assertRejects(() => waiting, ConnectionError);
  assertEquals(error.kind, "closed");
});

Deno.test("PacketReader.cancel() ends a read under way", async () => {
  const { reader } = fed();
  const waiting = reader.read();
  await reader.cancel();
  assertEquals(await waiting, null);
  await reader.cancel();
});

Deno.test("PacketReader reads once at a time", async () => {
  const { reader, source } = fed();
  const waiting = reader.read();
  await assertRejects(() => reader.readChunk(), TypeError, "twice");
  source.enqueue(FIRST);
  assertEquals((await waiting)?.sequenceId, 0);
});

/** What a stream gives until it ends, joined. */
async function drained(
  stream: ReadableStream<Uint8Array>,
): Promise<Uint8Array> {
  return joined(...await Array.fromAsync(stream));
}

Deno.test("PacketReader.takeStream() gives what was read and not decoded first", async () => {
  const reader = over(joined(FIRST, SECOND.subarray(0, 3)), SECOND.subarray(3));
  await reader.read();
  assertEquals(await drained(reader.takeStream()), SECOND);
});

Deno.test("PacketReader.takeStream() gives the stream itself when nothing was read ahead", async () => {
  const readable = ReadableStream.from([FIRST, SECOND]);
  const reader = new PacketReader(readable, OPTIONS);
  await reader.read();
  const stream = reader.takeStream();
  assert(stream === readable);
  assertEquals(await drained(stream), SECOND);
});

Deno.test("PacketReader.takeStream() keeps what a given-up read was waiting for", async () => {
  const { reader, source } = fed();
  const gaveUp = assertRejects(
    () => reader.read({ signal: AbortSignal.abort() }),
    ConnectionError,
  );
  await gaveUp;
  const stream = reader.takeStream();
  source.enqueue(FIRST);
  source.enqueue(SECOND);
  source.close();
  assertEquals(await drained(stream), joined(FIRST, SECOND));
});

Deno.test("PacketReader.takeStream() passes the stream's failure on", async () => {
  const { reader, source } = fed();
  source.enqueue(joined(FIRST, SECOND));
  await reader.read();
  const stream = reader.takeStream();
  source.error(new Deno.errors.ConnectionReset("gone"));
  const error = await assertRejects(() => drained(stream), ConnectionError);
  assertEquals(error.kind, "reset");
});

Deno.test("PacketReader.takeStream() gives up the stream when its own is cancelled", async () => {
  let cancelled = false;
  const readable = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(joined(FIRST, SECOND)),
    cancel: () => void (cancelled = true),
  });
  const reader = new PacketReader(readable, OPTIONS);
  await reader.read();
  await reader.takeStream().cancel();
  assert(cancelled);
});

Deno.test("PacketReader.takeStream() leaves the reader unusable", async () => {
  const { reader, source } = fed();
  const stream = reader.takeStream();
  await assertRejects(() => reader.read(), TypeError);
  await assertRejects(() => reader.readChunk(), TypeError);
  assertThrows(() => reader.readBuffered(), TypeError);
  assertThrows(() => reader.takeStream(), TypeError);
  // Its end is no longer the reader's business.
  await reader.cancel();
  source.enqueue(FIRST);
  source.close();
  assertEquals(await drained(stream), FIRST);
});

Deno.test("PacketReader.takeStream() throws while a read is under way", async () => {
  const { reader, source } = fed();
  const reading = reader.read();
  assertThrows(() => reader.takeStream(), TypeError);
  source.close();
  assertEquals(await reading, null);
});

Deno.test("PacketReader.read() waits for a packet to begin as long as it may, not to end", async () => {
  const { reader, source } = fed();
  const read = reader.read({ unfinishedTimeoutMs: 30 });
  // longer than that, with nothing begun
  await new Promise((resolve) => setTimeout(resolve, 80));
  source.enqueue(FIRST.subarray(0, 1));
  const error = await assertRejects(() => read, ConnectionError);
  assertEquals(error.kind, "timeout");
  source.enqueue(FIRST.subarray(1));
  assertEquals(
    (await reader.read({ unfinishedTimeoutMs: 30 }))?.payload,
    byteTable(`"abc"`),
  );
  await reader.cancel();
});
