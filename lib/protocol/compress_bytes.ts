import { constants, deflateSync, zstdCompressSync } from "node:zlib";
import { COMPRESSED_CONTENT_BYTES_MIN } from "./compressed_packet.ts";
import type { Compression } from "./compression.ts";

/** More than either algorithm ever adds: one allocation takes all output. */
const ROOM_BYTES = 1024;

/** `ZSTD_WINDOWLOG_MIN`. */
const WINDOW_LOG_MIN = 10;

/**
 * Compresses the content of one packet; `undefined` if it is to be stored as it
 * is, because it is short or does not get shorter.
 */
export function compressBytes(
  bytes: Uint8Array,
  { algorithm, level }: Compression,
): Uint8Array | undefined {
  if (bytes.length < COMPRESSED_CONTENT_BYTES_MIN) return undefined;
  const chunkSize = bytes.length + ROOM_BYTES;
  const output = algorithm === "zlib"
    ? deflateSync(bytes, { level, chunkSize })
    : zstdCompressSync(bytes, {
      chunkSize,
      params: {
        [constants.ZSTD_c_compressionLevel]: level,
        [constants.ZSTD_c_windowLog]: windowLog(bytes.length),
      },
    });
  return output.length < bytes.length ? output : undefined;
}

/** The smallest window that has all of it: tables for a larger one cost time. */
function windowLog(bytes: number): number {
  return Math.max(WINDOW_LOG_MIN, Math.ceil(Math.log2(bytes)));
}
