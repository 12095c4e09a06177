import { encodePackets } from "../../lib/protocol/packet_encoder.ts";

/**
 * Frames events as a source sends them in a dump: status byte, packet headers,
 * sequence ids that run on.
 *
 * @param events whole events
 * @param sequenceId of the first packet
 */
export function dumpPackets(
  events: readonly Uint8Array[],
  sequenceId = 1,
): Uint8Array {
  const parts: Uint8Array[] = [];
  let id = sequenceId;
  for (const event of events) {
    const payload = new Uint8Array(event.length + 1);
    payload.set(event, 1);
    const encoded = encodePackets(payload, id);
    parts.push(encoded.bytes);
    id = encoded.nextSequenceId;
  }
  return joinBytes(parts);
}

/** Joins byte strings. */
export function joinBytes(parts: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(
    parts.reduce((sum, part) => sum + part.length, 0),
  );
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

/** A packet as it stood in a stream: its sequence id and payload. */
export interface SeenPacket {
  readonly sequenceId: number;
  readonly payload: Uint8Array;
}

/** Takes a stream of packets apart; large payloads stay in their parts. */
export function splitPackets(stream: Uint8Array): SeenPacket[] {
  const packets: SeenPacket[] = [];
  let at = 0;
  while (at < stream.length) {
    const length = stream[at]! | stream[at + 1]! << 8 | stream[at + 2]! << 16;
    packets.push({
      sequenceId: stream[at + 3]!,
      payload: stream.subarray(at + 4, at + 4 + length),
    });
    at += 4 + length;
  }
  return packets;
}

/** Cuts bytes at random places, one byte and empty pieces included. */
export function randomChunks(
  bytes: Uint8Array,
  next: (max: number) => number,
): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  for (let at = 0; at < bytes.length;) {
    const size = [1, 3, 40, 700, 70_000][next(4)]!;
    // A copy, so that whoever keeps a view of it is found out.
    chunks.push(bytes.slice(at, at + size));
    at += size;
  }
  return chunks;
}
