import { assert, assertEquals } from "@std/assert";
import { inflateSync, zstdDecompressSync } from "node:zlib";
import { compressBytes } from "../../../lib/protocol/compress_bytes.ts";
import type { Compression } from "../../../lib/protocol/compression.ts";
import { SeededRandom } from "../../support/seeded_random.ts";

const ZLIB: Compression = { algorithm: "zlib", level: 6 };
const ZSTD: Compression = { algorithm: "zstd", level: 3 };

Deno.test("compressBytes() leaves short content as it is, as MySQL does", () => {
  for (const compression of [ZLIB, ZSTD]) {
    assertEquals(compressBytes(new Uint8Array(0), compression), undefined);
    assertEquals(compressBytes(new Uint8Array(49), compression), undefined);
    assert(compressBytes(new Uint8Array(50), compression) !== undefined);
  }
});

Deno.test("compressBytes() leaves content as it is that does not get shorter", () => {
  const noise = new SeededRandom(7).bytes(5000);
  for (const compression of [ZLIB, ZSTD]) {
    assertEquals(compressBytes(noise, compression), undefined);
  }
});

Deno.test("compressBytes() compresses with the algorithm and the level", () => {
  const random = new SeededRandom(8);
  const words = ["INSERT ", "INTO ", "kingbus ", "VALUES ", "(1, 2)", ";\n"];
  const text = new TextEncoder().encode(
    Array.from({ length: 20_000 }, () => random.pick(words)).join(""),
  );
  const zlib = compressBytes(text, ZLIB)!;
  assertEquals(zlib[0], 0x78);
  assertEquals(new Uint8Array(inflateSync(zlib)), text);
  const fast = compressBytes(text, { algorithm: "zstd", level: 1 })!;
  const small = compressBytes(text, { algorithm: "zstd", level: 19 })!;
  for (const zstd of [fast, small]) {
    assertEquals([...zstd.subarray(0, 4)], [0x28, 0xb5, 0x2f, 0xfd]);
    assertEquals(new Uint8Array(zstdDecompressSync(zstd)), text);
  }
  assert(
    small.length < 0.95 * fast.length,
    `${small.length} and ${fast.length}`,
  );
});
