import { u16At, u32At } from "./_little_endian.ts";
import { MalformedEventError } from "./malformed_event_error.ts";

/**
 * Bytes of the common header every event of binlog version 4 begins with
 * (MySQL internals: "Binlog Event header", LOG_EVENT_HEADER_LEN).
 */
export const HEADER_BYTES = 19;

/** The common header of an event. */
export interface EventHeader {
  /** Seconds since 1970 when the statement began; 0 in artificial events. */
  readonly timestamp: number;
  /** Type code, as EventType. */
  readonly type: number;
  /** Server id of the server that first wrote the event. */
  readonly serverId: number;
  /** Bytes of the whole event, header and checksum included. */
  readonly eventSize: number;
  /** Position after the event in the file, low 32 bits; 0 in artificial events. */
  readonly logPos: number;
  /** Bits of EventFlag. */
  readonly flags: number;
}

/**
 * Reads an event's common header.
 *
 * @param bytes Where the event stands; its body need not be there.
 * @param offset Index of its first byte.
 * @returns The header.
 * @throws {MalformedEventError} If the header is cut short, or says that the event is smaller than a header.
 */
export function decodeEventHeader(bytes: Uint8Array, offset = 0): EventHeader {
  if (!(offset >= 0 && offset + HEADER_BYTES <= bytes.length)) {
    throw new MalformedEventError(
      `Cannot decode event header: ${HEADER_BYTES} bytes needed at offset ${offset}, ${bytes.length} bytes given`,
      -1,
    );
  }
  const type = eventTypeAt(bytes, offset);
  const eventSize = eventSizeAt(bytes, offset);
  if (eventSize < HEADER_BYTES) {
    throw new MalformedEventError(
      `Cannot decode event header: an event of ${eventSize} bytes is smaller than its header`,
      type,
    );
  }
  return {
    timestamp: timestampAt(bytes, offset),
    type,
    serverId: serverIdAt(bytes, offset),
    eventSize,
    logPos: logPosAt(bytes, offset),
    flags: flagsAt(bytes, offset),
  };
}

/*
 * One field each, allocating nothing, for loops over millions of events. None
 * checks bounds: the caller has seen HEADER_BYTES from `offset` on.
 */

/** Seconds since 1970, unsigned; the header must be within `bytes`. */
export function timestampAt(bytes: Uint8Array, offset: number): number {
  return u32At(bytes, offset);
}

/** Type code; the header must be within `bytes`. */
export function eventTypeAt(bytes: Uint8Array, offset: number): number {
  return bytes[offset + 4]!;
}

/** Server id, unsigned; the header must be within `bytes`. */
export function serverIdAt(bytes: Uint8Array, offset: number): number {
  return u32At(bytes, offset + 5);
}

/** Bytes of the whole event as the header says, unchecked; the header must be within `bytes`. */
export function eventSizeAt(bytes: Uint8Array, offset: number): number {
  return u32At(bytes, offset + 9);
}

/** Position after the event, low 32 bits; the header must be within `bytes`. */
export function logPosAt(bytes: Uint8Array, offset: number): number {
  return u32At(bytes, offset + 13);
}

/** Bits of EventFlag; the header must be within `bytes`. */
export function flagsAt(bytes: Uint8Array, offset: number): number {
  return u16At(bytes, offset + 17);
}
