import type { HeadRecord } from "./block_engine.ts";
import type { BlockOffset } from "./block_reader.ts";
import type { BlockSource } from "./block_source.ts";
import { EventWalk } from "./event_walk.ts";

/** The blocks of one file. */
export interface BlockRange {
  /** Number of the first one. */
  readonly first: number;
  /** Number of the last one. */
  readonly last: number;
}

/** The first event that begins in a block. */
interface FirstEvent {
  readonly offset: number;
  readonly position: number;
  /** How far the block's bytes count. */
  readonly end: number;
}

/**
 * Finds the block and the offset in it where an event of a file begins.
 *
 * @param source the blocks
 * @param head the visible end when the search began
 * @param range the visible blocks of the file
 * @param position where in the file; before its visible end
 * @returns undefined when no event begins there
 * @throws {StoreError} when the blocks can't be read
 */
export async function locateEvent(
  source: BlockSource,
  head: HeadRecord,
  range: BlockRange,
  position: number,
): Promise<BlockOffset | undefined> {
  let low = range.first;
  let high = range.last;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    const start = middle === head.block
      ? head.blockStartPosition
      : (await source.summary(middle)).startPosition;
    if (start <= position) low = middle;
    else high = middle - 1;
  }
  const first = await firstEvent(source, head, low);
  if (first.offset < 0) return undefined;
  const bytes = await source.bytes(low);
  const walk = new EventWalk(
    bytes.subarray(0, first.end),
    first.offset,
    first.position,
  );
  while (walk.endPosition < position && walk.next());
  if (walk.endPosition !== position) return undefined;
  return { block: low, offset: walk.offset < 0 ? first.offset : walk.end };
}

async function firstEvent(
  source: BlockSource,
  head: HeadRecord,
  block: number,
): Promise<FirstEvent> {
  // Of the head's block some may be visible that is not whole yet.
  if (block === head.block) {
    return {
      offset: head.blockFirstEventOffset,
      position: head.blockFirstEventPosition,
      end: head.offset,
    };
  }
  const summary = await source.summary(block);
  return {
    offset: summary.firstEventOffset,
    position: summary.firstEventPosition,
    end: Infinity,
  };
}
