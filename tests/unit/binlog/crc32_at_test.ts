import { assertEquals } from "@std/assert";
import { crc32 } from "../../../lib/binlog/checksum.ts";
import { CRC32_RESIDUE, crc32At } from "../../../lib/binlog/crc32_at.ts";
import {
  FIXTURE_SERVERS,
  loadBinlogFixtures,
} from "../../support/binlog_fixture.ts";
import { SeededRandom } from "../../support/seeded_random.ts";

Deno.test("crc32At() agrees with zlib at every size and alignment", () => {
  const bytes = new SeededRandom(11).bytes(300);
  for (let size = 0; size <= 200; size++) {
    for (let offset = 0; offset < 9; offset++) {
      assertEquals(
        crc32At(bytes, offset, size),
        crc32(bytes.subarray(offset, offset + size)),
        `${size} bytes at ${offset}`,
      );
    }
  }
});

Deno.test("crc32At() goes on from a sum, wherever the bytes are cut", () => {
  const bytes = new SeededRandom(12).bytes(300);
  const whole = crc32(bytes);
  for (let cut = 0; cut <= bytes.length; cut++) {
    const first = crc32At(bytes, 0, cut);
    assertEquals(crc32At(bytes, cut, bytes.length - cut, first), whole);
  }
});

Deno.test("crc32At() gives CRC32_RESIDUE for intact events and nothing else", () => {
  for (const server of FIXTURE_SERVERS) {
    for (const { bytes, events, algorithm } of loadBinlogFixtures(server)) {
      if (algorithm === "none") continue;
      for (const { position, bytes: event } of events) {
        // A set in-use flag is the one change the sum does not include.
        if (position === 4 && (event[17]! & 1) !== 0) continue;
        assertEquals(crc32At(bytes, position, event.length), CRC32_RESIDUE);
        const damaged = event.slice();
        damaged[event.length >> 1] = damaged[event.length >> 1]! ^ 4;
        assertEquals(
          crc32At(damaged, 0, damaged.length) === CRC32_RESIDUE,
          false,
        );
      }
    }
  }
});
