import type { MariadbGtid } from "../gtid/mariadb_gtid.ts";
import { u32At, u64At } from "./_little_endian.ts";
import { type ChecksumAlgorithm, checksumBytes } from "./checksum.ts";
import {
  decodeEventHeader,
  eventTypeAt,
  HEADER_BYTES,
  serverIdAt,
} from "./event_header.ts";
import { EventType } from "./event_type.ts";
import { MalformedEventError } from "./malformed_event_error.ts";

// Body of Gtid_log_event (MariaDB's `sql/log_event.h`): sequence number 8,
// domain 4, flags 1, then what the flags say, or zeros up to 19 bytes.
const SEQUENCE_OFFSET = HEADER_BYTES;
const DOMAIN_OFFSET = SEQUENCE_OFFSET + 8;
const FLAGS_OFFSET = DOMAIN_OFFSET + 4;
const AFTER_FLAGS = FLAGS_OFFSET + 1;
const BODY_BYTES_MIN = 19;

/** Flags of a MariaDB GTID event (`FL_…` in MariaDB's `sql/log_event.h`). */
export const MariadbGtidFlag = {
  /** The group is a single statement; nothing else marks where it ends. */
  STANDALONE: 0x01,
  /** A commit id follows: groups with the same one were committed together. */
  GROUP_COMMIT_ID: 0x02,
  /** Everything in the group can be rolled back. */
  TRANSACTIONAL: 0x04,
  /** The group may be applied in parallel with earlier ones. */
  ALLOW_PARALLEL: 0x08,
  /** The transaction waited for another one's locks when it ran. */
  WAITED: 0x10,
  /** The group is DDL. */
  DDL: 0x20,
  /** The group ends with XA PREPARE, and begins with XA START of the XID that follows. */
  PREPARED_XA: 0x40,
  /** The group is the XA COMMIT or XA ROLLBACK of the XID that follows. */
  COMPLETED_XA: 0x80,
} as const;

/** Flags of the second byte that newer servers write (`FL_…_E1`, 10.8 and later). */
export const MariadbGtidExtraFlag = {
  /** More than one storage engine took part; their number follows. */
  MULTI_ENGINE: 0x01,
  /** The first half of an ALTER TABLE that is written in two. */
  START_ALTER: 0x02,
  /** Its second half; the sequence number of the first follows. */
  COMMIT_ALTER: 0x04,
  /** The ALTER TABLE failed; the sequence number of the first half follows. */
  ROLLBACK_ALTER: 0x08,
  /** The thread's id follows (11.5 and later). */
  THREAD_ID: 0x10,
} as const;

/** The XID of an XA transaction. */
export interface MariadbXid {
  /** As given with the XID, 1 by default. */
  readonly formatId: number;
  /** The global part, 64 bytes at most. */
  readonly globalId: Uint8Array;
  /** The branch, 64 bytes at most. */
  readonly branch: Uint8Array;
}

/** All that a MariaDB GTID event says. */
export interface MariadbGtidEvent {
  /** The GTID; its server is the one of the event's header. */
  readonly gtid: MariadbGtid;
  /** Bits of {@linkcode MariadbGtidFlag}. */
  readonly flags: number;
  /** Id of the group commit; undefined without the flag for it. */
  readonly commitId: bigint | undefined;
  /** The XID of the XA transaction; undefined for any other. */
  readonly xid: MariadbXid | undefined;
  /** Bits of {@linkcode MariadbGtidExtraFlag}; 0 in what older servers write. */
  readonly extraFlags: number;
  /** Sequence number of the START ALTER that this ends; undefined if it ends none. */
  readonly startAlterSequence: bigint | undefined;
}

/**
 * Reads the GTID that a group of events begins with.
 *
 * @param event A whole event of type MARIADB_GTID.
 * @param algorithm How it ends.
 * @returns All of it that is known; what newer servers put behind is left out.
 * @throws {MalformedEventError} If it is not such an event, or is cut short.
 */
