import { crc32 as zlibCrc32 } from "node:zlib";
import { putU32, u32At } from "./_little_endian.ts";
import { eventTypeAt, flagsAt, HEADER_BYTES } from "./event_header.ts";
import { EventFlag, EventType } from "./event_type.ts";
import { MalformedEventError } from "./malformed_event_error.ts";

/**
 * How the events of a file end: with nothing, or with the CRC-32 of what stands
 * before (`enum_binlog_checksum_alg` in MySQL's source).
 */
export type ChecksumAlgorithm = "none" | "crc32";

/** Bytes of the checksum at the end of an event. */
export const CHECKSUM_BYTES = 4;

/** Index, in an event, of the byte that holds the in-use flag. */
const FLAGS_OFFSET = 17;

/** Bytes at the end of an event that are checksum: 4 or 0. */
export function checksumBytes(algorithm: ChecksumAlgorithm): number {
  return algorithm === "crc32" ? CHECKSUM_BYTES : 0;
}

/**
 * Computes the CRC-32 of zlib.
 *
 * @param bytes Any bytes.
 * @returns Unsigned.
 */
export function crc32(bytes: Uint8Array): number {
  return zlibCrc32(bytes);
}

/**
 * Says whether an event that ends with a checksum ends with the right one.
 *
 * @param event The whole event, and nothing else.
 * @returns True if the last four bytes are the CRC-32 of the others. False also
 *   for an event too short to have a checksum.
 */
export function eventChecksumOk(event: Uint8Array): boolean {
  const end = event.length - CHECKSUM_BYTES;
  return end >= HEADER_BYTES && u32At(event, end) === eventCrc(event, end);
}

/**
 * Puts the right checksum into the last four bytes of an event.
 *
 * @param event The whole event with room for the checksum; changed in place.
 * @throws {MalformedEventError} If it is too short to have a checksum.
 */
export function writeEventChecksum(event: Uint8Array): void {
  const end = event.length - CHECKSUM_BYTES;
  if (end < HEADER_BYTES) {
    throw new MalformedEventError(
      `Cannot write checksum: an event of ${event.length} bytes has no room for it`,
      event.length > 4 ? eventTypeAt(event, 0) : -1,
    );
  }
  putU32(event, end, eventCrc(event, end));
}

function eventCrc(event: Uint8Array, end: number): number {
  // MySQL clears the in-use flag in place when it closes a file, and leaves the
  // checksum as it is: a format description is summed as if the flag were clear.
  if (
    eventTypeAt(event, 0) === EventType.FORMAT_DESCRIPTION &&
    (flagsAt(event, 0) & EventFlag.BINLOG_IN_USE) !== 0
  ) {
    const copy = event.slice(0, end);
    copy[FLAGS_OFFSET] = event[FLAGS_OFFSET]! & ~EventFlag.BINLOG_IN_USE;
    return zlibCrc32(copy);
  }
  return zlibCrc32(event.subarray(0, end));
}
