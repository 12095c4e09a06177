import { eventBody } from "./_event_body.ts";
import { putU32, u16At, u32At } from "./_little_endian.ts";
import {
  CHECKSUM_BYTES,
  type ChecksumAlgorithm,
  writeEventChecksum,
} from "./checksum.ts";
import { HEADER_BYTES } from "./event_header.ts";
import { EventFlag, EventType } from "./event_type.ts";
import { MalformedEventError } from "./malformed_event_error.ts";

// Offsets in the body (ST_*_OFFSET in MySQL's binlog_event.h).
const SERVER_VERSION_OFFSET = 2;
const SERVER_VERSION_BYTES = 50;
const CREATED_OFFSET = SERVER_VERSION_OFFSET + SERVER_VERSION_BYTES;
const HEADER_LENGTH_OFFSET = CREATED_OFFSET + 4;
const POST_HEADERS_OFFSET = HEADER_LENGTH_OFFSET + 1;

/** Byte that names the checksum algorithm, in front of the checksum. */
const ALGORITHM_BYTES = 1;

/** Offset of the position in the common header, and of its flags. */
const LOG_POS_OFFSET = 13;
const FLAGS_OFFSET = 17;

/** Post-header of a QUERY event in every server since MySQL 5.0. */
const QUERY_POST_HEADER_BYTES = 13;

/** What the first event of a file says about the others. */
export interface FormatDescription {
  /** 4 for every server since MySQL 5.0. */
  readonly binlogVersion: number;
  /** Version of the server that wrote the file, e.g. "8.4.3". */
  readonly serverVersion: string;
  /** Seconds since 1970 if the file was the first after a start of the server, else 0. */
  readonly createdAt: number;
  /** Bytes of the common header: 19. */
  readonly headerBytes: number;
  /** Bytes of the post-header of event type `i + 1` at index `i`; a copy. */
  readonly postHeaderBytes: Uint8Array;
  /** How the other events of the file end. */
  readonly checksumAlgorithm: ChecksumAlgorithm;
}

/**
 * Reads a FORMAT_DESCRIPTION_EVENT (`Format_description_event` in MySQL's
 * `libs/mysql/binlog/event/control_events.cpp`). Its own checksum is not looked
 * at; see eventChecksumOk.
 *
 * @param event The whole event.
 * @returns What it says.
 * @throws {MalformedEventError} If it is not such an event, or describes a
 *   format this code cannot read: binlog version other than 4, another size of
 *   the common header or of the QUERY post-header, an unknown checksum.
 */
export function decodeFormatDescription(event: Uint8Array): FormatDescription {
  const body = eventBody(
    event,
    "none",
    EventType.FORMAT_DESCRIPTION,
    POST_HEADERS_OFFSET,
  );
  const binlogVersion = u16At(body, 0);
  const headerBytes = body[HEADER_LENGTH_OFFSET]!;
  if (binlogVersion !== 4 || headerBytes !== HEADER_BYTES) {
    throw malformed(
      `binlog version ${binlogVersion} with headers of ${headerBytes} bytes, expected version 4 with ${HEADER_BYTES}`,
    );
  }
  const serverVersion = decodeServerVersion(body);
  let end = body.length;
  let checksumAlgorithm: ChecksumAlgorithm = "none";
  if (hasChecksumFields(serverVersion)) {
    end -= ALGORITHM_BYTES + CHECKSUM_BYTES;
    if (end < POST_HEADERS_OFFSET) {
      throw malformed(
        `${body.length} bytes of body leave no room for a checksum`,
      );
    }
    const algorithm = body[end]!;
    if (algorithm > 1) {
      throw malformed(`unknown checksum algorithm ${algorithm}`);
    }
    checksumAlgorithm = algorithm === 1 ? "crc32" : "none";
  }
  const postHeaderBytes = body.slice(POST_HEADERS_OFFSET, end);
  const queryPostHeader = postHeaderBytes[EventType.QUERY - 1];
  if (queryPostHeader !== QUERY_POST_HEADER_BYTES) {
    throw malformed(
      `QUERY events with ${queryPostHeader} bytes of post-header, expected ${QUERY_POST_HEADER_BYTES}`,
    );
  }
  return {
    binlogVersion,
    serverVersion,
    createdAt: u32At(body, CREATED_OFFSET),
    headerBytes,
    postHeaderBytes,
    checksumAlgorithm,
  };
}

