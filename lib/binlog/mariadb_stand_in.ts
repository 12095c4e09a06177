import { putU16, putU32, u16At } from "./_little_endian.ts";
import { type ChecksumAlgorithm, checksumBytes } from "./checksum.ts";
import { crc32At } from "./crc32_at.ts";
import { eventSizeAt, eventTypeAt, HEADER_BYTES } from "./event_header.ts";
import { EventType } from "./event_type.ts";
import { MalformedEventError } from "./malformed_event_error.ts";

const TYPE_OFFSET = 4;
const FLAGS_OFFSET = 17;
/** The event depends on the session that ran it (`LOG_EVENT_THREAD_SPECIFIC_F`). */
const THREAD_SPECIFIC = 0x4;
/** No USE statement is needed in front of it (`LOG_EVENT_SUPPRESS_USE_F`). */
const SUPPRESS_USE = 0x8;

/**
 * Post-header of a query: thread id 4, time 4, length of the schema's name 1,
 * error 2, bytes of status variables 2.
 */
const QUERY_HEADER_BYTES = 13;
/** The name of no schema: its NUL. */
const NO_SCHEMA_BYTES = 1;
/** Where a query's status variables begin. */
const STATUS_OFFSET = HEADER_BYTES + QUERY_HEADER_BYTES;
/** What a query is made of in front of its text. */
const QUERY_BYTES = STATUS_OFFSET + NO_SCHEMA_BYTES;

/** Around the name of a user variable that is NULL: the name's length 4, "NULL" 1. */
const USER_VAR_BYTES = 5;
const DUMMY_VARIABLE = "!dummyvar";

const BEGIN = "BEGIN";
/** Status variable of a time zone; an empty one takes two bytes. */
const TIME_ZONE = 5;
/** A status variable nobody knows, behind which readers look no further. */
const DUMMY_STATUS = 0xff;

/**
 * What is sent in the place of an event that a client does not understand, and
 * that can't be left out because the client counts positions by adding up
 * lengths: it has the same size, time, server id and end position
 * (`Query_log_event::dummy_event` and `begin_event` in MariaDB's
 * `sql/log_event.cc`).
 *
 * `fill` gives it piece by piece, so that a large event is never in memory as
 * a whole.
 */
export class MariadbStandIn {
  /** Everything but the spaces that fill it up, and the checksum. */
  readonly #content: Uint8Array;
  /** Where the checksum begins. */
  readonly #end: number;
  readonly #checksum = new Uint8Array(4);
  #at = 0;
  #crc = 0;

  private constructor(content: Uint8Array, end: number) {
    this.#content = content;
    this.#end = end;
  }

  /**
   * One that does nothing: a query that is a comment, or, where there is too
   * little room for one, a user variable that is set to NULL.
   *
   * @param bytes holds the event's header, of 19 bytes
   * @param offset of the header in `bytes`
   * @param algorithm how the event ends
   * @throws {MalformedEventError} if the event is too small to be replaced
   */
  static dummy(
    bytes: Uint8Array,
    offset: number,
    algorithm: ChecksumAlgorithm,
  ): MariadbStandIn {
    const type = eventTypeAt(bytes, offset);
    const end = eventSizeAt(bytes, offset) - checksumBytes(algorithm);
    if (end <= HEADER_BYTES + USER_VAR_BYTES) {
      throw new MalformedEventError(
        `Cannot replace an event of type ${type}: it has ${end} bytes only`,
        type,
      );
    }
    if (end <= QUERY_BYTES) {
      const name = DUMMY_VARIABLE.slice(0, end - HEADER_BYTES - USER_VAR_BYTES);
      const content = headerOf(bytes, offset, EventType.USER_VAR, end);
      putU32(content, HEADER_BYTES, name.length);
      putText(content, HEADER_BYTES + 4, name);
      content[end - 1] = 1;
      return new MariadbStandIn(content, end);
    }
    const text =
      `# Dummy event replacing event type ${type} that slave cannot handle.`;
    const content = headerOf(
      bytes,
      offset,
      EventType.QUERY,
      Math.min(end, QUERY_BYTES + text.length),
    );
    putText(content, QUERY_BYTES, text.slice(0, end - QUERY_BYTES));
    return new MariadbStandIn(content, end);
  }

  /**
   * The query BEGIN, for the GTID event of a transaction.
   *
   * A GTID event with more in it than the GTID leaves room, which status
   * variables fill. MariaDB before 11 has none for most lengths and ends the
   * dump there; this fills it as newer ones do.
   *
   * @param bytes holds the event
   * @param offset of the event in `bytes`
   * @param algorithm how the event ends
   * @throws {MalformedEventError} if the event is no whole GTID event
   */
  static begin(
    bytes: Uint8Array,
    offset: number,
    algorithm: ChecksumAlgorithm,
  ): MariadbStandIn {
    const end = eventSizeAt(bytes, offset) - checksumBytes(algorithm);
    const statusBytes = end - QUERY_BYTES - BEGIN.length;
    if (statusBytes < 0 || statusBytes > 0xffff) {
      throw new MalformedEventError(
        `Cannot replace a GTID event of ${end} bytes with a BEGIN`,
        EventType.MARIADB_GTID,
      );
    }
    const content = headerOf(bytes, offset, EventType.QUERY, end);
    putU16(content, STATUS_OFFSET - 2, statusBytes);
    if (statusBytes === 2) content[STATUS_OFFSET] = TIME_ZONE;
    else content.fill(DUMMY_STATUS, STATUS_OFFSET, STATUS_OFFSET + statusBytes);
    putText(content, end - BEGIN.length, BEGIN);
    return new MariadbStandIn(content, end);
  }

  /** Writes the next bytes of the event to `target[start, end)`. */
  fill(target: Uint8Array, start: number, end: number): void {
    let to = start;
    const from = this.#at;
    const content = this.#content.subarray(from, from + end - start);
    target.set(content, to);
    to += content.length;
    const body = Math.min(end, start + Math.max(0, this.#end - from));
    if (to < body) target.fill(0x20, to, body);
    this.#crc = crc32At(target, start, body - start, this.#crc);
    this.#at += body - start;
    if (body === end) return;
    putU32(this.#checksum, 0, this.#crc);
    const checksumAt = this.#at - this.#end;
    target.set(
      this.#checksum.subarray(checksumAt, checksumAt + end - body),
      body,
    );
    this.#at += end - body;
  }
}

/** A new event with that one's header, but for type and flags; zeros behind it. */
function headerOf(
  bytes: Uint8Array,
  offset: number,
  type: number,
  size: number,
): Uint8Array {
  const content = new Uint8Array(size);
  content.set(bytes.subarray(offset, offset + HEADER_BYTES));
  content[TYPE_OFFSET] = type;
  const flags = u16At(bytes, offset + FLAGS_OFFSET);
  putU16(content, FLAGS_OFFSET, flags & ~THREAD_SPECIFIC | SUPPRESS_USE);
  return content;
}

function putText(content: Uint8Array, at: number, text: string): void {
  content.set(new TextEncoder().encode(text), at);
}
