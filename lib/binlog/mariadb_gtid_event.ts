import type { MariadbGtid } from "../gtid/mariadb_gtid.ts";
import { u32At, u64At } from "./_little_endian.ts";
import { eventTypeAt, HEADER_BYTES, serverIdAt } from "./event_header.ts";
import { EventType } from "./event_type.ts";
import { MalformedEventError } from "./malformed_event_error.ts";

// Body of Gtid_log_event (MariaDB's `sql/log_event.h`): sequence number 8,
// domain 4, flags 1, then what the flags say, or zeros up to 19 bytes.
const SEQUENCE_OFFSET = HEADER_BYTES;
const DOMAIN_OFFSET = SEQUENCE_OFFSET + 8;
const FLAGS_OFFSET = DOMAIN_OFFSET + 4;
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