/**
 * Makes the format description a replica gets out of the one in the file, as
 * `Binlog_sender::send_format_description_event` (`sql/rpl_binlog_sender.cc`)
 * does: the in-use flag is always cleared, since the replica's copy is not in use.
 *
 * @param event The whole event as stored; not changed.
 * @param options What else to clear:
 *   `clearPosition` for a dump by position that starts after the first event,
 *   so that the replica does not count the event as a step in the file: end
 *   position and creation time become 0.
 *   `clearCreated` for a dump by GTID that skips the file's first transaction:
 *   creation time becomes 0, so that the replica does not drop its temporary tables.
 *   `endPosition` to have one that was cleared in a file again.
 *   `resum` to have the checksum right in a file without checksums, too, whose
 *   format description has one nonetheless; servers leave it as it was then,
 *   and nobody verifies it.
 * @returns A copy, its checksum right if its file has checksums.
 * @throws {MalformedEventError} As {@linkcode decodeFormatDescription}.
 */
export function patchFormatDescription(
  event: Uint8Array,
  options: {
    clearPosition: boolean;
    clearCreated?: boolean;
    endPosition?: number;
    resum?: boolean;
  },
): Uint8Array {
  const { serverVersion, checksumAlgorithm } = decodeFormatDescription(event);
  // not `slice`, which does not copy a `Buffer`, as a store may give it
  const patched = new Uint8Array(event);
  clearInUseFlag(patched);
  if (options.clearPosition) putU32(patched, LOG_POS_OFFSET, 0);
  else if (options.endPosition !== undefined) {
    putU32(patched, LOG_POS_OFFSET, options.endPosition);
  }
  if (options.clearPosition || options.clearCreated === true) {
    putU32(patched, HEADER_BYTES + CREATED_OFFSET, 0);
  }
  const sums = options.resum === true || checksumAlgorithm !== "none";
  if (sums && hasChecksumFields(serverVersion)) writeEventChecksum(patched);
  return patched;
}

/**
 * Clears the in-use flag of a format description in place: what a server has on
 * its disk in a file it did not close, and sends to nobody. The checksum stays
 * right, since it is computed as if the flag were clear.
 *
 * @param event Begins with the event's header.
 */
export function clearInUseFlag(event: Uint8Array): void {
  event[FLAGS_OFFSET] = event[FLAGS_OFFSET]! & ~EventFlag.BINLOG_IN_USE;
}

function decodeServerVersion(body: Uint8Array): string {
  const field = body.subarray(SERVER_VERSION_OFFSET, CREATED_OFFSET);
  const end = field.indexOf(0);
  return new TextDecoder().decode(end < 0 ? field : field.subarray(0, end));
}

/**
 * Whether a format description ends with algorithm and checksum, decided by the
 * version of its writer as MySQL does: since 5.6.1, in MariaDB since 5.3.
 */
function hasChecksumFields(serverVersion: string): boolean {
  const [major, minor, patch] = splitVersion(serverVersion);
  if (major !== 5) return major > 5;
  if (serverVersion.includes("MariaDB")) return minor >= 3;
  return minor > 6 || (minor === 6 && patch >= 1);
}

/** "8.0.26-log" as [8, 0, 26]; [0, 0, 0] where MySQL finds no version (`do_server_version_split`). */
function splitVersion(serverVersion: string): [number, number, number] {
  const match = /^(\d{1,3})\.(\d{0,3})(?:\.(\d{0,3}))?/.exec(serverVersion);
  if (match === null) return [0, 0, 0];
  const parts: [number, number, number] = [
    Number(match[1]),
    Number(match[2]),
    Number(match[3] ?? 0),
  ];
  return parts.every((part) => part < 256) ? parts : [0, 0, 0];
}

function malformed(reason: string): MalformedEventError {
  return new MalformedEventError(
    `Cannot decode Format_desc event: ${reason}`,
    EventType.FORMAT_DESCRIPTION,
  );
}
