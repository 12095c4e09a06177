import { ByteWriter } from "./byte_writer.ts";
import { PACKET_HEADER_BYTES, PART_PAYLOAD_BYTES_MAX } from "./packet.ts";

/** A payload framed for the wire. */
export interface EncodedPackets {
  /** All parts with their headers, to be written at once. */
  readonly bytes: Uint8Array;
  /** Sequence id that follows the last part's. */
  readonly nextSequenceId: number;
}

/**
 * Frames one payload, split into parts of 0xffffff bytes; a payload whose
 * length is a multiple of that gets an empty last part (MySQL internals:
 * Protocol::Packet). `sequenceId` is taken modulo 256. The payload is copied.
 */
export function encodePackets(
  payload: Uint8Array,
  sequenceId: number,
): EncodedPackets {
  const writer = new ByteWriter(framedBytes(payload.length));
  const nextSequenceId = writePackets(writer, payload, sequenceId);
  return { bytes: writer.finish(), nextSequenceId };
}

/**
 * Like {@linkcode encodePackets}, appended to what `writer` holds, for answers
 * of several packets. Answers the sequence id that follows.
 */
export function writePackets(
  writer: ByteWriter,
  payload: Uint8Array,
  sequenceId: number,
): number {
  let id = sequenceId & 0xff;
  for (let from = 0;; from += PART_PAYLOAD_BYTES_MAX) {
    const part = payload.subarray(from, from + PART_PAYLOAD_BYTES_MAX);
    writer.u24(part.length).u8(id).bytes(part);
    id = (id + 1) & 0xff;
    if (part.length < PART_PAYLOAD_BYTES_MAX) return id;
  }
}

/** Bytes on the wire of a payload of `payloadBytes` bytes. */
export function framedBytes(payloadBytes: number): number {
  const parts = Math.floor(payloadBytes / PART_PAYLOAD_BYTES_MAX) + 1;
  return payloadBytes + parts * PACKET_HEADER_BYTES;
}
