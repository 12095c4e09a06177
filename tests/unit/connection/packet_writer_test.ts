import { assertEquals, assertRejects } from "@std/assert";
import { ConnectionError } from "../../../lib/connection/connection_error.ts";
import { PacketWriter } from "../../../lib/connection/packet_writer.ts";
import { byteTable } from "../../support/byte_table.ts";

/** A sink that takes each chunk when the test lets it. */
class Sink {
  readonly chunks: Uint8Array[] = [];
  readonly writable: WritableStream<Uint8Array>;
  closed = false;
  #release: (() => void) | undefined;

  constructor(private readonly held: boolean) {
    this.writable = new WritableStream({
      write: async (chunk) => {
        if (this.held) {
          await new Promise<void>((resolve) => this.#release = resolve);
        }
        this.chunks.push(chunk);
      },
      close: () => void (this.closed = true),
    });
  }

  release(): void {
    this.#release?.();
  }
}

Deno.test("PacketWriter.write() frames a payload and counts on", async () => {
  const sink = new Sink(false);
  const writer = new PacketWriter(sink.writable);
  assertEquals(await writer.write(byteTable("0e"), 255), 0);
  assertEquals(sink.chunks, [byteTable("010000 ff 0e")]);
});

Deno.test("PacketWriter.write() sends all parts of a large payload at once", async () => {
  const sink = new Sink(false);
  const writer = new PacketWriter(sink.writable);
  assertEquals(await writer.write(new Uint8Array(0xffffff), 0), 2);
  assertEquals(sink.chunks.map((chunk) => chunk.length), [0xffffff + 8]);
});

Deno.test("PacketWriter.writeRaw() resolves when the sink took the bytes", async () => {
  const sink = new Sink(true);
  const writer = new PacketWriter(sink.writable);
  let written = false;
  const writing = writer.writeRaw(byteTable("01")).then(() => written = true);
  await new Promise((resolve) => setTimeout(resolve, 0));
  assertEquals(written, false);
  sink.release();
  await writing;
  assertEquals(sink.chunks, [byteTable("01")]);
});

Deno.test("PacketWriter stops waiting when its signal aborts", async () => {
  const sink = new Sink(true);
  const writer = new PacketWriter(sink.writable);
  const controller = new AbortController();
  const writing = writer.write(byteTable("0e"), 0, {
    signal: controller.signal,
  });
  controller.abort(new DOMException("late", "TimeoutError"));
  const error = await assertRejects(() => writing, ConnectionError);
  assertEquals(error.kind, "timeout");
  sink.release();
});

Deno.test("PacketWriter says that the network broke the connection off", async () => {
  const cause = new Deno.errors.BrokenPipe("broken pipe");
  const writable = new WritableStream<Uint8Array>({
    write: () => Promise.reject(cause),
  });
  const writer = new PacketWriter(writable);
  for (let i = 0; i < 2; i++) {
    const error = await assertRejects(
      () => writer.writeRaw(byteTable("01")),
      ConnectionError,
      "broken pipe",
    );
    assertEquals(error.kind, "reset");
    assertEquals(error.cause, cause);
  }
});

Deno.test("PacketWriter.close() closes after what is being written", async () => {
  const sink = new Sink(false);
  const writer = new PacketWriter(sink.writable);
  const writing = writer.writeRaw(byteTable("01"));
  await writer.close();
  await writing;
  assertEquals([sink.chunks.length, sink.closed], [1, true]);
  await assertRejects(() => writer.writeRaw(byteTable("02")), ConnectionError);
  await assertRejects(() => writer.close(), ConnectionError);
});

Deno.test("PacketWriter.abort() gives up, and again without complaint", async () => {
  const sink = new Sink(false);
  const writer = new PacketWriter(sink.writable);
  await writer.abort();
  await writer.abort();
  await assertRejects(() => writer.writeRaw(byteTable("01")), ConnectionError);
});

Deno.test("PacketWriter.takeStream() hands the stream on behind what was written", async () => {
  const sink = new Sink(true);
  const writer = new PacketWriter(sink.writable);
  const first = writer.write(byteTable("0e"), 0);
  const next = new PacketWriter(writer.takeStream());
  const second = next.write(byteTable("0f"), 1);
  while (sink.chunks.length < 2) {
    sink.release();
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  await Promise.all([first, second]);
  assertEquals(sink.chunks, [
    byteTable("010000 00 0e"),
    byteTable("010000 01 0f"),
  ]);
});

Deno.test("PacketWriter.takeStream() leaves the writer unusable", async () => {
  const sink = new Sink(false);
  const writer = new PacketWriter(sink.writable);
  const next = new PacketWriter(writer.takeStream());
  await assertRejects(() => writer.write(byteTable("0e"), 0), ConnectionError);
  await writer.abort();
  await next.write(byteTable("0f"), 0);
  assertEquals(sink.chunks, [byteTable("010000 00 0f")]);
});
