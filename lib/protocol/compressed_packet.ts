/**
 * A packet of the compressed protocol: a piece of the stream of packets, cut
 * wherever it may be.
 */
export interface CompressedPacket {
  /** 0..255, counted apart from the ids of the packets inside. */
  readonly sequenceId: number;
  /** Length of what the payload holds; 0 if it is stored as it is. */
  readonly announcedBytes: number;
  /** A view where the packet lay in one chunk. */
  readonly payload: Uint8Array;
}

/** Bytes of the header: length (3), sequence id (1), length of the content (3). */
export const COMPRESSED_HEADER_BYTES = 7;

/** Most bytes a compressed packet can carry, before as after compression. */
export const COMPRESSED_PAYLOAD_BYTES_MAX = 0xff_ffff;

/** Shorter content is stored as it is (`MIN_COMPRESS_LENGTH` of `include/my_sys.h`). */
export const COMPRESSED_CONTENT_BYTES_MIN = 50;

/**
 * Puts the header in front of a payload (MySQL internals: Compressed Packet).
 * Throws a `RangeError` for a payload or content of more than 0xffffff bytes.
 *
 * @param payload compressed bytes, or stored ones
 * @param sequenceId taken modulo 256
 * @param contentBytes what the payload holds once it is decompressed; 0 for a
 * stored payload
 */
export function encodeCompressedPacket(
  payload: Uint8Array,
  sequenceId: number,
  contentBytes: number,
): Uint8Array<ArrayBuffer> {
  if (
    payload.length > COMPRESSED_PAYLOAD_BYTES_MAX ||
    contentBytes > COMPRESSED_PAYLOAD_BYTES_MAX
  ) {
    throw new RangeError(
      `Cannot write a compressed packet of ${payload.length} bytes for ${contentBytes}`,
    );
  }
  const bytes = new Uint8Array(COMPRESSED_HEADER_BYTES + payload.length);
  setUint24(bytes, 0, payload.length);
  bytes[3] = sequenceId;
  setUint24(bytes, 4, contentBytes);
  bytes.set(payload, COMPRESSED_HEADER_BYTES);
  return bytes;
}

function setUint24(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value;
  bytes[at + 1] = value >>> 8;
  bytes[at + 2] = value >>> 16;
}
