import { assertEquals, assertRejects } from "@std/assert";
import { ConnectionError } from "../../../lib/connection/connection_error.ts";
import { PacketWriter } from "../../../lib/connection/packet_writer.ts";
import { BufferPool, DumpOutput } from "../../../lib/server/dump_output.ts";
import { PlainPackets } from "../../../lib/server/plain_packets.ts";
import {
  dumpPackets,
  joinBytes,
  splitPackets,
} from "../../support/dump_packets.ts";
import { SeededRandom } from "../../support/seeded_random.ts";

const WRITE_TIMEOUT_MS = 60_000;

function sink(): { bytes: Uint8Array[]; writer: PacketWriter } {
  const bytes: Uint8Array[] = [];
  const writable = new WritableStream<Uint8Array>({
    write(chunk) {
      // The buffer is used again once the write resolved.
      bytes.push(chunk.slice());
    },
  });
  return { bytes, writer: new PacketWriter(writable) };
}

async function addAll(
  output: DumpOutput,
  stream: Uint8Array,
  cut: () => number,
): Promise<void> {
  for (let at = 0; at < stream.length;) {
    const run = stream.subarray(at, at + cut());
    if (!output.hasRoom(run.length)) await output.flush();
    output.addRun(run);
    at += run.length;
  }
  await output.drain();
}

Deno.test("DumpOutput numbers packets and leaves the rest as it is", async () => {
  const random = new SeededRandom(11);
  const events = Array.from(
    { length: 900 },
    () => random.bytes(random.integer(19, 200)),
  );
  const stored = dumpPackets(events, 0);
  const { bytes, writer } = sink();
  const output = new DumpOutput(
    { writer },
    new BufferPool(),
    new PlainPackets(254),
    WRITE_TIMEOUT_MS,
  );
  output.position = 4;
  await addAll(output, stored, () => stored.length);
  assertEquals(joinBytes(bytes), dumpPackets(events, 254));
  assertEquals(stored, dumpPackets(events, 0));
  const size = events.reduce((sum, event) => sum + event.length, 0);
  assertEquals(output.position, 4 + size);
  assertEquals(output.sequenceId, (254 + 900) & 0xff);
  assertEquals(output.atEventEnd, true);
  assertEquals(output.bytesSent, stored.length);
});

for (const size of [200_000, 0xff_ffff - 2, 0xff_ffff - 1, 0xff_ffff + 70]) {
  Deno.test(`DumpOutput numbers an event of ${size} bytes cut into blocks`, async () => {
    const events = [
      new Uint8Array(30).fill(1),
      new Uint8Array(size).fill(2),
      new Uint8Array(40).fill(3),
    ];
    const stored = dumpPackets(events, 0);
    const { bytes, writer } = sink();
    const output = new DumpOutput(
      { writer },
      new BufferPool(),
      new PlainPackets(7),
      WRITE_TIMEOUT_MS,
    );
    // As the store cuts: never in a packet header.
    const headers = new Set<number>();
    let at = 0;
    for (const packet of splitPackets(stored)) {
      for (let inside = 1; inside < 4; inside++) headers.add(at + inside);
      at += 4 + packet.payload.length;
    }
    let done = 0;
    await addAll(output, stored, () => {
      let end = Math.min(done + 64_000, stored.length);
      while (headers.has(end)) end--;
      const count = end - done;
      done = end;
      return count;
    });
    const sent = joinBytes(bytes);
    const wanted = dumpPackets(events, 7);
    assertEquals(sent.length, wanted.length);
    assertEquals(sent.findIndex((byte, index) => byte !== wanted[index]), -1);
    assertEquals(output.position, 30 + size + 40);
    assertEquals(output.atEventEnd, true);
  });
}

Deno.test("DumpOutput.addEvent() frames an event between runs", async () => {
  const first = dumpPackets([new Uint8Array(25).fill(5)], 0);
  const { bytes, writer } = sink();
  const output = new DumpOutput(
    { writer },
    new BufferPool(),
    new PlainPackets(255),
    WRITE_TIMEOUT_MS,
  );
  output.addRun(first);
  await output.addEvent(new Uint8Array(22).fill(6));
  output.addRun(first);
  await output.drain();
  assertEquals(
    splitPackets(joinBytes(bytes)).map((packet) => packet.sequenceId),
    [255, 0, 1],
  );
  // An event we made moves nothing in the file.
  assertEquals(output.position, 50);
});

Deno.test("DumpOutput never has more than two buffers for a slow replica", async () => {
  const taken: Uint8Array[] = [];
  class CountingPool extends BufferPool {
    override take(): Uint8Array<ArrayBuffer> {
      const buffer = super.take();
      if (!taken.includes(buffer)) taken.push(buffer);
      return buffer;
    }
  }
  const { writer } = sink();
  const output = new DumpOutput(
    { writer },
    new CountingPool(),
    new PlainPackets(0),
    WRITE_TIMEOUT_MS,
  );
  const run = dumpPackets([new Uint8Array(60_000)], 0);
  for (let round = 0; round < 100; round++) {
    if (!output.hasRoom(run.length)) await output.flush();
    output.addRun(run);
  }
  await output.drain();
  assertEquals(taken.length, 2);
});

Deno.test("DumpOutput takes no buffer for a heartbeat alone", async () => {
  class NoPool extends BufferPool {
    override take(): Uint8Array<ArrayBuffer> {
      throw new TypeError("A buffer was taken");
    }
  }
  const { bytes, writer } = sink();
  const output = new DumpOutput(
    { writer },
    new NoPool(),
    new PlainPackets(255),
    WRITE_TIMEOUT_MS,
  );
  const heartbeat = new Uint8Array(41).fill(27);
  for (let count = 0; count < 3; count++) {
    await output.addEvent(heartbeat);
    assertEquals(output.hasPending, true);
    await output.drain();
  }
  const wanted = dumpPackets([heartbeat, heartbeat, heartbeat], 255);
  assertEquals(joinBytes(bytes), wanted);
  assertEquals(output.bytesSent, wanted.length);
});

Deno.test("DumpOutput gives a replica up that takes nothing", async () => {
  const writer = new PacketWriter(
    new WritableStream({ write: () => new Promise(() => {}) }),
  );
  const output = new DumpOutput(
    { writer },
    new BufferPool(),
    new PlainPackets(0),
    30,
  );
  output.addRun(dumpPackets([new Uint8Array(30)], 0));
  const error = await assertRejects(() => output.drain(), ConnectionError);
  assertEquals(error.kind, "timeout");
});
