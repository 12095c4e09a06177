import { Capability, hasCapability } from "./capability.ts";

/** The ways in which a connection can be compressed. */
export const COMPRESSION_ALGORITHMS = ["zlib", "zstd"] as const;

/** One of {@linkcode COMPRESSION_ALGORITHMS}. */
export type CompressionAlgorithm = typeof COMPRESSION_ALGORITHMS[number];

/** How a connection is compressed, in both directions. */
export interface Compression {
  readonly algorithm: CompressionAlgorithm;
  /** 6 with zlib; 1..22 with zstd, as the client asks. */
  readonly level: number;
}

/** Level of zlib, which no client can ask for another one (`mysys/my_compress.cc`). */
export const ZLIB_LEVEL = 6;

/** Level of zstd where nobody asks for another one (`include/compression.h`). */
export const ZSTD_LEVEL_DEFAULT = 3;

const ZSTD_LEVEL_MAX = 22;

/** True for the levels of zstd that a client may ask for. */
export function isZstdLevel(level: number): boolean {
  return Number.isInteger(level) && level >= 1 && level <= ZSTD_LEVEL_MAX;
}

/** The capability flags that stand for algorithms. */
export function compressionCapabilities(
  algorithms: readonly CompressionAlgorithm[],
): number {
  let flags = 0;
  if (algorithms.includes("zlib")) flags |= Capability.COMPRESS;
  if (algorithms.includes("zstd")) flags |= Capability.ZSTD_COMPRESSION;
  return flags >>> 0;
}

/**
 * What both sides have agreed on with the login; `undefined` for nothing. With
 * both flags zlib is meant, as in `sql-common/client.cc` and
 * `sql/auth/sql_authentication.cc`.
 *
 * @param capabilities common ones of both sides
 * @param zstdLevel from the handshake response; of no meaning for zlib
 */
export function agreedCompression(
  capabilities: number,
  zstdLevel: number | undefined,
): Compression | undefined {
  if (hasCapability(capabilities, Capability.COMPRESS)) {
    return { algorithm: "zlib", level: ZLIB_LEVEL };
  }
  if (hasCapability(capabilities, Capability.ZSTD_COMPRESSION)) {
    return { algorithm: "zstd", level: zstdLevel ?? ZSTD_LEVEL_DEFAULT };
  }
  return undefined;
}
