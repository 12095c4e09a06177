import { eventBody } from "./_event_body.ts";
import { decodeFileName, encodeFileName } from "./_file_name.ts";
import { putU64, u16At, u32At, u64At } from "./_little_endian.ts";
import { makeEvent } from "./_made_event.ts";
import type { ChecksumAlgorithm } from "./checksum.ts";
import { eventTypeAt, HEADER_BYTES, logPosAt } from "./event_header.ts";
import { EventType } from "./event_type.ts";
import { MalformedEventError } from "./malformed_event_error.ts";

// Field types of version 2 (OTW_HB_*_FIELD in MySQL's control_events.h).
const FIELD_END = 0;
const FIELD_FILE_NAME = 1;
const FIELD_POSITION = 2;

/** Bytes of the position in front of the name in a large file of MariaDB. */
const POSITION_BYTES = 8;

/** Where the sender stands in its log while it has nothing to send. */
export interface Heartbeat {
  /** Base name of the file the replica is in. */
  readonly fileName: string;
  /**
   * Position up to which the replica has been sent that file; only the low 32
   * bits in version 1 of MySQL.
   */
  readonly position: bigint;
}

/**
 * Makes a heartbeat. It stands in no file, yet has no flags, as MySQL's
 * (`Binlog_sender::send_heartbeat_event_v1` and `_v2` in `sql/rpl_binlog_sender.cc`).
 *
 * @param options `serverId` of the sender; `fileName` and `position` as the
 *   replica counts them; `algorithm` of the file; `version` 2
 *   (HEARTBEAT_LOG_EVENT_V2) if the dump command asked for it, else 1
 *   (HEARTBEAT_LOG_EVENT), or "mariadb" for its kind of version 1: a position of
 *   more than 32 bits stands in front of the name (`send_heartbeat_event` in
 *   MariaDB's `sql/sql_repl.cc`).
 * @returns The whole event.
 * @throws {RangeError} If the file name is empty or too long.
 */
export function encodeHeartbeat(options: {
  serverId: number;
  fileName: string;
  position: bigint;
  algorithm: ChecksumAlgorithm;
  version: 1 | 2 | "mariadb";
}): Uint8Array {
  const fileName = encodeFileName(options.fileName);
  const { position, version } = options;
  const isLarge = version === "mariadb" && position > 0xffff_ffffn;
  return makeEvent(
    {
      timestamp: 0,
      type: version === 2 ? EventType.HEARTBEAT_V2 : EventType.HEARTBEAT,
      serverId: options.serverId,
      logPos: isLarge ? 0 : Number(position & 0xffff_ffffn),
      flags: 0,
    },
    version === 2
      ? encodeFields(fileName, position)
      : isLarge
      ? withPosition(fileName, position)
      : fileName,
    options.algorithm,
  );
}

/**
 * Reads a heartbeat of either version (`Heartbeat_event` and
 * `codecs/binary.cpp` of MySQL's binlog event library).
 *
 * @param event The whole event.
 * @param algorithm How it ends.
 * @returns Where the sender stands.
 * @throws {MalformedEventError} If it is not such an event.
 */
export function decodeHeartbeat(
  event: Uint8Array,
  algorithm: ChecksumAlgorithm,
): Heartbeat {
  if (
    event.length < HEADER_BYTES ||
    eventTypeAt(event, 0) !== EventType.HEARTBEAT_V2
  ) {
    const body = eventBody(event, algorithm, EventType.HEARTBEAT, 1);
    // A name has no NUL, and a position of more than 32 bits always some.
    const after = body.subarray(POSITION_BYTES);
    if (
      logPosAt(event, 0) === 0 && after.length > 0 &&
      body.subarray(0, POSITION_BYTES).includes(0)
    ) {
      return {
        fileName: decodeFileName(after, EventType.HEARTBEAT),
        position: u64At(body, 0),
      };
    }
    return {
      fileName: decodeFileName(body, EventType.HEARTBEAT),
      position: BigInt(logPosAt(event, 0)),
    };
  }
  return decodeFields(eventBody(event, algorithm, EventType.HEARTBEAT_V2, 1));
}

function withPosition(fileName: Uint8Array, position: bigint): Uint8Array {
  const body = new Uint8Array(POSITION_BYTES + fileName.length);
  putU64(body, 0, position);
  body.set(fileName, POSITION_BYTES);
  return body;
}

function encodeFields(fileName: Uint8Array, position: bigint): Uint8Array {
  const nameLength = lengthEncoded(BigInt(fileName.length));
  const value = lengthEncoded(position);
  return Uint8Array.of(
    FIELD_FILE_NAME,
    ...nameLength,
    ...fileName,
    FIELD_POSITION,
    value.length,
    ...value,
    FIELD_END,
  );
}

function decodeFields(body: Uint8Array): Heartbeat {
  let fileName: string | undefined;
  let position: bigint | undefined;
  let offset = 0;
  const readInteger = (): bigint => {
    const size = lengthEncodedBytes(body[offset]);
    if (size === 0 || offset + size > body.length) {
      throw malformed("a field is cut short");
    }
    const value = lengthEncodedAt(body, offset);
    offset += size;
    return value;
  };
  // Fields of later versions are passed over, as MySQL does. The end mark may
  // be missing.
  while (offset < body.length) {
    const field = readInteger();
    if (field === BigInt(FIELD_END)) break;
    const length = readInteger();
    if (length > BigInt(body.length - offset)) {
      throw malformed("a field is longer than the event");
    }
    const next = offset + Number(length);
    if (field === BigInt(FIELD_FILE_NAME)) {
      fileName = decodeFileName(
        body.subarray(offset, next),
        EventType.HEARTBEAT_V2,
      );
    } else if (field === BigInt(FIELD_POSITION)) {
      position = readInteger();
      if (offset !== next) throw malformed("the position has another length");
    }
    offset = next;
  }
  if (fileName === undefined || position === undefined) {
    throw malformed("file name or position is missing");
  }
  return { fileName, position };
}

/** MySQL internals: Protocol::LengthEncodedInteger. */
function lengthEncoded(value: bigint): Uint8Array {
  const eight = new Uint8Array(8);
  putU64(eight, 0, value);
  if (value < 251n) return eight.slice(0, 1);
  if (value < 0x1_0000n) return Uint8Array.of(0xfc, ...eight.subarray(0, 2));
  if (value < 0x100_0000n) return Uint8Array.of(0xfd, ...eight.subarray(0, 3));
  return Uint8Array.of(0xfe, ...eight);
}

/** Bytes of the integer that begins with this byte; 0 if none does. */
function lengthEncodedBytes(first: number | undefined): number {
  if (first === undefined || first === 0xfb || first === 0xff) return 0;
  if (first === 0xfc) return 3;
  if (first === 0xfd) return 4;
  return first === 0xfe ? 9 : 1;
}

function lengthEncodedAt(bytes: Uint8Array, offset: number): bigint {
  switch (bytes[offset]) {
    case 0xfc:
      return BigInt(u16At(bytes, offset + 1));
    case 0xfd:
      return BigInt(u32At(bytes, offset) >>> 8);
    case 0xfe:
      return u64At(bytes, offset + 1);
    default:
      return BigInt(bytes[offset]!);
  }
}

function malformed(reason: string): MalformedEventError {
  return new MalformedEventError(
    `Cannot decode Heartbeat_v2 event: ${reason}`,
    EventType.HEARTBEAT_V2,
  );
}
