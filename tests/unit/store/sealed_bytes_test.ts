import { assertEquals } from "@std/assert";
import { openSealed, sealBytes } from "../../../lib/store/sealed_bytes.ts";
import { SeededRandom } from "../../support/seeded_random.ts";

const BYTES = new SeededRandom(5).bytes(40);

Deno.test("openSealed() gives back what sealBytes() took", () => {
  for (let length = 0; length <= BYTES.length; length++) {
    const bytes = BYTES.subarray(0, length);
    assertEquals(openSealed("block/7", sealBytes("block/7", bytes)), bytes);
  }
});

Deno.test("openSealed() notices every flipped bit", () => {
  const sealed = sealBytes("block/7", BYTES);
  for (let at = 0; at < sealed.length; at++) {
    for (let bit = 0; bit < 8; bit++) {
      sealed[at]! ^= 1 << bit;
      assertEquals(openSealed("block/7", sealed), undefined);
      sealed[at]! ^= 1 << bit;
    }
  }
});

Deno.test("openSealed() refuses what is cut, longer, or of another place", () => {
  const sealed = sealBytes("block/7", BYTES);
  for (let length = 0; length < sealed.length; length++) {
    assertEquals(openSealed("block/7", sealed.subarray(0, length)), undefined);
  }
  assertEquals(openSealed("block/7", Uint8Array.of(...sealed, 0)), undefined);
  assertEquals(openSealed("block/8", sealed), undefined);
  assertEquals(openSealed("summary/7", sealed), undefined);
});

Deno.test("openSealed() refuses what is no bytes at all", () => {
  for (const stored of [undefined, null, 7, "text", { length: 9 }]) {
    assertEquals(openSealed("block/7", stored), undefined);
  }
});
