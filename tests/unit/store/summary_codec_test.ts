import { assert, assertEquals, assertThrows } from "@std/assert";
import { GtidSet } from "../../../lib/gtid/gtid_set.ts";
import {
  type BlockSummary,
  StoreError,
} from "../../../lib/store/binlog_store.ts";
import {
  decodeSummary,
  encodeSummary,
} from "../../../lib/store/summary_codec.ts";
import { byteTable, hex } from "../../support/byte_table.ts";
import { numberedUuid } from "../../support/made_log.ts";
import { SeededRandom } from "../../support/seeded_random.ts";

const SUMMARY: BlockSummary = {
  fileNumber: 3,
  startPosition: 0x0102_0304_0506,
  endPosition: 0x0102_0304_ffff,
  firstEventOffset: 260,
  firstEventPosition: 0x0102_0304_0610,
  firstTimestamp: 1_700_000_000,
  lastTimestamp: 0xffff_ffff,
  hasControl: true,
  endsInside: true,
  began: GtidSet.parse("3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5:tag:9"),
  checksum: 0xdead_beef,
};

const BYTES = byteTable(`
  01                       // version
  03                       // has control events, ends inside an event
  03000000                 // file number
  060504030201             // start position
  ffff04030201             // end position
  100604030201             // position of the first event
  04010000                 // its offset
  00f15365                 // first timestamp
  ffffffff                 // last timestamp
  efbeadde                 // checksum
  5d000000                 // bytes of GTIDs
  0000                     // not used
  0102000000000001         // tagged set, 2 entries
  3e11fa4771ca11e19e33c80aa9429562 00
  0100000000000000 0100000000000000 0600000000000000
  3e11fa4771ca11e19e33c80aa9429562 06 "tag"
  0100000000000000 0900000000000000 0a00000000000000
`);

function same(one: BlockSummary, other: BlockSummary): void {
  assertEquals(
    { ...one, began: one.began.toString() },
    { ...other, began: other.began.toString() },
  );
}

Deno.test("encodeSummary() writes the documented bytes", () => {
  assertEquals(hex(encodeSummary(SUMMARY)), hex(BYTES));
});

Deno.test("decodeSummary() reads the documented bytes", () => {
  same(decodeSummary(BYTES), SUMMARY);
  // Also when they are part of something larger.
  const larger = new Uint8Array(BYTES.length + 7);
  larger.set(BYTES, 5);
  same(decodeSummary(larger.subarray(5, 5 + BYTES.length)), SUMMARY);
});

Deno.test("decodeSummary() is the reverse of encodeSummary()", () => {
  const random = new SeededRandom(1);
  for (let count = 0; count < 200; count++) {
    const began = new GtidSet();
    for (let gtid = random.integer(0, 5); gtid > 0; gtid--) {
      const uuid = numberedUuid(random.integer(1, 3));
      began.add(uuid, "", BigInt(random.integer(1, 1000)));
    }
    const inside = random.chance(0.2);
    const summary: BlockSummary = {
      fileNumber: random.integer(1, 0xffff_ffff),
      startPosition: random.integer(4, 2 ** 48 - 1),
      endPosition: random.integer(4, 2 ** 48 - 1),
      firstEventOffset: inside ? -1 : random.integer(0, 63_999),
      firstEventPosition: random.integer(4, 2 ** 48 - 1),
      firstTimestamp: random.integer(0, 0xffff_ffff),
      lastTimestamp: random.integer(0, 0xffff_ffff),
      hasControl: random.chance(0.5),
      endsInside: random.chance(0.5),
      began,
      checksum: random.integer(0, 0xffff_ffff),
    };
    same(decodeSummary(encodeSummary(summary)), summary);
  }
});

Deno.test("decodeSummary() refuses a summary cut at any length", () => {
  for (let length = 0; length < BYTES.length; length++) {
    const error = assertThrows(
      () => decodeSummary(BYTES.subarray(0, length)),
      StoreError,
    );
    assertEquals(error.kind, "corrupt");
  }
  const longer = new Uint8Array(BYTES.length + 1);
  longer.set(BYTES);
  assertThrows(() => decodeSummary(longer), StoreError, "announces 93 bytes");
});

Deno.test("decodeSummary() refuses another version and malformed GTIDs", () => {
  const version = BYTES.slice();
  version[0] = 2;
  assertThrows(() => decodeSummary(version), StoreError, "version 2");
  const gtids = BYTES.slice();
  // the set's format: the last byte of its first eight
  gtids[53] = 7;
  const error = assertThrows(() => decodeSummary(gtids), StoreError);
  assertEquals(error.kind, "corrupt");
  assert(error.cause instanceof Error);
});
