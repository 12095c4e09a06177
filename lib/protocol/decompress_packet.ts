import { constants, inflateSync, zstdDecompressSync } from "node:zlib";
import type { CompressedPacket } from "./compressed_packet.ts";
import type { CompressionAlgorithm } from "./compression.ts";
import { ErrorCode } from "./error_code.ts";
import { ProtocolError } from "./protocol_error.ts";

/**
 * Output is collected in pieces of at most this size, so that nothing larger is
 * allocated because a header says so.
 */
const PIECE_BYTES_MAX = 256 * 1024;
/** Smallest piece that zlib takes. */
const PIECE_BYTES_MIN = 64;
/** A packet holds less than 2^24 bytes, so that no larger window is of any use. */
const ZSTD_WINDOW_LOG_MAX = 24;

/**
 * What a compressed packet holds. Decompression ends where it would go beyond
 * the length that the packet announces.
 *
 * @throws {ProtocolError} 1157 if it isn't compressed that way, or holds more or
 * less than it announces
 */
export function decompressPacket(
  { announcedBytes, payload }: CompressedPacket,
  algorithm: CompressionAlgorithm,
): Uint8Array {
  if (announcedBytes === 0) return payload;
  const bytes = decompress(payload, announcedBytes, algorithm);
  if (bytes.length !== announcedBytes) {
    throw undecodable(
      `holds ${bytes.length} bytes where ${announcedBytes} are announced`,
    );
  }
  return bytes;
}

function decompress(
  payload: Uint8Array,
  announcedBytes: number,
  algorithm: CompressionAlgorithm,
): Uint8Array {
  const limits = {
    maxOutputLength: announcedBytes,
    chunkSize: Math.max(
      PIECE_BYTES_MIN,
      Math.min(announcedBytes, PIECE_BYTES_MAX),
    ),
  };
  try {
    const { buffer, byteOffset, length } = algorithm === "zlib"
      ? inflateSync(payload, limits)
      : zstdDecompressSync(payload, {
        ...limits,
        params: { [constants.ZSTD_d_windowLogMax]: ZSTD_WINDOW_LOG_MAX },
      });
    return new Uint8Array(buffer, byteOffset, length);
  } catch (cause) {
    const detail = cause instanceof RangeError
      ? `holds more than the ${announcedBytes} bytes it announces`
      : `of ${payload.length} bytes is not compressed with ${algorithm}`;
    throw undecodable(detail, cause);
  }
}

function undecodable(detail: string, cause?: unknown): ProtocolError {
  return new ProtocolError(
    ErrorCode.ER_NET_UNCOMPRESS_ERROR,
    `Couldn't uncompress communication packet: a packet ${detail}`,
    { cause },
  );
}
