import { putU32 } from "./_little_endian.ts";
import { CHECKSUM_BYTES } from "./checksum.ts";
import { crc32At } from "./crc32_at.ts";

/** Offset of the end position in the common header. */
const LOG_POS_OFFSET = 13;

/**
 * Gives an event its place in another file than the one it was written to: the
 * position after it, and the checksum that follows from that. Nothing else of
 * an event depends on where it stands.
 *
 * @param bytes Where the event stands; changed in place.
 * @param at Index of its first byte.
 * @param size Bytes of the whole event; all of them must be there.
 * @param endPosition Position after it in its new file; its low 32 bits are
 *   written, as in every event.
 * @param trailerBytes Bytes of the checksum it ends with: 4 or 0.
 */
export function moveEvent(
  bytes: Uint8Array,
  at: number,
  size: number,
  endPosition: number,
  trailerBytes: number,
): void {
  moveEventHeader(bytes, at, endPosition);
  if (trailerBytes === 0) return;
  const summed = size - CHECKSUM_BYTES;
  putU32(bytes, at + summed, crc32At(bytes, at, summed));
}

/**
 * As {@linkcode moveEvent}, for an event that comes in parts: writes the
 * position alone. The checksum has to be made when the last part is there.
 *
 * @param bytes Where the event's header stands; changed in place.
 * @param at Index of its first byte.
 * @param endPosition Position after the event in its new file.
 */
export function moveEventHeader(
  bytes: Uint8Array,
  at: number,
  endPosition: number,
): void {
  putU32(bytes, at + LOG_POS_OFFSET, endPosition);
}
