import { type ChecksumAlgorithm, checksumBytes } from "./checksum.ts";
import { decodeEventHeader, HEADER_BYTES } from "./event_header.ts";
import { eventTypeName } from "./event_type.ts";
import { MalformedEventError } from "./malformed_event_error.ts";

/**
 * Checks that the bytes are one whole event of a type, and returns the part
 * between the common header and the checksum as a view.
 *
 * @throws {MalformedEventError} If they are not, or the body is shorter than `minBytes`.
 */
export function eventBody(
  event: Uint8Array,
  algorithm: ChecksumAlgorithm,
  type: number,
  minBytes: number,
): Uint8Array {
  const header = decodeEventHeader(event);
  const name = eventTypeName(type);
  if (header.type !== type) {
    throw new MalformedEventError(
      `Cannot decode ${name} event: its type is ${header.type}, expected ${type}`,
      header.type,
    );
  }
  if (header.eventSize !== event.length) {
    throw new MalformedEventError(
      `Cannot decode ${name} event: it says ${header.eventSize} bytes, ${event.length} given`,
      header.type,
    );
  }
  const end = event.length - checksumBytes(algorithm);
  if (end < HEADER_BYTES + minBytes) {
    throw new MalformedEventError(
      `Cannot decode ${name} event: ${minBytes} bytes of body needed, ${
        Math.max(0, end - HEADER_BYTES)
      } given`,
      header.type,
    );
  }
  return event.subarray(HEADER_BYTES, end);
}
