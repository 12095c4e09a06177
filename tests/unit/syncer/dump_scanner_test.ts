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
import { semiSyncPackets } from "../../support/semi_sync_packets.ts";

/** Writes down what it is given, large packets joined. */
class Recorder implements PacketSink {
  readonly packets: Uint8Array[] = [];
  readonly largeParts: Uint8Array[][] = [];
  readonly log: string[] = [];
  bodyBytes = 0;

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
    this.bodyBytes += end - start;
    this.largeParts.at(-1)!.push(bytes.slice(start, end));
    if (this.log.at(-1) !== "body") this.log.push("body");
  }

  largeEnd(): void {
    this.log.push("end");
  }

  replyWanted(): void {
    this.log.push("reply");
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
      const scanner = new DumpScanner(seen, 64_000, { sequenceId: 250 });
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

Deno.test("DumpScanner takes any sequence id where they count nothing", () => {
  const stream = joinBytes([
    dumpPackets([event(20, 1)], 1),
    dumpPackets([event(20, 1)], 3),
    dumpPackets([event(0xff_ffff + 10, 1)], 99),
  ]);
  const seen = new Recorder();
  const scanner = new DumpScanner(seen, 64_000, { numbered: false });
  scanner.push(stream);
  assertEquals(scanner.atPacketEnd, true);
});

Deno.test("DumpScanner refuses a sequence id out of order in a large event", () => {
  const stream = dumpPackets([event(0xff_ffff + 10, 1)]);
  stream[4 + 0xff_ffff + 3] = 77;
  const scanner = new DumpScanner(new Recorder(), 64_000);
  assertThrows(() => scanner.push(stream), SourceError, "packet 77");
});

/** Events of every size that is treated in a way of its own. */
const SEMI_SYNC_EVENTS = [
  { event: event(20, 1), asks: false },
  { event: event(19, 2), asks: true },
  { event: event(300, 3), asks: true },
  { event: event(63_995, 4), asks: false },
  { event: event(63_995, 5), asks: true },
  { event: event(63_996, 6), asks: true },
  { event: event(40, 7), asks: false },
  { event: event(200_000, 8), asks: true },
  { event: event(30, 9), asks: false },
];

Deno.test("DumpScanner takes semi-sync's bytes out however the stream is cut", () => {
  const random = new SeededRandom(17);
  const stream = semiSyncPackets(SEMI_SYNC_EVENTS);
  const wanted = SEMI_SYNC_EVENTS.map(({ event }) => event);
  for (let round = 0; round < 60; round++) {
    const seen = new Recorder();
    const scanner = new DumpScanner(seen, 64_000, { semiSync: true });
    const chunks = round === 0
      ? [stream.slice()]
      : randomChunks(stream, (max) => random.integer(0, max));
    for (const chunk of chunks) {
      scanner.push(chunk);
      chunk.fill(0xee);
    }
    assertEquals(scanner.atPacketEnd, true);
    assertEquals(
      seen.log.join(" "),
      [
        "packet packet reply packet reply packet packet reply",
        "start body end reply packet start body end reply packet",
      ].join(" "),
    );
    const whole = seen.packets.map((packet) => {
      const [frame] = splitPackets(packet);
      assertEquals(frame!.payload[0], 0);
      assertEquals(frame!.payload.length, packet.length - 4);
      return frame!.payload.slice(1);
    });
    // Packet header and status byte stand before a large one.
    const large = seen.largeParts.map((parts) => joinBytes(parts).slice(5));
    assertEquals(
      [...whole, ...large].sort((a, b) => a[0]! - b[0]!),
      wanted,
    );
  }
});

Deno.test("DumpScanner takes semi-sync's bytes out one byte at a time", () => {
  const seen = new Recorder();
  const scanner = new DumpScanner(seen, 64_000, { semiSync: true });
  const events = SEMI_SYNC_EVENTS.slice(0, 3);
  for (const byte of semiSyncPackets(events)) scanner.push(Uint8Array.of(byte));
  assertEquals(seen.log, ["packet", "packet", "reply", "packet", "reply"]);
});

for (const size of [-4, -3, -2, -1, 0, 1]) {
  Deno.test(`DumpScanner follows a semi-sync event of 16 MiB and ${size}`, () => {
    const large = event(0xff_ffff + size, 9);
    const stream = semiSyncPackets([
      { event: large, asks: true },
      { event: event(40, 1), asks: false },
    ], 255);
    const seen = new Recorder();
    const scanner = new DumpScanner(seen, 64_000, {
      sequenceId: 255,
      semiSync: true,
    });
    for (let at = 0; at < stream.length; at += 65_536) {
      scanner.push(stream.slice(at, at + 65_536));
    }
    assertEquals(
      seen.log.filter((one) => one !== "header" && one !== "body"),
      ["start", "end", "reply", "packet"],
    );
    const [start] = seen.largeParts[0]!;
    assertEquals(start!.length - 5 + seen.bodyBytes, large.length);
  });
}

Deno.test("DumpScanner refuses an event without semi-sync's magic number", () => {
  for (const bytes of [[0, 0xee, 0], [0, 0xef], [0]]) {
    const scanner = new DumpScanner(new Recorder(), 64_000, { semiSync: true });
    const packet = Uint8Array.of(bytes.length, 0, 0, 1, ...bytes);
    assertThrows(() => scanner.push(packet), SourceError, "magic number");
  }
});

Deno.test("DumpScanner hands an error in a semi-sync dump on as it is", () => {
  const seen = new Recorder();
  const scanner = new DumpScanner(seen, 64_000, { semiSync: true });
  const stream = joinBytes([
    semiSyncPackets([{ event: event(25, 1), asks: true }]),
    Uint8Array.of(3, 0, 0, 1, 0xff, 0xd4, 0x04),
  ]);
  scanner.push(stream);
  assertEquals(seen.packets[1]!.slice(4), Uint8Array.of(0xff, 0xd4, 0x04));
});

Deno.test("DumpScanner refuses a sequence id that does not begin anew after a reply", () => {
  const stream = semiSyncPackets(SEMI_SYNC_EVENTS.slice(0, 3));
  // behind 20 and 19 bytes of event with 7 each before
  stream[27 + 26 + 3] = 3;
  const scanner = new DumpScanner(new Recorder(), 64_000, { semiSync: true });
  assertThrows(
    () => scanner.push(stream),
    SourceError,
    "packet 3 where 1 was expected",
  );
});
