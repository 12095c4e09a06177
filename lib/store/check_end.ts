import { FIRST_POSITION, type StoreError } from "./binlog_store.ts";
import { describeStored } from "./block_cache.ts";
import type { BlockReads, FileRecord, HeadRecord } from "./block_engine.ts";
import { damageError } from "./damage_error.ts";
import { EventWalk } from "./event_walk.ts";
import { blockPlace, openSealed, summaryPlace } from "./sealed_bytes.ts";
import { decodeSummary } from "./summary_codec.ts";

/** Whole blocks before the head that are looked at: as many as one commit has. */
const BLOCKS_MAX = 16;

/**
 * Looks at the end of a log before anything is done with it, in a time that
 * does not depend on how long the log is: the files' records, and whether the
 * last blocks are sound, follow each other and end exactly at the head.
 *
 * @param engine where the blocks are
 * @param head the visible end
 * @param files the visible files' records, oldest first
 * @param kept what is before the head of the block that the head is in
 * @throws {StoreError} `corrupt`, with file and position; `io`
 */
export async function checkEnd(
  engine: BlockReads,
  head: HeadRecord,
  files: readonly FileRecord[],
  kept: Uint8Array,
): Promise<void> {
  checkFiles(head, files);
  const first = Math.max(files[0]!.firstBlock, head.block - BLOCKS_MAX);
  const count = head.block - first;
  const fileOf = (block: number): FileRecord =>
    files.findLast(({ firstBlock }) => firstBlock <= block)!;
  let position = fileOf(first).firstBlock === first
    ? FIRST_POSITION
    : undefined;
  const [blocks, summaries] = count === 0 ? [[], []] : await Promise.all([
    engine.readBlocks(first, count),
    engine.readSummaries(first, count),
  ]);
  for (let block = first; block < head.block; block++) {
    const file = fileOf(block);
    const index = block - first;
    const stored = summaries[index];
    const opened = openSealed(summaryPlace(block), stored);
    if (opened === undefined) {
      const how = describeStored(stored);
      throw damaged(`the summary of block ${block}`, how, file, position);
    }
    const { startPosition, endPosition, fileNumber } = decodeSummary(opened);
    if (openSealed(blockPlace(block), blocks[index]) === undefined) {
      const how = describeStored(blocks[index]);
      throw damaged(`block ${block}`, how, file, startPosition);
    }
    if (
      fileNumber !== file.number ||
      startPosition !== (position ?? startPosition)
    ) {
      throw damaged(
        `block ${block}`,
        `says that it begins at position ${startPosition} of file ${fileNumber}`,
        file,
        position,
      );
    }
    position = endPosition;
    if (fileOf(block + 1) === file) continue;
    if (file.size !== endPosition) {
      throw damaged(
        `the file ${file.name}`,
        `ends at position ${endPosition}, its record says ${file.size}`,
        file,
        endPosition,
      );
    }
    position = FIRST_POSITION;
  }
  if (position !== undefined && position !== head.blockStartPosition) {
    throw damaged(
      `block ${head.block}, which the head is in,`,
      `begins at position ${position}, the head says ${head.blockStartPosition}`,
      files.at(-1)!,
      position,
    );
  }
  checkHeadBlock(head, files, kept);
}

/** Files end where they are not gone on with, and begin in order. */
function checkFiles(head: HeadRecord, files: readonly FileRecord[]): void {
  for (const [index, file] of files.entries()) {
    const next = files[index + 1];
    if (next === undefined) return;
    if (!file.closed || file.size <= FIRST_POSITION) {
      throw damaged(
        `the record of file ${file.number}`,
        "says that the file goes on, there are later ones",
        file,
      );
    }
    if (next.firstBlock <= file.firstBlock || next.firstBlock > head.block) {
      throw damaged(
        `the record of file ${next.number}`,
        `says that the file begins in block ${next.firstBlock}, ${file.name} in block ${file.firstBlock}, the head is in block ${head.block}`,
        next,
      );
    }
  }
}

/** The events of the head's block end at the head. */
function checkHeadBlock(
  head: HeadRecord,
  files: readonly FileRecord[],
  kept: Uint8Array,
): void {
  if (head.blockFirstEventOffset < 0) return;
  const walk = new EventWalk(
    kept,
    head.blockFirstEventOffset,
    head.blockFirstEventPosition,
  );
  while (walk.next());
  if (walk.endPosition === head.position && !walk.isCut) return;
  throw damaged(
    `block ${head.block}, which the head is in,`,
    `ends at position ${walk.endPosition}, the head says ${head.position}`,
    files.at(-1)!,
    head.blockStartPosition,
  );
}

function damaged(
  what: string,
  how: string,
  file: FileRecord,
  position?: number,
): StoreError {
  return damageError("the log is damaged", {
    what,
    how,
    fileName: file.name,
    position,
  });
}
