import {
  FIRST_POSITION,
  type LogPosition,
  type StoredFile,
  StoreError,
} from "./binlog_store.ts";
import type { HeadRecord } from "./block_engine.ts";
import {
  type BlockOffset,
  BlockReader,
  type ReaderHost,
} from "./block_reader.ts";
import { locateEvent } from "./locate_event.ts";

/**
 * A reader of a log in blocks that begins at `start`.
 *
 * @param host the log
 * @param head its visible end; undefined while it is empty
 * @param start where to begin
 * @throws {StoreError} as `BinlogStore.openReader`
 */
export async function openBlockReader(
  host: ReaderHost,
  head: HeadRecord | undefined,
  start: LogPosition,
): Promise<BlockReader> {
  const file = host.file(start.fileNumber);
  if (file === undefined || head === undefined) {
    throw new StoreError(
      "unknown-file",
      `Cannot read file ${start.fileNumber} of the log: there is none`,
    );
  }
  checkPosition(file, start.position);
  const found = await locate(host, file, head, start.position);
  return new BlockReader(host, file, found);
}

/** The block and the offset in it where the event at `position` begins. */
async function locate(
  host: ReaderHost,
  file: StoredFile,
  head: HeadRecord,
  position: number,
): Promise<BlockOffset> {
  const next = host.file(file.number + 1);
  if (position === FIRST_POSITION) {
    return { block: file.firstBlock, offset: 0 };
  }
  // At the end no event begins that a search could find.
  if (position === file.size) {
    return next === undefined ? head : { block: next.firstBlock, offset: 0 };
  }
  const found = await locateEvent(host.source, head, {
    first: file.firstBlock,
    last: next === undefined ? head.block : next.firstBlock - 1,
  }, position);
  if (found !== undefined) return found;
  throw new StoreError(
    "position-inside-event",
    `Cannot read ${file.name} from position ${position}: no event begins there`,
  );
}

function checkPosition(file: StoredFile, position: number): void {
  if (position < FIRST_POSITION) {
    throw new StoreError(
      "position-before-start",
      `Cannot read ${file.name} from position ${position}: it begins at ${FIRST_POSITION}`,
    );
  }
  if (position > file.size) {
    throw new StoreError(
      "position-after-end",
      `Cannot read ${file.name} from position ${position}: it ends at ${file.size}`,
    );
  }
}
