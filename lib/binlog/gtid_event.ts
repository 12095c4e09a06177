import {
  GNO_MAX,
  type Gtid,
  isCanonicalTag,
  TAG_LENGTH_MAX,
} from "../gtid/gtid.ts";
import { formatUuid, UUID_BYTES } from "../gtid/uuid.ts";
import { u32At, u64At } from "./_little_endian.ts";
import {
  decodeEventHeader,
  eventTypeAt,
  HEADER_BYTES,
} from "./event_header.ts";
import { EventType, eventTypeName } from "./event_type.ts";
import { MalformedEventError } from "./malformed_event_error.ts";

// Body of GTID and ANONYMOUS_GTID (`Gtid_event` in MySQL's control_events.cpp):
// flags 1, UUID 16, number 8; what follows differs between versions.
const UUID_OFFSET = HEADER_BYTES + 1;
const GNO_OFFSET = UUID_OFFSET + UUID_BYTES;
const GTID_EVENT_BYTES_MIN = GNO_OFFSET + 8;

// Fields of GTID_TAGGED, in the order they are written.
const FIELD_FLAGS = 0;
const FIELD_UUID = 1;
const FIELD_GNO = 2;
const FIELD_TAG = 3;

/** The version of MySQL's serialization library that this code reads. */
const SERIALIZATION_VERSION = 1;

/**
 * Reads the GTID a transaction begins with.
 *
 * @param event A whole GTID_LOG_EVENT, ANONYMOUS_GTID_LOG_EVENT or GTID_TAGGED_LOG_EVENT.
 * @returns The GTID; null for an anonymous transaction.
 * @throws {MalformedEventError} If it is none of these.
 */
export function decodeGtid(event: Uint8Array): Gtid | null {
  const { type, eventSize } = decodeEventHeader(event);
  if (eventSize !== event.length) {
    throw malformed(type, `it says ${eventSize} bytes, ${event.length} given`);
  }
  if (type === EventType.ANONYMOUS_GTID) {
    requireSize(type, eventSize);
    return null;
  }
  const reader = new GtidReader();
  if (!reader.read(event, 0, eventSize)) {
    throw malformed(type, "it is not an event with a GTID");
  }
  return { uuid: reader.uuid, tag: reader.tag, gno: reader.gno };
}

/**
 * Reads the GTIDs of one event after another. As long as uuid and tag are the
 * same as in the event before, the same strings are given out, and the only
 * thing allocated is the number.
 *
 * The body of GTID_TAGGED_LOG_EVENT is a message of MySQL's serialization
 * library (`libs/mysql/serialization/readme.md`):
 *
 *     message = version, size of the message, last non-ignorable field, field*
 *     field   = field id, value       ids ascending
 *
 * all of them integers of variable length: as many extra bytes as the first
 * byte has trailing one bits, the value in the bits above them.
 */
export class GtidReader {
  /** UUID of the event read last, canonical; "" before the first. */
  uuid = "";
  /** Its tag, canonical; "" for none. */
  tag = "";
  /** Its number. */
  gno = 0n;

  readonly #uuidBytes = new Uint8Array(UUID_BYTES);
  readonly #tagBytes = new Uint8Array(TAG_LENGTH_MAX);
  #tagLength = 0;

  // Cursor in a tagged event.
  #bytes: Uint8Array = this.#uuidBytes;
  #offset = 0;
  #end = 0;

  /**
   * Reads the GTID of an event into {@linkcode uuid}, {@linkcode tag} and
   * {@linkcode gno}.
   *
   * @param bytes Where the event stands.
   * @param offset Index of its first byte.
   * @param size Bytes of the whole event; all of them must be there.
   * @returns False, with nothing changed, for any event without a GTID:
   *   anonymous transactions too.
   * @throws {MalformedEventError} If an event with a GTID cannot be read.
   */
  read(bytes: Uint8Array, offset: number, size: number): boolean {
    if (size < HEADER_BYTES || offset + size > bytes.length) {
      throw malformed(-1, `it is cut short at ${bytes.length - offset} bytes`);
    }
    const type = eventTypeAt(bytes, offset);
    if (type === EventType.GTID) {
      requireSize(type, size);
      const high = u32At(bytes, offset + GNO_OFFSET + 4);
      const gno = u64At(bytes, offset + GNO_OFFSET);
      // `high` settles the range for every number below 2^62 without bigints.
      if (high >= 0x4000_0000 && gno > GNO_MAX || gno === 0n) {
        throw malformed(type, `${gno} is not a transaction number`);
      }
      this.#takeUuid(bytes, offset + UUID_OFFSET);
      this.#takeTag(bytes, offset, 0);
      this.gno = gno;
      return true;
    }
    if (type === EventType.GTID_TAGGED) {
      this.#readTagged(bytes, offset, size);
      return true;
    }
    return false;
  }

