import { assert, assertEquals, assertRejects } from "@std/assert";
import { Compressor } from "../../../lib/connection/compressor.ts";
import { ConnectionError } from "../../../lib/connection/connection_error.ts";
import type { Compression } from "../../../lib/protocol/compression.ts";
import { packContent } from "../../../lib/protocol/pack_content.ts";
import { SeededRandom } from "../../support/seeded_random.ts";

const ZLIB: Compression = { algorithm: "zlib", level: 6 };
const ZSTD: Compression = { algorithm: "zstd", level: 5 };

/** Bytes of few kinds, different for each `seed`. */
function content(seed: number, length: number): Uint8Array {
  const random = new SeededRandom(seed);
  return Uint8Array.from({ length }, () => random.integer(0, 20));
}

Deno.test("Compressor.pack() compresses what is short on the spot", () => {
  using compressor = new Compressor(2);
  const bytes = content(1, 5000);
  const packet = compressor.pack(bytes, 5, ZLIB);
  assert(packet instanceof Uint8Array);
  assertEquals(packet, packContent(bytes, 5, ZLIB));
  assertEquals(
    compressor.pack(new Uint8Array(10), 6, ZSTD),
    Uint8Array.of(10, 0, 0, 6, 0, 0, 0, ...new Uint8Array(10)),
  );
  assertEquals(compressor.threads, 0);
});

Deno.test("Compressor.pack() compresses with quick levels of zstd on the spot", () => {
  using compressor = new Compressor(2);
  const bytes = content(1, 200_000);
  for (const level of [1, 3, 4]) {
    const quick: Compression = { algorithm: "zstd", level };
    assertEquals(
      compressor.pack(bytes, 1, quick),
      packContent(bytes, 1, quick),
    );
  }
  assertEquals(compressor.threads, 0);
  const slow = compressor.pack(bytes, 1, ZSTD);
  assert(slow instanceof Promise);
  assertEquals(compressor.threads, 1);
  slow.catch(() => {});
});

Deno.test("Compressor.pack() compresses what is large in threads, each answer to whom it is for", async () => {
  using compressor = new Compressor(2);
  const jobs = Array.from({ length: 40 }, (_, n) => {
    // a piece of a larger buffer, which is used for something else at once
    const buffer = content(n, 60_000 + n);
    const piece = buffer.subarray(1000);
    const expected = piece.slice();
    const compression = n % 2 === 0 ? ZLIB : ZSTD;
    const job = compressor.pack(piece, n, compression);
    buffer.fill(0);
    return { job, expected: packContent(expected, n, compression) };
  });
  assertEquals(compressor.threads, 2);
  for (const { job, expected } of jobs) {
    assert(job instanceof Promise);
    assertEquals(await job, expected);
  }
  const noise = crypto.getRandomValues(new Uint8Array(50_000));
  assertEquals(
    await compressor.pack(noise, 255, ZSTD),
    packContent(noise, 255, ZSTD),
  );
});

Deno.test("Compressor.pack() leaves the event loop to others meanwhile", async () => {
  using compressor = new Compressor(1);
  await compressor.pack(content(1, 20_000), 0, ZSTD);
  const bytes = content(2, 8_000_000);
  let turns = 0;
  const timer = setInterval(() => turns++, 1);
  const began = performance.now();
  await compressor.pack(bytes, 0, { algorithm: "zstd", level: 9 });
  const tookMs = performance.now() - began;
  clearInterval(timer);
  assert(turns > 5, `${turns} turns in ${tookMs} ms`);
});

Deno.test("Compressor ends with its threads, and tells who waits for them", async () => {
  const compressor = new Compressor(1);
  const jobs = [1, 2, 3].map((seed) =>
    compressor.pack(content(seed, 100_000), 0, ZLIB)
  );
  compressor[Symbol.dispose]();
  for (const job of jobs) {
    const error = await assertRejects(async () => await job, ConnectionError);
    assertEquals(error.kind, "closed");
  }
  assertEquals(compressor.threads, 0);
  await assertRejects(
    async () => await compressor.pack(content(4, 100_000), 0, ZLIB),
    ConnectionError,
  );
  compressor[Symbol.dispose]();
});

Deno.test({
  name: "Compressor.pack() does it on the spot where no thread can be started",
  permissions: { read: false, net: false, import: false },
  fn: async () => {
    const faults: string[] = [];
    using compressor = new Compressor(2, (reason) => faults.push(reason));
    const pieces = [1, 2, 3].map((seed) => content(seed, 50_000));
    const jobs = pieces.map((piece, n) => compressor.pack(piece, n, ZLIB));
    for (const [n, job] of jobs.entries()) {
      assertEquals(await job, packContent(pieces[n]!, n, ZLIB));
    }
    assertEquals(faults.length, 1);
    const after = compressor.pack(pieces[0]!, 9, ZLIB);
    assertEquals(after, packContent(pieces[0]!, 9, ZLIB));
  },
});
