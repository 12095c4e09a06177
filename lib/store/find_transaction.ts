import type { Gtid } from "../gtid/gtid.ts";
import {
  type BinlogStore,
  type BlockSummary,
  FIRST_POSITION,
  type StoredFile,
} from "./binlog_store.ts";

/**
 * A position in a file where an event begins, at a transaction of the file or
 * not far before it: found by the summaries of blocks, without reading them.
 *
 * @param file has the transaction
 * @throws {StoreError} as `openReader`
 */
export function findTransaction(
  log: Pick<BinlogStore, "openReader">,
  file: StoredFile,
  { uuid, tag, gno }: Gtid,
): Promise<number> {
  return findBlock(log, file, ({ began }) => began.has(uuid, tag, gno));
}

/**
 * A position in a file where an event begins, at or not far before another
 * position: found as by `findTransaction`.
 *
 * @throws {StoreError} as `openReader`
 */
export function findEventBefore(
  log: Pick<BinlogStore, "openReader">,
  file: StoredFile,
  position: number,
): Promise<number> {
  return findBlock(log, file, ({ endPosition }) => endPosition > position);
}

/** The last event known to begin in front of the block, or in it. */
async function findBlock(
  log: Pick<BinlogStore, "openReader">,
  file: StoredFile,
  isWanted: (summary: BlockSummary) => boolean,
): Promise<number> {
  const start = { fileNumber: file.number, position: FIRST_POSITION };
  const reader = await log.openReader(start);
  let position = FIRST_POSITION;
  for (;;) {
    const summary = await reader.peek();
    // The block the log ends in has none.
    if (summary === undefined || isWanted(summary)) return position;
    if (summary.firstEventOffset >= 0) position = summary.firstEventPosition;
    if (!summary.endsInside) position = summary.endPosition;
    reader.skip();
  }
}
