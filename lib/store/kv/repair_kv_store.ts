import { GtidSet } from "../../gtid/gtid_set.ts";
import { MariadbGtidState } from "../../gtid/mariadb_gtid_state.ts";
import { StoreError } from "../binlog_store.ts";
import {
  type BlockWrite,
  COMMIT_BYTES_MAX,
  COMMIT_FILES_MAX,
  type FileRecord,
  type HeadRecord,
  REMOVE_BLOCKS_MAX,
} from "../block_engine.ts";
import {
  blockPlace,
  openSealed,
  sealBytes,
  summaryPlace,
} from "../sealed_bytes.ts";
import { encodeSummary } from "../summary_codec.ts";
import { verifyLog } from "../verify/verify_log.ts";
import type { VerifyOptions } from "../verify/verify_options.ts";
import type { RepairPlan, VerifyReport } from "../verify/verify_report.ts";
import type { FoundRecords } from "../verify/verify_source.ts";
import { KvEngine } from "./kv_engine.ts";
import { KvVerifySource } from "./kv_verify_source.ts";
import { takeLock } from "./take_lock.ts";
import { removeUnreadableRecords } from "./value_types.ts";
import { whileLocked } from "./while_locked.ts";

/** The most bytes that the keys of a block and its summary take. */
const KEY_BYTES = 64;

/** A file of which a repair removed something. */
export interface RemovedPart {
  /** The file's name. */
  readonly file: string;
  /** Where it ends now; 0 when it is gone. */
  readonly from: number;
  /** Where it ended before; undefined when that is not known. */
  readonly to: number | undefined;
}

/** What a repair did. */
export interface RepairResult {
  /** What was wrong before. */
  readonly before: VerifyReport;
  /** What is wrong now: nothing. */
  readonly after: VerifyReport;
  /** What of which files was removed, oldest first. */
  readonly removed: readonly RemovedPart[];
  /** How many bytes of binlog that is, as far as it is known. */
  readonly removedBytes: number;
  /** The GTIDs of the transactions in it, as far as they are known. */
  readonly removedGtids: GtidSet;
  /**
   * In a log of MariaDB: its states before and now, as text, where they differ;
   * undefined else.
   */
  readonly wentBack:
    | { readonly from: string; readonly to: string }
    | undefined;
  /** Names of values beside the log that were removed. */
  readonly removedMeta: readonly string[];
  /** How many file records and summaries were written anew. */
  readonly rebuilt: number;
  /** Where the log ends now: file and position; undefined when it is empty. */
  readonly end:
    | { readonly file: string; readonly position: number }
    | undefined;
}

/**
 * Makes a damaged store sound: writes records anew that the blocks tell, and
 * takes the log back to the last whole transaction before the first damage that
 * can't be made good. What comes behind that goes, so that there is never a
 * hole. Nobody else may have the store open.
 *
 * @returns undefined when nothing is wrong
 * @throws {StoreError} `locked`, `format`, `corrupt` when the database itself
 * can't be read or written, `io`
 */
