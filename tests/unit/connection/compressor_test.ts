import { assert, assertEquals, assertRejects } from "@std/assert";
import { inflateSync, zstdDecompressSync } from "node:zlib";
import { Compressor } from "../../../lib/connection/compressor.ts";
import { ConnectionError } from "../../../lib/connection/connection_error.ts";
import type { Compression } from "../../../lib/protocol/compression.ts";
import { SeededRandom } from "../../support/seeded_random.ts";

const ZLIB: Compression = { algorithm: "zlib", level: 6 };
const ZSTD: Compression = { algorithm: "zstd", level: 3 };

/** Bytes of few kinds, different for each `seed`. */
function content(seed: number, length: number): Uint8Array {
  const random = new SeededRandom(seed);
  return Uint8Array.from({ length }, () => random.integer(0, 20));
}

Deno.test("Compressor.compress() compresses what is short on the spot", () => {
  using compressor = new Compressor(2);
  const bytes = content(1, 5000);
  const compressed = compressor.compress(bytes, ZLIB);
  assert(compressed instanceof Uint8Array);
  assertEquals(new Uint8Array(inflateSync(compressed)), bytes);
  assertEquals(compressor.compress(new Uint8Array(10), ZSTD), undefined);
  assertEquals(compressor.threads, 0);
});

Deno.test("Compressor.compress() compresses what is large in threads, each answer to whom it is for", async () => {
  using compressor = new Compressor(2);
  const jobs = Array.from({ length: 40 }, (_, n) => {
    // a piece of a larger buffer, which is used for something else at once
    const buffer = content(n, 60_000 + n);
    const piece = buffer.subarray(1000);
    const expected = piece.slice();
    const compression = n % 2 === 0 ? ZLIB : ZSTD;
    const job = compressor.compress(piece, compression);
    buffer.fill(0);
    return { job, compression, expected };
  });
  assertEquals(compressor.threads, 2);
  for (const { job, compression, expected } of jobs) {
    const compressed = (await job)!;
    assert(compressed.length < expected.length);
    const decompress = compression === ZLIB ? inflateSync : zstdDecompressSync;
    assertEquals(new Uint8Array(decompress(compressed)), expected);
  }
  const noise = crypto.getRandomValues(new Uint8Array(50_000));
  assertEquals(await compressor.compress(noise, ZSTD), undefined);
});

Deno.test("Compressor.compress() leaves the event loop to others meanwhile", async () => {
  using compressor = new Compressor(1);
  await compressor.compress(content(1, 20_000), ZSTD);
  const bytes = content(2, 8_000_000);
  let turns = 0;
  const timer = setInterval(() => turns++, 1);
  const began = performance.now();
  await compressor.compress(bytes, { algorithm: "zstd", level: 9 });
  const tookMs = performance.now() - began;
  clearInterval(timer);
  assert(turns > 5, `${turns} turns in ${tookMs} ms`);
});

Deno.test("Compressor ends with its threads, and tells who waits for them", async () => {
  const compressor = new Compressor(1);
  const jobs = [1, 2, 3].map((seed) =>
    compressor.compress(content(seed, 100_000), ZLIB)
  );
  compressor[Symbol.dispose]();
  for (const job of jobs) {
    const error = await assertRejects(async () => await job, ConnectionError);
    assertEquals(error.kind, "closed");
  }
  assertEquals(compressor.threads, 0);
  await assertRejects(
    async () => await compressor.compress(content(4, 100_000), ZLIB),
    ConnectionError,
  );
  compressor[Symbol.dispose]();
});
