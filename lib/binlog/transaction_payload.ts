import { zstdDecompressSync } from "node:zlib";
import { EventType } from "./event_type.ts";
import { HEADER_BYTES } from "./event_header.ts";
import { MalformedEventError } from "./malformed_event_error.ts";

// Fields in front of the payload, each as type, length and value.
const FIELD_END = 0;
const FIELD_PAYLOAD_SIZE = 1;
const FIELD_COMPRESSION = 2;
const FIELD_UNCOMPRESSED_SIZE = 3;

const COMPRESSION_ZSTD = 0;
const COMPRESSION_NONE = 255;

/** A transaction's events, compressed into one. */
export interface TransactionPayload {
  /** `ZSTD`, `NONE`, or a number that is not known. */
  readonly compression: string;
  /** Bytes of the events when they are taken out; undefined: not said. */
  readonly uncompressedSize: number | undefined;
  /** The compressed events, as far as they are given; a view. */
  readonly payload: Uint8Array;
  /** Bytes of the compressed events. */
  readonly payloadSize: number | undefined;
}

/**
 * Reads a TRANSACTION_PAYLOAD_EVENT (`Transaction_payload_event` in MySQL's
 * `codecs/binary.cpp`).
 *
 * @param event The event without its checksum, or its begin.
 * @throws {MalformedEventError} If its fields can't be read.
 */
export function decodeTransactionPayload(
  event: Uint8Array,
): TransactionPayload {
  let offset = HEADER_BYTES;
  const next = (): number => {
    const [value, after] = readNetInteger(event, offset);
    offset = after;
    return value;
  };
  let compression: number | undefined;
  let uncompressedSize: number | undefined;
  let payloadSize: number | undefined;
  for (;;) {
    const field = next();
    if (field === FIELD_END) break;
    const length = next();
    const after = offset + length;
    if (length > event.length - offset) throw malformed("a field is cut short");
    if (field === FIELD_PAYLOAD_SIZE) payloadSize = next();
    else if (field === FIELD_COMPRESSION) compression = next();
    else if (field === FIELD_UNCOMPRESSED_SIZE) uncompressedSize = next();
    offset = after;
  }
  return {
    compression: compression === COMPRESSION_ZSTD
      ? "ZSTD"
      : compression === COMPRESSION_NONE
      ? "NONE"
      : String(compression ?? "?"),
    uncompressedSize,
    payloadSize,
    payload: event.subarray(offset, offset + (payloadSize ?? event.length)),
  };
}

/**
 * Takes the events out of a payload; they have no checksums.
 *
 * @param payload As decoded, of the whole event.
 * @param bytesMax Refuses to take out more.
 * @returns The events, one after another; undefined when they are more, the
 *   payload is not whole, or its compression is not known.
 * @throws {MalformedEventError} If the payload is damaged.
 */
export function unpackTransaction(
  payload: TransactionPayload,
  bytesMax: number,
): Uint8Array | undefined {
  const { compression, uncompressedSize, payloadSize } = payload;
  if (payloadSize === undefined || payload.payload.length < payloadSize) {
    return undefined;
  }
  if (compression === "NONE") return payload.payload;
  if (compression !== "ZSTD" || (uncompressedSize ?? 0) > bytesMax) {
    return undefined;
  }
  try {
    return zstdDecompressSync(payload.payload, { maxOutputLength: bytesMax });
  } catch (cause) {
    throw malformed("it can't be decompressed", cause);
  }
}

/** An integer of MySQL's protocol with a length of its own. */
function readNetInteger(bytes: Uint8Array, offset: number): [number, number] {
  const first = bytes[offset];
  if (first === undefined) throw malformed("a field is cut short");
  if (first < 251) return [first, offset + 1];
  const size = first === 252 ? 2 : first === 253 ? 3 : first === 254 ? 8 : 0;
  if (size === 0 || offset + size >= bytes.length) {
    throw malformed("a field is cut short");
  }
  let value = 0;
  for (let at = size; at > 0; at--) value = value * 256 + bytes[offset + at]!;
  if (!Number.isSafeInteger(value)) throw malformed("a field is too large");
  return [value, offset + 1 + size];
}

function malformed(reason: string, cause?: unknown): MalformedEventError {
  return new MalformedEventError(
    `Cannot decode Transaction_payload event: ${reason}`,
    EventType.TRANSACTION_PAYLOAD,
    { cause },
  );
}