  #readTagged(bytes: Uint8Array, offset: number, size: number): void {
    this.#bytes = bytes;
    this.#offset = offset + HEADER_BYTES;
    this.#end = offset + size;
    if (this.#readInteger() !== SERIALIZATION_VERSION) {
      throw malformed(EventType.GTID_TAGGED, "unknown serialization version");
    }
    const messageBytes = this.#readInteger();
    if (messageBytes > size - HEADER_BYTES) {
      throw malformed(EventType.GTID_TAGGED, "its message is cut short");
    }
    this.#end = offset + HEADER_BYTES + messageBytes;
    this.#readInteger(); // Last field a reader must know; ours are the first four.
    let hasUuid = false;
    let hasTag = false;
    let gno = 0n;
    while (this.#offset < this.#end) {
      const field = this.#readInteger();
      if (field === FIELD_FLAGS) this.#readInteger();
      else if (field === FIELD_UUID) {
        this.#readUuid();
        hasUuid = true;
      } else if (field === FIELD_GNO) gno = this.#readGno();
      else if (field === FIELD_TAG) {
        this.#readTag();
        hasTag = true;
      } else break;
    }
    if (!hasUuid || gno === 0n) {
      throw malformed(EventType.GTID_TAGGED, "UUID or number is missing");
    }
    if (!hasTag) this.#takeTag(bytes, 0, 0);
    this.gno = gno;
  }

  /** Reads the 16 bytes of a UUID, each an integer of one or two bytes. */
  #readUuid(): void {
    for (let i = 0; i < UUID_BYTES; i++) {
      const byte = this.#readInteger();
      if (byte > 0xff) {
        throw malformed(EventType.GTID_TAGGED, "its UUID is not one");
      }
      if (this.#uuidBytes[i] !== byte) {
        // Should a later byte be malformed, the text must not pass for these bytes.
        this.uuid = "";
        this.#uuidBytes[i] = byte;
      }
    }
    if (this.uuid === "") this.uuid = formatUuid(this.#uuidBytes);
  }

  #readTag(): void {
    const length = this.#readInteger();
    if (length > TAG_LENGTH_MAX || length > this.#end - this.#offset) {
      throw malformed(EventType.GTID_TAGGED, "its tag is too long");
    }
    this.#takeTag(this.#bytes, this.#offset, length);
    this.#offset += length;
  }

  /** Reads a signed integer (sign in the lowest bit) that has to be a transaction number. */
  #readGno(): bigint {
    const extra = this.#extraBytes();
    if (extra < 7) {
      const value = this.#readInteger();
      if (value % 2 === 0 && value > 0) return BigInt(value / 2);
    } else {
      // The first byte is all length: the value is in the 7 or 8 others.
      let value = 0n;
      for (let i = extra; i > 0; i--) {
        value = value << 8n | BigInt(this.#bytes[this.#offset + i]!);
      }
      this.#offset += extra + 1;
      if ((value & 1n) === 0n && value > 0n && value >> 1n <= GNO_MAX) {
        return value >> 1n;
      }
    }
    throw malformed(EventType.GTID_TAGGED, "its number is not one");
  }

  /** Reads an unsigned integer of at most 49 bits: every other field is smaller. */
  #readInteger(): number {
    const extra = this.#extraBytes();
    if (extra > 6) {
      throw malformed(EventType.GTID_TAGGED, "a field is too large");
    }
    let value = 0;
    for (let i = extra; i > 0; i--) {
      value = value * 0x100 + this.#bytes[this.#offset + i]!;
    }
    const first = this.#bytes[this.#offset]! >> (extra + 1);
    this.#offset += extra + 1;
    return value * (1 << (7 - extra)) + first;
  }

  /** Extra bytes of the integer at the cursor, all of them known to be there. */
  #extraBytes(): number {
    if (this.#offset >= this.#end) {
      throw malformed(EventType.GTID_TAGGED, "a field is cut short");
    }
    // The index of the lowest zero bit; 8 if the byte has none.
    const first = this.#bytes[this.#offset]!;
    const extra = 31 - Math.clz32(~first & (first + 1));
    if (this.#offset + extra >= this.#end) {
      throw malformed(EventType.GTID_TAGGED, "a field is cut short");
    }
    return extra;
  }

  #takeUuid(bytes: Uint8Array, offset: number): void {
    const known = this.#uuidBytes;
    let i = this.uuid === "" ? UUID_BYTES : 0;
    if (i === 0) {
      while (i < UUID_BYTES && known[i] === bytes[offset + i]) i++;
      if (i === UUID_BYTES) return;
    }
    known.set(bytes.subarray(offset, offset + UUID_BYTES));
    this.uuid = formatUuid(known);
  }

  #takeTag(bytes: Uint8Array, offset: number, length: number): void {
    const known = this.#tagBytes;
    let i = 0;
    while (i < length && known[i] === bytes[offset + i]) i++;
    if (i === length && length === this.#tagLength) return;
    const tag = String.fromCharCode(...bytes.subarray(offset, offset + length))
      .toLowerCase();
    if (length > 0 && !isCanonicalTag(tag)) {
      throw malformed(
        EventType.GTID_TAGGED,
        "its tag has characters no tag has",
      );
    }
    known.set(bytes.subarray(offset, offset + length));
    this.#tagLength = length;
    this.tag = tag;
  }
}

function requireSize(type: number, size: number): void {
  if (size < GTID_EVENT_BYTES_MIN) {
    throw malformed(
      type,
      `${GTID_EVENT_BYTES_MIN} bytes needed, ${size} given`,
    );
  }
}

function malformed(type: number, reason: string): MalformedEventError {
  return new MalformedEventError(
    `Cannot decode ${eventTypeName(type)} event: ${reason}`,
    type,
  );
}
