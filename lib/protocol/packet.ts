/**
 * One logical packet of the client/server protocol: what its parts on the wire
 * carried, joined.
 */
export interface Packet {
  /**
   * Sequence id of the packet's last part, 0..255. The answer continues with
   * the next one.
   */
  readonly sequenceId: number;
  /**
   * The body. A view into the chunk it arrived in where it lay there in one
   * piece, so whoever keeps it for long should copy it.
   */
  readonly payload: Uint8Array;
}

/** Bytes of a part's header: length (3, little-endian) and sequence id (1). */
export const PACKET_HEADER_BYTES = 4;

/**
 * Most payload bytes a part can carry. A part this long is followed by another
 * one, an empty one if nothing is left.
 */
export const PART_PAYLOAD_BYTES_MAX = 0xffffff;