export function decodeMariadbGtidEvent(
  event: Uint8Array,
  algorithm: ChecksumAlgorithm,
): MariadbGtidEvent {
  const { type, eventSize } = decodeEventHeader(event);
  if (eventSize !== event.length) {
    throw malformed(type, `it says ${eventSize} bytes, ${event.length} given`);
  }
  const reader = new MariadbGtidReader();
  const end = eventSize - checksumBytes(algorithm);
  if (end < HEADER_BYTES || !reader.read(event, 0, end)) {
    throw malformed(type, "it is not a MariaDB GTID event");
  }
  const flags = reader.flags;
  let at = AFTER_FLAGS;
  let commitId: bigint | undefined;
  if ((flags & MariadbGtidFlag.GROUP_COMMIT_ID) !== 0) {
    requireUpTo(at + 8, end);
    commitId = u64At(event, at);
    at += 8;
  }
  let xid: MariadbXid | undefined;
  if ((flags & XA_FLAGS) !== 0) {
    requireUpTo(at + 6, end);
    const branchAt = at + 6 + event[at + 4]!;
    const after = branchAt + event[at + 5]!;
    requireUpTo(after, end);
    xid = {
      formatId: u32At(event, at),
      globalId: event.slice(at + 6, branchAt),
      branch: event.slice(branchAt, after),
    };
    at = after;
  }
  const extraFlags = at < end ? event[at++]! : 0;
  if ((extraFlags & MariadbGtidExtraFlag.MULTI_ENGINE) !== 0) at++;
  let startAlterSequence: bigint | undefined;
  if ((extraFlags & ENDS_ALTER) !== 0) {
    requireUpTo(at + 8, end);
    startAlterSequence = u64At(event, at);
  }
  const { domain, server, sequence } = reader;
  return {
    gtid: { domain, server, sequence },
    flags,
    commitId,
    xid,
    extraFlags,
    startAlterSequence,
  };
}

const XA_FLAGS = MariadbGtidFlag.PREPARED_XA | MariadbGtidFlag.COMPLETED_XA;
const ENDS_ALTER = MariadbGtidExtraFlag.COMMIT_ALTER |
  MariadbGtidExtraFlag.ROLLBACK_ALTER;

/**
 * Reads the GTIDs of one event after another; the only thing allocated is the
 * sequence number.
 */
export class MariadbGtidReader implements MariadbGtid {
  /** Domain of the event read last. */
  domain = 0;
  /** Its server. */
  server = 0;
  /** Its sequence number. */
  sequence = 0n;
  /** Its flags, bits of {@linkcode MariadbGtidFlag}. */
  flags = 0;

  /** The GTID of the event read last, as an object that stays as it is. */
  get gtid(): MariadbGtid {
    const { domain, server, sequence } = this;
    return { domain, server, sequence };
  }

  /**
   * Reads the GTID of an event.
   *
   * @param bytes Where the event stands.
   * @param offset Index of its first byte.
   * @param size Bytes of the whole event; all of them must be there.
   * @returns False, with nothing changed, for any event of another type.
   * @throws {MalformedEventError} If it can't be read.
   */
  read(bytes: Uint8Array, offset: number, size: number): boolean {
    if (size < HEADER_BYTES || offset + size > bytes.length) {
      throw malformed(-1, `it is cut short at ${bytes.length - offset} bytes`);
    }
    if (eventTypeAt(bytes, offset) !== EventType.MARIADB_GTID) return false;
    requireUpTo(HEADER_BYTES + BODY_BYTES_MIN, size);
    this.domain = u32At(bytes, offset + DOMAIN_OFFSET);
    this.server = serverIdAt(bytes, offset);
    this.sequence = u64At(bytes, offset + SEQUENCE_OFFSET);
    this.flags = bytes[offset + FLAGS_OFFSET]!;
    return true;
  }
}

function requireUpTo(needed: number, end: number): void {
  if (needed <= end) return;
  throw malformed(
    EventType.MARIADB_GTID,
    `${needed} bytes needed, ${end} given`,
  );
}

function malformed(type: number, reason: string): MalformedEventError {
  return new MalformedEventError(
    `Cannot decode MariaDB Gtid event: ${reason}`,
    type,
  );
}
