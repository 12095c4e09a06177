import { assert, assertEquals } from "@std/assert";
import { writeEventChecksum } from "../../../lib/binlog/checksum.ts";
import { EventType } from "../../../lib/binlog/event_type.ts";
import { RunChecksum } from "../../../lib/store/run_checksum.ts";
import {
  FIXTURE_SERVERS,
  loadBinlogFixtures,
} from "../../support/binlog_fixture.ts";
import { dumpPackets } from "../../support/dump_packets.ts";
import { SeededRandom } from "../../support/seeded_random.ts";

function intactEvent(random: SeededRandom, size: number): Uint8Array {
  const event = random.bytes(size);
  event[4] = EventType.WRITE_ROWS;
  writeEventChecksum(event);
  return event;
}

Deno.test("RunChecksum.intactEnd() takes intact events of every length", () => {
  const random = new SeededRandom(21);
  const checksum = new RunChecksum();
  const sizes = Array.from({ length: 300 }, (_, index) => 23 + index);
  for (const size of [...sizes, 4_095, 4_096, 4_097, 20_000, 65_534]) {
    const run = dumpPackets([
      intactEvent(random, 40),
      intactEvent(random, size),
      intactEvent(random, 31),
    ], size & 0xff);
    assertEquals(checksum.intactEnd(run, 0), run.length, `${size} bytes`);
  }
});

Deno.test("RunChecksum.intactEnd() takes the files of every server", () => {
  const checksum = new RunChecksum();
  for (const server of FIXTURE_SERVERS) {
    for (const { events, algorithm } of loadBinlogFixtures(server)) {
      const small = events.filter(({ bytes }) => bytes.length < 65_535);
      // A set in-use flag is the one change a checksum does not include.
      if (algorithm === "none" || (small[0]!.bytes[17]! & 1) !== 0) continue;
      const run = dumpPackets(small.map(({ bytes }) => bytes));
      assertEquals(checksum.intactEnd(run, 0), run.length);
    }
  }
});

Deno.test("RunChecksum.intactEnd() ends with the last whole packet", () => {
  const random = new SeededRandom(22);
  const checksum = new RunChecksum();
  const sizes = [30, 300, 24];
  const run = dumpPackets(sizes.map((size) => intactEvent(random, size)));
  const ends = [35, 340, 369];
  for (let length = 0; length <= run.length; length++) {
    const end = ends.findLast((one) => one <= length) ?? 0;
    assertEquals(checksum.intactEnd(run.subarray(0, length), 0), end);
  }
  assertEquals(checksum.intactEnd(run, 35), 369);
});

Deno.test("RunChecksum.intactEnd() ends before a packet too long for it", () => {
  const random = new SeededRandom(23);
  const run = dumpPackets([
    intactEvent(random, 50),
    intactEvent(random, 65_535),
    intactEvent(random, 50),
  ]);
  assertEquals(new RunChecksum().intactEnd(run, 0), 55);
});

Deno.test("RunChecksum.intactEnd() notices every flipped bit", () => {
  const random = new SeededRandom(24);
  const checksum = new RunChecksum();
  const run = dumpPackets(
    [40, 25, 60].map((size) => intactEvent(random, size)),
  );
  for (let at = 0; at < run.length; at++) {
    // Sequence ids are not checked here: the scanner does.
    if (at === 3 || at === 48 || at === 78) continue;
    for (let bit = 0; bit < 8; bit++) {
      run[at]! ^= 1 << bit;
      // A packet that got too long ends the run before it.
      const end = checksum.intactEnd(run, 0);
      assert(end <= at, `bit ${bit} of byte ${at}`);
      run[at]! ^= 1 << bit;
    }
  }
  assertEquals(checksum.intactEnd(run, 0), run.length);
});

Deno.test("RunChecksum.intactEnd() refuses packets that carry no event", () => {
  const random = new SeededRandom(25);
  const checksum = new RunChecksum();
  const event = dumpPackets([intactEvent(random, 40)]);
  const eof = Uint8Array.of(5, 0, 0, 2, 0xfe, 0, 0, 2, 0);
  assertEquals(checksum.intactEnd(Uint8Array.of(...event, ...eof), 0), 0);
  assertEquals(checksum.intactEnd(Uint8Array.of(0, 0, 0, 1, 0, 0), 0), 0);
  assertEquals(checksum.intactEnd(new Uint8Array(0), 0), 0);
});
