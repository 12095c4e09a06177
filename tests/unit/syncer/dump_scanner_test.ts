import { assertEquals, assertThrows } from "@std/assert";
import {
  DumpScanner,
  type PacketSink,
} from "../../../lib/syncer/dump_scanner.ts";
import { SourceError } from "../../../lib/syncer/source_error.ts";
import {
  dumpPackets,
  joinBytes,
  randomChunks,
  splitPackets,
} from "../../support/dump_packets.ts";
import { SeededRandom } from "../../support/seeded_random.ts";

/** Writes down what it is given, large packets joined. */
class Recorder implements PacketSink {
  readonly packets: Uint8Array[] = [];
  readonly largeParts: Uint8Array[][] = [];
  readonly log: string[] = [];

  run(): void {}

  packet(bytes: Uint8Array, start: number, end: number): void {
    this.packets.push(bytes.slice(start, end));
    this.log.push("packet");
  }

  reclaim(): void {}

  largeStart(bytes: Uint8Array, start: number, end: number): void {
    this.largeParts.push([bytes.slice(start, end)]);
    this.log.push("start");
  }

  largeHeader(bytes: Uint8Array, start: number, end: number): void {
    this.largeParts.at(-1)!.push(bytes.slice(start, end));
    this.log.push("header");
  }

  largeBody(bytes: Uint8Array, start: number, end: number): void {
    this.largeParts.at(-1)!.push(bytes.slice(start, end));
    if (this.log.at(-1) !== "body") this.log.push("body");
  }

  largeEnd(): void {
    this.log.push("end");
  }
}

function event(size: number, fill: number): Uint8Array {
  return new Uint8Array(size).fill(fill);
}

Deno.test("DumpScanner finds the same packets however the stream is cut", () => {
  const random = new SeededRandom(7);
  const events = [20, 19, 300, 63_995, 40, 21, 5_000, 33].map((size, index) =>
    event(size, index + 1)
  );
  const stream = dumpPackets(events);
  const whole = new Recorder();
  new DumpScanner(whole, 64_000).push(stream);
  for (let round = 0; round < 30; round++) {
    const seen = new Recorder();
    const scanner = new DumpScanner(seen, 64_000);
    const chunks = randomChunks(stream, (max) => random.integer(0, max));
    for (const chunk of chunks) {
      scanner.push(chunk);
      // What was handed on has to be taken by now.
      chunk.fill(0xee);
    }
    assertEquals(seen.packets, whole.packets);
    assertEquals(scanner.atPacketEnd, true);
  }
  assertEquals(
    whole.packets.map((packet) => packet.length),
    events.map((one) => one.length + 5),
  );
});

Deno.test("DumpScanner finds the same packets one byte at a time", () => {
  const stream = dumpPackets([event(20, 1), event(700, 2), event(19, 3)]);
  const seen = new Recorder();
  const scanner = new DumpScanner(seen, 64_000);
  for (const byte of stream) scanner.push(Uint8Array.of(byte));
  assertEquals(joinBytes(seen.packets), stream);
});

Deno.test("DumpScanner hands a packet larger than it holds on in parts", () => {
  const random = new SeededRandom(3);
  const stream = dumpPackets([event(30, 1), event(200_000, 2), event(25, 3)]);
  for (let round = 0; round < 20; round++) {
    const seen = new Recorder();
    const scanner = new DumpScanner(seen, 64_000);
    for (
      const chunk of randomChunks(stream, (max) => random.integer(0, max))
    ) scanner.push(chunk);
    assertEquals(seen.log, ["packet", "start", "body", "end", "packet"]);
    const large = joinBytes(seen.largeParts[0]!);
    assertEquals(
      joinBytes([seen.packets[0]!, large, seen.packets[1]!]),
      stream,
    );
  }
});

for (
  const [what, size] of [
    ["one byte less than a full packet", 0xff_ffff - 2],
    ["exactly a full packet", 0xff_ffff - 1],
    ["one byte more than a full packet", 0xff_ffff],
    ["two full packets", 2 * 0xff_ffff - 1],
  ] as const
) {
  Deno.test(`DumpScanner follows an event of ${what}`, () => {
    const stream = dumpPackets([event(size, 9), event(40, 1)], 250);
    const parts = splitPackets(stream).length - 1;
    for (const chunkBytes of [65_536, 1_000_003]) {
      const seen = new Recorder();
      const scanner = new DumpScanner(seen, 64_000, 250);
      for (let at = 0; at < stream.length; at += chunkBytes) {
        scanner.push(stream.subarray(at, at + chunkBytes));
      }
      assertEquals(
        seen.log.filter((one) => one === "header").length,
        parts - 1,
      );
      assertEquals(seen.log.slice(-2), ["end", "packet"]);
      const joined = joinBytes([
        ...seen.largeParts[0]!,
        seen.packets[0]!,
      ]);
      // deno: comparing 32 MB element by element takes minutes
      assertEquals(joined.length, stream.length);
      assertEquals(
        joined.findIndex((byte, index) => byte !== stream[index]),
        -1,
      );
    }
  });
}

Deno.test("DumpScanner refuses a sequence id out of order", () => {
  const stream = joinBytes([
    dumpPackets([event(20, 1)], 1),
    dumpPackets([event(20, 1)], 3),
  ]);
  const scanner = new DumpScanner(new Recorder(), 64_000);
  const error = assertThrows(() => scanner.push(stream), SourceError);
  assertEquals(error.kind, "stream");
  assertEquals(
    error.message,
    "The source sent packet 3 where 2 was expected",
  );
});

Deno.test("DumpScanner refuses a sequence id out of order in a large event", () => {
  const stream = dumpPackets([event(0xff_ffff + 10, 1)]);
  stream[4 + 0xff_ffff + 3] = 77;
  const scanner = new DumpScanner(new Recorder(), 64_000);
  assertThrows(() => scanner.push(stream), SourceError, "packet 77");
});
