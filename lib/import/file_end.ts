import { checksumBytes } from "../binlog/checksum.ts";
import { eventTypeAt, HEADER_BYTES } from "../binlog/event_header.ts";
import { EventType } from "../binlog/event_type.ts";
import { decodeRotate } from "../binlog/rotate.ts";
import {
  type BinlogStore,
  FIRST_POSITION,
  type StoredFile,
  StoreError,
} from "../store/binlog_store.ts";
import { FRAME_BYTES } from "../store/framing.ts";

/** Bytes of a rotate event between its header and the name. */
const ROTATE_POSITION_BYTES = 8;

/**
 * How a stored file ends:
 * - `rotates`: with a rotate to the file asked about;
 * - `rotates-elsewhere`: with a rotate to another one;
 * - `stops`: as a server ends its file when it is stopped;
 * - `open`: with any other event, as when more was to come.
 */
export type FileEnd = "rotates" | "rotates-elsewhere" | "stops" | "open";

/**
 * Looks how the visible part of a stored file ends. (A rotate event is known by
 * its size, which the length of the name gives; all names of a server are of one
 * length until their numbers have seven digits.)
 *
 * @param next name of the file that may come after it
 * @throws {StoreError} when the log can't be read
 */
export async function fileEnd(
  store: BinlogStore,
  file: StoredFile,
  next: string,
): Promise<FileEnd> {
  const trailer = checksumBytes(file.checksumAlgorithm);
  const nameBytes = new TextEncoder().encode(next).length;
  const rotate = await eventBefore(
    store,
    file,
    HEADER_BYTES + ROTATE_POSITION_BYTES + nameBytes + trailer,
  );
  if (rotate !== undefined && eventTypeAt(rotate, 0) === EventType.ROTATE) {
    const { fileName } = decodeRotate(rotate, file.checksumAlgorithm);
    return fileName === next ? "rotates" : "rotates-elsewhere";
  }
  const stop = await eventBefore(store, file, HEADER_BYTES + trailer);
  return stop !== undefined && eventTypeAt(stop, 0) === EventType.STOP
    ? "stops"
    : "open";
}

/** The last event, if it has that many bytes. */
async function eventBefore(
  store: BinlogStore,
  file: StoredFile,
  bytes: number,
): Promise<Uint8Array | undefined> {
  const position = file.size - bytes;
  if (position < FIRST_POSITION) return undefined;
  try {
    const reader = await store.openReader({
      fileNumber: file.number,
      position,
    });
    const slice = await reader.next();
    return slice?.bytes.slice(FRAME_BYTES, FRAME_BYTES + bytes);
  } catch (error) {
    const none = error instanceof StoreError &&
      error.kind === "position-inside-event";
    if (none) return undefined;
    throw error;
  }
}
