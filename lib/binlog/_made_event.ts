import { putU16, putU32 } from "./_little_endian.ts";
import {
  type ChecksumAlgorithm,
  checksumBytes,
  writeEventChecksum,
} from "./checksum.ts";
import { type EventHeader, HEADER_BYTES } from "./event_header.ts";

/** Puts header, body and checksum of an event of ours together. */
export function makeEvent(
  header: Omit<EventHeader, "eventSize">,
  body: Uint8Array,
  algorithm: ChecksumAlgorithm,
): Uint8Array {
  const event = new Uint8Array(
    HEADER_BYTES + body.length + checksumBytes(algorithm),
  );
  putU32(event, 0, header.timestamp);
  event[4] = header.type;
  putU32(event, 5, header.serverId);
  putU32(event, 9, event.length);
  putU32(event, 13, header.logPos);
  putU16(event, 17, header.flags);
  event.set(body, HEADER_BYTES);
  if (algorithm === "crc32") writeEventChecksum(event);
  return event;
}
