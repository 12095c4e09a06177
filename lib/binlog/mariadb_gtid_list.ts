import { MariadbGtidState } from "../gtid/mariadb_gtid_state.ts";
import { eventBody } from "./_event_body.ts";
import { putU32, u32At } from "./_little_endian.ts";
import { makeEvent } from "./_made_event.ts";
import { type ChecksumAlgorithm, checksumBytes } from "./checksum.ts";
import { HEADER_BYTES } from "./event_header.ts";
import { EventFlag, EventType } from "./event_type.ts";
import { MalformedEventError } from "./malformed_event_error.ts";

/** Bytes in front of the entries: count and flags. */
const COUNT_BYTES = 4;
/** Bytes of an entry. */
const ENTRY_BYTES = 16;
/** The bits of the first field that are the count; above them are flags. */
const COUNT_MASK = 0x0fff_ffff;

/** Flags in the high bits of the count (`FLAG_…` of `Gtid_list_log_event` in MariaDB's `sql/log_event.h`). */
export const MariadbGtidListFlag = {
  /** Sent when a replica's START REPLICA UNTIL has come to its end. */
  UNTIL_REACHED: 0x1000_0000,
  /** The groups that are skipped were ignored by the replica's own wish. */
  IGN_GTIDS: 0x2000_0000,
} as const;

/** What a Gtid_list event says. */
export interface MariadbGtidList {
  /** Everything that is before it in the log. */
  readonly state: MariadbGtidState;
  /** Bits of {@linkcode MariadbGtidListFlag}; 0 in files. */
  readonly flags: number;
}

/**
 * Reads a Gtid_list event (`Gtid_list_log_event` in MariaDB's
 * `sql/log_event.h`): the state of the log before the file that it begins, or,
 * sent to a replica and in no file, how far the dump has got.
 *
 * @param event The whole event.
 * @param algorithm How it ends.
 * @returns What it says.
 * @throws {MalformedEventError} If it is not such an event.
 */
export function decodeMariadbGtidList(
  event: Uint8Array,
  algorithm: ChecksumAlgorithm,
): MariadbGtidList {
  const body = eventBody(
    event,
    algorithm,
    EventType.MARIADB_GTID_LIST,
    COUNT_BYTES,
  );
  const field = u32At(body, 0);
  const count = field & COUNT_MASK;
  const end = COUNT_BYTES + count * ENTRY_BYTES;
  // An empty list is padded: the post-header alone has never been written.
  if (end > body.length) {
    throw new MalformedEventError(
      `Cannot decode Gtid_list event: ${count} GTIDs in ${body.length} bytes`,
      EventType.MARIADB_GTID_LIST,
    );
  }
  return {
    state: MariadbGtidState.decode(body.subarray(COUNT_BYTES, end)),
    flags: (field & ~COUNT_MASK) >>> 0,
  };
}

/** Where a made Gtid_list event is to stand. */
export interface MariadbGtidListPlace {
  /** Seconds since 1970; 0 for an artificial one. */
  readonly timestamp: number;
  /** Server id of the writer. */
  readonly serverId: number;
  /** Position after the event in the file; of an artificial one, up to where the dump has got. */
  readonly endPosition: number;
  /** How it ends. */
  readonly algorithm: ChecksumAlgorithm;
  /** True when it is sent and stands in no file. */
  readonly artificial: boolean;
  /** Bits of {@linkcode MariadbGtidListFlag}. */
  readonly flags?: number;
}

/**
 * Makes a Gtid_list event: for a file that kingbus itself begins, or for a
 * replica that is told how far it is.
 *
 * @param state What it says.
 * @param place Where it is to stand.
 * @returns The whole event.
 */
export function encodeMariadbGtidList(
  state: MariadbGtidState,
  place: MariadbGtidListPlace,
): Uint8Array {
  const entries = state.encode();
  // MariaDB writes an empty list with two more bytes (see `Gtid_list_log_event::write`).
  const body = new Uint8Array(
    entries.length === 0 ? EMPTY_BODY_BYTES : COUNT_BYTES + entries.length,
  );
  putU32(body, 0, (entries.length / ENTRY_BYTES | (place.flags ?? 0)) >>> 0);
  body.set(entries, COUNT_BYTES);
  return makeEvent(
    {
      timestamp: place.timestamp,
      type: EventType.MARIADB_GTID_LIST,
      serverId: place.serverId,
      logPos: place.endPosition,
      flags: place.artificial ? EventFlag.ARTIFICIAL : 0,
    },
    body,
    place.algorithm,
  );
}

/** Body of an event without a GTID: at least as much as MariaDB's USER_VAR stand-in takes. */
const EMPTY_BODY_BYTES = 6;

/**
 * Bytes that {@linkcode encodeMariadbGtidList} makes.
 *
 * @param state What the event says.
 * @param algorithm How it ends.
 */
export function mariadbGtidListBytes(
  state: MariadbGtidState,
  algorithm: ChecksumAlgorithm,
): number {
  const body = state.isEmpty
    ? EMPTY_BODY_BYTES
    : COUNT_BYTES + state.size * ENTRY_BYTES;
  return HEADER_BYTES + body + checksumBytes(algorithm);
}
