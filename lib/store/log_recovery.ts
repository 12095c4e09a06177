import { FIRST_POSITION, StoreError } from "./binlog_store.ts";
import {
  type BlockEngine,
  type BlockReads,
  type EngineState,
  type FileRecord,
  type HeadRecord,
  REMOVE_BLOCKS_MAX,
} from "./block_engine.ts";
import { checkEnd } from "./check_end.ts";
import { damageError } from "./damage_error.ts";
import { blockPlace, openSealed } from "./sealed_bytes.ts";

/** What a log begins with when it was opened. */
export interface RecoveredLog {
  /** The visible end; undefined for an empty log. */
  readonly head: HeadRecord | undefined;
  /** The visible files' records, oldest first, without gaps. */
  readonly files: readonly FileRecord[];
  /** What is before the head of the block the head is in. */
  readonly kept: Uint8Array;
  /**
   * Number of the newest of the blocks behind the head that are still there,
   * because they are too many: nothing may be written before they have gone.
   * Undefined when none is there.
   */
  readonly garbageEnd?: number | undefined;
}

/** Blocks behind the head that are removed before the log is open. */
const REMOVED_AT_ONCE = REMOVE_BLOCKS_MAX;

/**
 * Checks the end of the log, then removes what a crash left behind the head:
 * blocks and files beyond it, and the part of the head's own block that is.
 * Opening takes a bounded time: where a transaction of gigabytes left its
 * blocks, they are to go afterwards. A crash meanwhile does no harm: the next
 * opening does the same again.
 *
 * @param engine where the log is; it holds the lease
 * @param found what it found
 * @throws {StoreError} `corrupt` when what is there contradicts itself; `io`
 */
export async function recoverLog(
  engine: BlockEngine,
  found: EngineState,
): Promise<RecoveredLog> {
  const { head } = found;
  const last = head?.block ?? -1;
  const newest = found.newestBlock ?? -1;
  const garbageEnd = newest - last > REMOVED_AT_ONCE ? newest : undefined;
  if (head === undefined) {
    await engine.commit({
      blocks: [],
      files: [],
      ...(garbageEnd === undefined ? { removeBlocksFrom: 0 } : {}),
      removeFilesAfter: 0,
    });
    return { head, files: [], kept: new Uint8Array(0), garbageEnd };
  }
  const files = visibleFiles(found.files, head);
  const whole = found.tail ?? await wholeBlock(engine, head.block);
  const length = whole?.length ?? 0;
  if (whole === undefined || length < head.offset) {
    throw damageError("Cannot open the log", {
      what: `block ${head.block}, which the head is in,`,
      how: `has ${length} sound bytes, expected at least ${head.offset}`,
      fileName: files.at(-1)!.name,
      position: head.blockStartPosition,
    });
  }
  const kept = whole.slice(0, head.offset);
  await checkEnd(engine, head, files, kept);
  await engine.commit({
    blocks: [],
    tail: { block: head.block, piece: 0, bytes: kept },
    files: [],
    head,
    ...(garbageEnd === undefined
      ? { removeBlocksFrom: last }
      : { removeBlock: last }),
    removeFilesAfter: head.fileNumber,
  });
  return { head, files, kept, garbageEnd };
}

/** The bytes of a whole block; undefined when there is none that is sound. */
export async function wholeBlock(
  engine: BlockReads,
  number: number,
): Promise<Uint8Array | undefined> {
  const [stored] = await engine.readBlocks(number, 1);
  return openSealed(blockPlace(number), stored);
}

/**
 * The records up to the head's file, which have to be without gaps.
 *
 * @throws {StoreError} `corrupt` when one is missing
 */
export function visibleFiles(
  found: readonly FileRecord[],
  head: HeadRecord,
): readonly FileRecord[] {
  const files = found.filter((file) => file.number <= head.fileNumber);
  let number = head.fileNumber;
  for (const file of files.toReversed()) {
    if (file.number !== number) break;
    number--;
  }
  const newest = files.at(-1);
  if (newest === undefined || number !== files[0]!.number - 1) {
    throw corrupt(`the record of file ${number} is missing`);
  }
  if (newest.firstBlock > head.block || head.position < FIRST_POSITION) {
    throw corrupt(
      `the head is in block ${head.block} at position ${head.position}, before the file it is in`,
    );
  }
  return files;
}

function corrupt(what: string): StoreError {
  return new StoreError(
    "corrupt",
    `Cannot open the log: ${what}; kingbus verify tells what else is damaged, kingbus verify --repair makes it good as far as possible`,
  );
}
