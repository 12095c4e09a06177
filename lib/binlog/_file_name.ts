import { MalformedEventError } from "./malformed_event_error.ts";

/** Longest file name MySQL keeps (FN_REFLEN less the NUL). */
const FILE_NAME_BYTES_MAX = 511;

/** Reads the file name in a rotate or heartbeat. */
export function decodeFileName(bytes: Uint8Array, eventType: number): string {
  if (
    bytes.length === 0 || bytes.length > FILE_NAME_BYTES_MAX ||
    bytes.includes(0)
  ) {
    throw new MalformedEventError(
      `Cannot decode file name: ${bytes.length} bytes, expected 1 to ${FILE_NAME_BYTES_MAX} without NUL`,
      eventType,
    );
  }
  return new TextDecoder().decode(bytes);
}

/** Writes a file name for a rotate or heartbeat. */
export function encodeFileName(fileName: string): Uint8Array {
  const bytes = new TextEncoder().encode(fileName);
  if (
    bytes.length === 0 || bytes.length > FILE_NAME_BYTES_MAX ||
    bytes.includes(0)
  ) {
    throw new RangeError(
      `Cannot encode file name: ${bytes.length} bytes, expected 1 to ${FILE_NAME_BYTES_MAX} without NUL`,
    );
  }
  return bytes;
}