export async function repairKvStore(
  path: string,
  options: VerifyOptions = {},
): Promise<RepairResult | undefined> {
  using _lock = await lockForRepair(path);
  const found = await inspectReadable(path, options);
  const { report, records } = found;
  if (report.plan === undefined) return undefined;
  const kv = await whileLocked(() => Deno.openKv(path));
  const engine = new KvEngine(kv, `pid ${Deno.pid}, repair`);
  try {
    await carryOut(engine, report.plan, records);
  } finally {
    await engine.close();
  }
  const after = await inspect(path, {
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
  if (after.report.faultCount > 0) {
    throw new StoreError(
      "corrupt",
      `Cannot repair the store ${path}: after the repair there is still damage: ${
        after.report.faults[0]!.message
      }; give kingbus another data-dir`,
    );
  }
  return {
    before: report,
    after: after.report,
    ...describe(records, report.plan),
  };
}

/** As `inspect`, of a store that Deno KV may not be able to read yet. */
async function inspectReadable(
  path: string,
  options: VerifyOptions,
): Promise<{ report: VerifyReport; records: FoundRecords }> {
  try {
    return await inspect(path, options);
  } catch (error) {
    if (!(error instanceof StoreError) || error.kind !== "corrupt") throw error;
    try {
      removeUnreadableRecords(path);
    } catch {
      // Worse than that; what is wrong was said already.
      throw error;
    }
  }
  return await inspect(path, options);
}

async function inspect(
  path: string,
  options: VerifyOptions,
): Promise<{ report: VerifyReport; records: FoundRecords }> {
  await using source = await KvVerifySource.open(path);
  const records = await source.records();
  return { report: await verifyLog(source, options), records };
}

async function carryOut(
  engine: KvEngine,
  plan: RepairPlan,
  records: FoundRecords,
): Promise<void> {
  const { head } = plan;
  const newest = await engine.salvage();
  await engine.restore(records.damagedMeta, head === undefined);
  if (head === undefined) {
    await removeFrom(engine, 0, newest);
    await engine.commit({
      blocks: [],
      files: [],
      removeBlocksFrom: 0,
      removeFilesAfter: 0,
    });
    return;
  }
  const kept = await bytesUpTo(engine, head, plan);
  for await (const blocks of summaryWrites(engine, plan)) {
    await engine.commit({ blocks, files: [] });
  }
  for (let at = 0; at < plan.files.length; at += COMMIT_FILES_MAX) {
    const files = plan.files.slice(at, at + COMMIT_FILES_MAX);
    await engine.commit({ blocks: [], files });
  }
  await engine.commit({
    blocks: [],
    tail: { block: head.block, piece: 0, bytes: kept },
    files: [],
    head,
    removeBlocksFrom: head.block,
    removeFilesAfter: head.fileNumber,
  });
  // Summaries do not tell of all blocks where some are lost.
  await removeFrom(engine, head.block, newest);
}

async function removeFrom(
  engine: KvEngine,
  first: number,
  last: number,
): Promise<void> {
  for (let at = first; at <= last; at += REMOVE_BLOCKS_MAX) {
    await engine.removeBlocks(at, Math.min(REMOVE_BLOCKS_MAX, last + 1 - at));
  }
}

/** What is before the new head of the block that it is in. */
async function bytesUpTo(
  engine: KvEngine,
  head: HeadRecord,
  plan: RepairPlan,
): Promise<Uint8Array> {
  const [stored] = await engine.readBlocks(head.block, 1);
  const whole = openSealed(blockPlace(head.block), stored);
  const bytes = whole ?? plan.tail ?? new Uint8Array(0);
  return bytes.slice(0, head.offset);
}

/** Blocks with the summaries they are to have, commit by commit. */
async function* summaryWrites(
  engine: KvEngine,
  plan: RepairPlan,
): AsyncGenerator<BlockWrite[]> {
  let blocks: BlockWrite[] = [];
  let bytes = 0;
  for (const [number, summary] of plan.summaries) {
    const [stored] = await engine.readBlocks(number, 1);
    const sealed = sealBytes(summaryPlace(number), encodeSummary(summary));
    const more = stored!.length + sealed.length + KEY_BYTES;
    if (bytes + more > COMMIT_BYTES_MAX) {
      yield blocks;
      blocks = [];
      bytes = 0;
    }
    bytes += more;
    blocks.push({ number, bytes: stored!, summary: sealed });
  }
  if (blocks.length > 0) yield blocks;
}

/** What a plan took away from what was found. */
function describe(
  records: FoundRecords,
  plan: RepairPlan,
): Omit<RepairResult, "before" | "after"> {
  const head = valueOf(records.head);
  const files = [...records.files.values()].map(valueOf).filter((file) =>
    file !== undefined &&
    (head === undefined || file.number <= head.fileNumber)
  ) as FileRecord[];
  const removed = files.flatMap((file) => removedOf(file, head, plan.head));
  const executed = head === undefined
    ? new GtidSet()
    : GtidSet.decode(head.executed);
  const left = plan.head && GtidSet.decode(plan.head.executed);
  const last = plan.files.findLast(({ number }) =>
    number === plan.head?.fileNumber
  );
  return {
    removed,
    removedBytes: removed.reduce(
      (sum, { from, to }) => sum + (to === undefined ? 0 : to - from),
      0,
    ),
    removedGtids: left === undefined ? executed : executed.subtract(left),
    wentBack: wentBack(head, plan.head),
    removedMeta: records.damagedMeta,
    rebuilt: plan.files.length + plan.summaries.size,
    end: plan.head && {
      file: last?.name ??
        files.find(({ number }) => number === plan.head!.fileNumber)!.name,
      position: plan.head.position,
    },
  };
}

function wentBack(
  before: HeadRecord | undefined,
  after: HeadRecord | undefined,
): { from: string; to: string } | undefined {
  if (before?.mariadb === undefined) return undefined;
  const from = MariadbGtidState.decode(before.mariadb);
  const to = MariadbGtidState.decode(after?.mariadb ?? new Uint8Array());
  return from.equals(to) ? undefined : { from: `${from}`, to: `${to}` };
}

function removedOf(
  file: FileRecord,
  before: HeadRecord | undefined,
  after: HeadRecord | undefined,
): RemovedPart[] {
  const isLast = file.number === before?.fileNumber;
  const to = isLast ? before!.position : file.closed ? file.size : undefined;
  const number = after?.fileNumber ?? 0;
  if (file.number > number) return [{ file: file.name, from: 0, to }];
  const from = after!.position;
  if (file.number < number || to === undefined || to <= from) return [];
  return [{ file: file.name, from, to }];
}

function valueOf<T>(
  found: { readonly value: T } | { readonly fault: string } | undefined,
): T | undefined {
  return found !== undefined && "value" in found ? found.value : undefined;
}

async function lockForRepair(path: string): Promise<Deno.FsFile> {
  try {
    return await takeLock(path);
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    const message = `Cannot repair the store ${path}: ${error.message}`;
    throw new StoreError(error.kind, message, { cause: error });
  }
}
