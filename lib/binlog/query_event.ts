import { eventBody } from "./_event_body.ts";
import { u16At, u32At } from "./_little_endian.ts";
import type { ChecksumAlgorithm } from "./checksum.ts";
import { HEADER_BYTES } from "./event_header.ts";
import { EventType } from "./event_type.ts";
import { MalformedEventError } from "./malformed_event_error.ts";

// Post-header (`Query_event` in MySQL's `statement_events.h`): thread id 4,
// execution time 4, length of the schema 1, error 2, length of the status
// variables 2. Then status variables, schema, NUL, statement.
const SCHEMA_LENGTH_OFFSET = 8;
const STATUS_LENGTH_OFFSET = 11;
const POST_HEADER_BYTES = 13;

/** A QUERY_EVENT: a statement, or the BEGIN, COMMIT or ROLLBACK around others. */
export interface QueryEvent {
  /** Connection that ran the statement on the source. */
  readonly threadId: number;
  /** How long it ran, in seconds. */
  readonly execTimeS: number;
  /** MySQL error number it ended with on the source; 0 for success. */
  readonly errorCode: number;
  /** Default database; "" if there was none. */
  readonly schema: string;
  /** The statement read as UTF-8: bytes of another character set are replaced. */
  readonly statement: string;
}

/** What a statement means for transaction boundaries. */
export const QueryKind = {
  OTHER: 0,
  BEGIN: 1,
  COMMIT: 2,
  ROLLBACK: 3,
  XA_START: 4,
  XA_ROLLBACK: 5,
  EMPTY: 6,
} as const;
export type QueryKind = typeof QueryKind[keyof typeof QueryKind];

/**
 * Reads a QUERY_EVENT.
 *
 * @param event The whole event.
 * @param algorithm How it ends.
 * @returns Its parts.
 * @throws {MalformedEventError} If it is not such an event.
 */
export function decodeQuery(
  event: Uint8Array,
  algorithm: ChecksumAlgorithm,
): QueryEvent {
  const body = eventBody(event, algorithm, EventType.QUERY, POST_HEADER_BYTES);
  const schemaOffset = POST_HEADER_BYTES + u16At(body, STATUS_LENGTH_OFFSET);
  const schemaEnd = schemaOffset + body[SCHEMA_LENGTH_OFFSET]!;
  if (schemaEnd + 1 > body.length) throw tooShort();
  const decoder = new TextDecoder();
  return {
    threadId: u32At(body, 0),
    execTimeS: u32At(body, 4),
    errorCode: u16At(body, 9),
    schema: decoder.decode(body.subarray(schemaOffset, schemaEnd)),
    statement: decoder.decode(body.subarray(schemaEnd + 1)),
  };
}

/**
 * Classifies the statement of a QUERY_EVENT without allocating, by the rules of
 * MySQL's `sql/rpl_trx_boundary_parser.cc`: BEGIN and COMMIT stand alone and in
 * upper case, as the server itself writes them; XA START is a prefix in upper
 * case; ROLLBACK and XA ROLLBACK are prefixes in any case, but `ROLLBACK TO `
 * ends nothing.
 *
 * @param bytes Where the event stands; all of it must be there.
 * @param offset Index of its first byte.
 * @param size Bytes of the whole event.
 * @param trailerBytes Bytes of its checksum, 4 or 0.
 * @returns The kind.
 * @throws {MalformedEventError} If a length in it points outside.
 */
export function queryKindAt(
  bytes: Uint8Array,
  offset: number,
  size: number,
  trailerBytes: number,
): QueryKind {
  const end = offset + size - trailerBytes;
  const body = offset + HEADER_BYTES;
  if (offset + size > bytes.length || body + POST_HEADER_BYTES > end) {
    throw tooShort();
  }
  const start = body + POST_HEADER_BYTES +
    u16At(bytes, body + STATUS_LENGTH_OFFSET) +
    bytes[body + SCHEMA_LENGTH_OFFSET]! + 1;
  if (start > end) throw tooShort();
  if (start === end) return QueryKind.EMPTY;
  // Most statements that are none of these are told by their first letter.
  switch (bytes[start]) {
    case 0x42: // B
      return end - start === BEGIN.length &&
          startsWith(bytes, start, end, BEGIN)
        ? QueryKind.BEGIN
        : QueryKind.OTHER;
    case 0x43: // C
      return end - start === COMMIT.length &&
          startsWith(bytes, start, end, COMMIT)
        ? QueryKind.COMMIT
        : QueryKind.OTHER;
    case 0x52: // R
    case 0x72: // r
      return startsWithAnyCase(bytes, start, end, ROLLBACK) &&
          !startsWithAnyCase(bytes, start, end, ROLLBACK_TO)
        ? QueryKind.ROLLBACK
        : QueryKind.OTHER;
    case 0x58: // X
    case 0x78: // x
      if (startsWith(bytes, start, end, XA_START)) return QueryKind.XA_START;
      return startsWithAnyCase(bytes, start, end, XA_ROLLBACK)
        ? QueryKind.XA_ROLLBACK
        : QueryKind.OTHER;
    default:
      return QueryKind.OTHER;
  }
}

const BEGIN = "BEGIN";
const COMMIT = "COMMIT";
const ROLLBACK = "ROLLBACK";
const ROLLBACK_TO = "ROLLBACK TO ";
const XA_START = "XA START";
const XA_ROLLBACK = "XA ROLLBACK";

function startsWith(
  bytes: Uint8Array,
  start: number,
  end: number,
  prefix: string,
): boolean {
  if (end - start < prefix.length) return false;
  for (let i = 0; i < prefix.length; i++) {
    if (bytes[start + i] !== prefix.charCodeAt(i)) return false;
  }
  return true;
}

/** The prefix in upper case. */
function startsWithAnyCase(
  bytes: Uint8Array,
  start: number,
  end: number,
  prefix: string,
): boolean {
  if (end - start < prefix.length) return false;
  for (let i = 0; i < prefix.length; i++) {
    const byte = bytes[start + i]!;
    const upper = byte >= 0x61 && byte <= 0x7a ? byte - 0x20 : byte;
    if (upper !== prefix.charCodeAt(i)) return false;
  }
  return true;
}

function tooShort(): MalformedEventError {
  return new MalformedEventError(
    "Cannot decode Query event: a length in it points outside",
    EventType.QUERY,
  );
}
