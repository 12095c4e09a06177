import { constants, deflateSync, zstdCompressSync } from "node:zlib";
import { COMPRESSED_CONTENT_BYTES_MIN } from "./compressed_packet.ts";
import type { Compression } from "./compression.ts";

/** More than either algorithm ever adds: one allocation takes all output. */
const ROOM_BYTES = 1024;

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
      params: { [constants.ZSTD_c_compressionLevel]: level },
    });
  return output.length < bytes.length ? output : undefined;
}
