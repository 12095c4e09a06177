/** Bytes of a packet header: length and sequence id. */
export const PACKET_HEADER_BYTES = 4;

/** Packet header and status byte in front of an event. */
export const FRAME_BYTES = PACKET_HEADER_BYTES + 1;

/** A packet of this length is followed by another one of the same event. */
export const PACKET_PAYLOAD_BYTES_MAX = 0xff_ffff;
