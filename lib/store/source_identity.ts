/** Name of the value beside the log that says which source it came from. */
export const SOURCE_IDENTITY_META = "source/identity";

/**
 * The two kinds of server: they have other GTIDs, other events, and other rules
 * for a dump. One log has one flavour.
 */
export type Flavour = "mysql" | "mariadb";

/**
 * The flavour of a server, by the version in its greeting: `10.11.4-MariaDB`,
 * also with the `5.5.5-` in front that MariaDB before 11 puts there for old
 * replicas.
 */
export function flavourOfVersion(version: string): Flavour {
  return /mariadb/i.test(version) ? "mariadb" : "mysql";
}

/**
 * What stands for the server in the records of its files: its UUID. MariaDB
 * servers have none, and are told apart by their server ids, which differ among
 * those that replicate from each other.
 */
export function originOf(
  { flavour, uuid, serverId }: Pick<
    SourceIdentity,
    "flavour" | "uuid" | "serverId"
  >,
): string {
  return flavour === "mariadb" ? `mariadb-${serverId}` : uuid;
}

/**
 * What a source says of itself, as the syncer keeps it beside the log and the
 * binlog server repeats it to replicas.
 */
export interface SourceIdentity {
  /** Whose binlogs the log is made of: found at the first start, and kept. */
  readonly flavour: Flavour;
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
  /** Its `@@GLOBAL.binlog_row_metadata`; absent if it does not know that. */
  readonly binlogRowMetadata?: string | undefined;
  /** MariaDB's `@@GLOBAL.gtid_domain_id`, decimal text; absent for MySQL. */
  readonly gtidDomainId?: string | undefined;
  /** MariaDB's `@@GLOBAL.gtid_strict_mode`, "0" or "1"; absent for MySQL. */
  readonly gtidStrictMode?: string | undefined;
}
