import { assert, assertEquals } from "@std/assert";
import type { FlipResult, FlipTask } from "../support/flip_worker.ts";
import { makeSmallStore } from "../support/small_store.ts";

/** Flips what a worker is told to. */
function flip(task: FlipTask): Promise<FlipResult> {
  const worker = new Worker(
    new URL("../support/flip_worker.ts", import.meta.url),
    { type: "module" },
  );
  return new Promise<FlipResult>((resolve, reject) => {
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = (event) => {
      event.preventDefault();
      reject(new TypeError(`The worker failed: ${event.message}`));
    };
    worker.postMessage(task);
  }).finally(() => worker.terminate());
}

/**
 * The offsets of all bytes of a database, but for those of pages that hold
 * nothing (SQLite's file format, 1.5: leaves of the freelist).
 */
function usedOffsets(bytes: Uint8Array): number[] {
  const view = new DataView(bytes.buffer);
  const pageBytes = view.getUint16(16);
  const free = new Set<number>();
  let trunk = view.getUint32(32);
  while (trunk !== 0) {
    const at = (trunk - 1) * pageBytes;
    for (let leaf = 0; leaf < view.getUint32(at + 4); leaf++) {
      free.add(view.getUint32(at + 8 + 4 * leaf));
    }
    trunk = view.getUint32(at);
  }
  return [...bytes.keys()].filter((at) =>
    !free.has(Math.floor(at / pageBytes) + 1)
  );
}

/** A folder in memory where there is one: nothing here is about the disk. */
async function makeFolder(): Promise<string> {
  const prefix = "kingbus-flip-";
  try {
    return await Deno.makeTempDir({ dir: "/dev/shm", prefix });
  } catch {
    return await Deno.makeTempDir({ prefix });
  }
}

Deno.test("every flipped byte of a store is noticed or harmless", async () => {
  const folder = await makeFolder();
  try {
    // Small pages hold little that is not used.
    const path = `${folder}/original.db`;
    const shown = await makeSmallStore(path, {
      pageBytes: 512,
      files: 2,
      transactions: [[40]],
      purgedIntervals: 250,
      purgedInEvents: false,
    });
    const bytes = await Deno.readFile(path);
    const offsets = usedOffsets(bytes);
    const workers = Math.min(navigator.hardwareConcurrency, 8);
    const results = await Promise.all(
      Array.from({ length: workers }, (_, number) =>
        flip({
          path: `${folder}/${number}.db`,
          bytes,
          shown,
          offsets: offsets.filter((_, index) => index % workers === number),
        })),
    );
    const problems = results.flatMap((one) => one.problems);
    assertEquals(problems.slice(0, 10), []);
    const count = (of: "refused" | "harmless" | "verified") =>
      results.reduce((sum, one) => sum + one[of], 0);
    assertEquals(
      count("refused") + count("harmless") + count("verified"),
      offsets.length,
    );
    // Most of the file is what the log is made of.
    assert(
      count("refused") > offsets.length / 2,
      `${count("refused")} refused`,
    );
    console.log(
      `${offsets.length} flips: ${count("refused")} refused, ${
        count("verified")
      } found by verifying, ${count("harmless")} harmless`,
    );
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
