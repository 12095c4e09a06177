import { encodePackets } from "../../lib/protocol/packet_encoder.ts";
import { joinBytes } from "./dump_packets.ts";

/** An event of a semi-synchronous dump. */
export interface SemiSyncEvent {
  readonly event: Uint8Array;
  /** Whether the source wants it acknowledged. */
  readonly asks: boolean;
}

/**
 * Frames events as a source sends them in a semi-synchronous dump: each behind
 * the magic number and flags, and sequence ids from 1 on again after one that
 * is to be acknowledged.
 *
 * @param events whole events
 * @param sequenceId of the first packet
 */
export function semiSyncPackets(
  events: readonly SemiSyncEvent[],
  sequenceId = 1,
): Uint8Array {
  const parts: Uint8Array[] = [];
  let id = sequenceId;
  for (const { event, asks } of events) {
    const payload = new Uint8Array(event.length + 3);
    payload.set([0, 0xef, asks ? 1 : 0]);
    payload.set(event, 3);
    const encoded = encodePackets(payload, id);
    parts.push(encoded.bytes);
    id = asks ? 1 : encoded.nextSequenceId;
  }
  return joinBytes(parts);
}
