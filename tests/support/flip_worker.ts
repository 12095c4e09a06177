/// <reference lib="deno.worker" />
/**
 * Opens copies of a store that have one flipped bit each: a worker, so that
 * several processors can.
 *
 * @module
 */
import { StoreError } from "../../lib/store/binlog_store.ts";
import { KvVerifySource } from "../../lib/store/kv/kv_verify_source.ts";
import { openKvStore } from "../../lib/store/kv/open_kv_store.ts";
import { verifyLog } from "../../lib/store/verify/verify_log.ts";
import { showLog, type ShownLog } from "./small_store.ts";

/** What a worker is to do. */
export interface FlipTask {
  /** Where it puts its copies. */
  readonly path: string;
  /** The store's database. */
  readonly bytes: Uint8Array;
  /** What the store shows. */
  readonly shown: ShownLog;
  /** Which bytes it flips. */
  readonly offsets: readonly number[];
}

/** What came of it. */
export interface FlipResult {
  /** How many flips an error told of, when the store was opened or read. */
  readonly refused: number;
  /** How many changed nothing. */
  readonly harmless: number;
  /** How many verifying told of, and nothing before. */
  readonly verified: number;
  /** What must not be: one line for each. */
  readonly problems: readonly string[];
}

/** One flip of so many is verified although it was noticed before. */
const VERIFY_EVERY = 16;

self.onmessage = async ({ data }: MessageEvent<FlipTask>) => {
  self.postMessage(await run(data));
};

async function run(task: FlipTask): Promise<FlipResult> {
  const { path, bytes, offsets } = task;
  const counts = { refused: 0, harmless: 0, verified: 0 };
  const problems: string[] = [];
  for (const [index, at] of offsets.entries()) {
    const copy = bytes.slice();
    copy[at]! ^= 1 << at % 8;
    for (const suffix of ["-wal", "-shm", "-journal"]) remove(path + suffix);
    Deno.writeFileSync(path, copy);
    try {
      const outcome = await outcomeOf(task);
      if (outcome === "changed") {
        problems.push(
          `byte ${at}: the log is another one, and nothing says so`,
        );
      } else counts[outcome]++;
      if (index % VERIFY_EVERY === 0) await verify(path);
    } catch (error) {
      problems.push(`byte ${at}: ${error}`);
    }
  }
  return { ...counts, problems };
}

/** What becomes of the store; throws what is no `StoreError`. */
async function outcomeOf(
  { path, shown }: FlipTask,
): Promise<"refused" | "harmless" | "verified" | "changed"> {
  try {
    await using store = await openKvStore({ path });
    if (isSame(await showLog(store), shown)) return "harmless";
  } catch (error) {
    checkFault(error);
    return "refused";
  }
  return await verify(path) ? "verified" : "changed";
}

/** Whether verifying finds anything wrong. */
async function verify(path: string): Promise<boolean> {
  try {
    await using source = await KvVerifySource.open(path);
    return (await verifyLog(source)).faultCount > 0;
  } catch (error) {
    checkFault(error);
    return true;
  }
}

/** A fault is one of ours, of the kind that damage is. */
function checkFault(error: unknown): void {
  if (!(error instanceof StoreError)) throw error;
  if (!["corrupt", "format"].includes(error.kind)) throw error;
}

function isSame(one: ShownLog, other: ShownLog): boolean {
  return one.head === other.head && one.files.length === other.files.length &&
    JSON.stringify(one.meta) === JSON.stringify(other.meta) &&
    one.files.every(({ about, bytes }, index) => {
      const file = other.files[index]!;
      return about === file.about && bytes.length === file.bytes.length &&
        bytes.every((byte, at) => byte === file.bytes[at]);
    });
}

function remove(path: string): void {
  try {
    Deno.removeSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
