import { compressBytes } from "./compress_bytes.ts";
import { encodeCompressedPacket } from "./compressed_packet.ts";
import type { Compression } from "./compression.ts";

/** Makes a packet of the compressed protocol, in a buffer of its own. */
export function packContent(
  content: Uint8Array,
  sequenceId: number,
  compression: Compression,
): Uint8Array<ArrayBuffer> {
  const compressed = compressBytes(content, compression);
  return compressed === undefined
    ? encodeCompressedPacket(content, sequenceId, 0)
    : encodeCompressedPacket(compressed, sequenceId, content.length);
}
