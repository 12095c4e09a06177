import type { ChecksumAlgorithm } from "../binlog/checksum.ts";
import type { SqlValue } from "./sql_value.ts";

/** What a replica has asked for by setting user variables before its dump. */
export interface ReplicaSettings {
  /**
   * Checksums it says it can take, `unknown` if it named some that are none, and
   * undefined if it said nothing, in which case it must not be sent any.
   */
  readonly checksum: ChecksumAlgorithm | "unknown" | undefined;
  /** Pause after which it wants a heartbeat, in nanoseconds; 0 for none. */
  readonly heartbeatPeriodNs: bigint;
  /** Its server uuid in lower case; empty if it has not said. */
  readonly uuid: string;
  /** True if it wants semi-synchronous packets. */
  readonly semiSync: boolean;
  /** `@mariadb_slave_capability`, 1..4; 0 for a client that is not MariaDB's. */
  readonly mariadbCapability: number;
  /**
   * True for a client that uses the names of MySQL 8.0.26 and later
   * (`@source_…`, `@replica_…`).
   */
  readonly modern: boolean;
  /**
   * `@slave_connect_state`, a MariaDB replica's position by GTID; undefined for
   * one that asks by file and position.
   */
  readonly slaveConnectState: string | undefined;
  /** `@slave_gtid_strict_mode`: it has to find the transaction that it has last. */
  readonly gtidStrictMode: boolean;
  /** `@slave_gtid_ignore_duplicates`: it may be ahead, by way of other sources. */
  readonly ignoreDuplicates: boolean;
  /** `@slave_until_gtid`: the position by GTID where it stops; undefined for none. */
  readonly untilGtid: string | undefined;
  /** It does not want events that were logged with `@@skip_replication`. */
  readonly skipReplication: boolean;
}

/** A replica's shortest heartbeat period (manual: SOURCE_HEARTBEAT_PERIOD). */
const HEARTBEAT_PERIOD_NS_MIN = 1_000_000n;
/** The longest a timer can wait, 2^31-1 ms; MySQL allows 49 days. */
const HEARTBEAT_PERIOD_NS_MAX = 0x7fff_ffffn * 1_000_000n;

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/**
 * Reads the settings from a session's user variables, the new names before the
 * old ones (`sql/rpl_binlog_sender.cc`, `get_replica_uuid` in
 * `sql/rpl_source.cc`). A value that makes no sense counts as not set.
 *
 * @param userVariables by lower-case name without `@`
 * @param settings system variables that the session has set
 */
export function replicaSettingsOf(
  userVariables: ReadonlyMap<string, SqlValue>,
  settings: ReadonlyMap<string, string | null> = new Map(),
): ReplicaSettings {
  const text = (...names: string[]): string | undefined => {
    for (const name of names) {
      const value = userVariables.get(name)?.text;
      if (value !== undefined && value !== null) return value;
    }
    return undefined;
  };
  const checksum = text("source_binlog_checksum", "master_binlog_checksum");
  const uuid = text("replica_uuid", "slave_uuid")?.toLowerCase() ?? "";
  const semiSync = text("rpl_semi_sync_replica", "rpl_semi_sync_slave");
  return {
    checksum: checksum === undefined ? undefined : checksumOf(checksum),
    heartbeatPeriodNs: heartbeatPeriodOf(
      text("source_heartbeat_period", "master_heartbeat_period"),
    ),
    uuid: UUID.test(uuid) ? uuid : "",
    semiSync: semiSync !== undefined && Number(semiSync) !== 0,
    mariadbCapability: capabilityOf(text("mariadb_slave_capability")),
    modern: [
      "source_binlog_checksum",
      "source_heartbeat_period",
      "replica_uuid",
    ]
      .some((name) => userVariables.has(name)),
    slaveConnectState: text("slave_connect_state"),
    gtidStrictMode: isTrue(text("slave_gtid_strict_mode")),
    ignoreDuplicates: isTrue(text("slave_gtid_ignore_duplicates")),
    untilGtid: text("slave_until_gtid"),
    skipReplication: settings.get("skip_replication") === "ON",
  };
}

/** As `find_type` in MySQL's `mysys/typelib.cc` finds a name. */
function checksumOf(text: string): ReplicaSettings["checksum"] {
  switch (text.replace(/ +$/, "").toUpperCase()) {
    case "CRC32":
      return "crc32";
    case "NONE":
      return "none";
    default:
      return "unknown";
  }
}

function heartbeatPeriodOf(text: string | undefined): bigint {
  if (text === undefined || !/^[0-9]{1,20}$/.test(text)) return 0n;
  const period = BigInt(text);
  if (period === 0n) return 0n;
  if (period < HEARTBEAT_PERIOD_NS_MIN) return HEARTBEAT_PERIOD_NS_MIN;
  return period > HEARTBEAT_PERIOD_NS_MAX ? HEARTBEAT_PERIOD_NS_MAX : period;
}

function isTrue(text: string | undefined): boolean {
  return text !== undefined && Number.parseInt(text, 10) !== 0 &&
    /^\s*-?\d/.test(text);
}

function capabilityOf(text: string | undefined): number {
  return text !== undefined && /^[1-9]$/.test(text) ? Number(text) : 0;
}
