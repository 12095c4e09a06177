/** Name of the value beside the log that says which source it came from. */
export const SOURCE_IDENTITY_META = "source/identity";

/**
 * What a source says of itself, as the syncer keeps it beside the log and the
 * binlog server repeats it to replicas.
 */
export interface SourceIdentity {
  /** Decimal text, 1..2^32-1. */
  readonly serverId: string;
  /** UUID in lower case; empty if the source has none. */
  readonly uuid: string;
  /** As in its greeting. */
  readonly version: string;
  /** Its `@@GLOBAL.gtid_mode`; "OFF" if it does not know that. */
  readonly gtidMode: string;
  /** Its `@@GLOBAL.binlog_format`. */
  readonly binlogFormat: string;
  /** Its `@@GLOBAL.binlog_checksum`, "CRC32" or "NONE". */
  readonly binlogChecksum: string;
  /** Its `@@GLOBAL.binlog_row_image`. */
  readonly binlogRowImage: string;
}
