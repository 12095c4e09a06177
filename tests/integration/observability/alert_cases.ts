/** What an alert is tested with. */
export interface AlertCase {
  readonly alert: string;
  /**
   * Series that make it fire, a value a minute in the notation of promtool;
   * their labels without `job` and `instance`.
   */
  readonly bad: Readonly<Record<string, string>>;
  /** Minutes after which it fires. */
  readonly firesAt: number;
  /** Minutes after which it does not yet; none where it fires at once. */
  readonly notYetAt?: number;
  /** Labels it fires with, besides `job`, `instance` and those of the rule. */
  readonly labels?: Readonly<Record<string, string>>;
  /** Text of its value in the annotations. */
  readonly value?: string;
  /** Series at which it does not fire, however long they stay so. */
  readonly good: Readonly<Record<string, string>>;
}

const REPLICA =
  'kingbus_replica_info{replica="r1",server_id="42",host="10.0.0.2"}';
const TOOL = 'kingbus_replica_info{replica="10.0.0.2#7",server_id="0"}';

/** A histogram's buckets: so many values a minute up to each bound. */
function buckets(
  name: string,
  perMinute: Readonly<Record<string, number>>,
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(perMinute).map((
      [le, count],
    ) => [`${name}_bucket{le="${le}"}`, `0+${count}x90`]),
  );
}

/** One case for each alert of scripts/observability/alerts.yml. */
export const ALERT_CASES: readonly AlertCase[] = [
  {
    alert: "KingbusDown",
    bad: { up: "1x3 0x20" },
    notYetAt: 5,
    firesAt: 7,
    good: { up: "1x3 0x0 1x60" },
  },
  {
    alert: "KingbusRestarts",
    bad: { process_start_time_seconds: "100 100 200 200 300 300 400x30" },
    firesAt: 7,
    value: "3",
    good: { process_start_time_seconds: "100x20 200x40" },
  },
  {
    alert: "KingbusNotReady",
    bad: {
      'kingbus_ready{part="server"}': "1 0x20",
      'kingbus_ready{part="node"}': "1x21",
    },
    notYetAt: 5,
    firesAt: 7,
    labels: { part: "server" },
    good: { 'kingbus_ready{part="server"}': "1x10 0x3 1x40" },
  },
  {
    alert: "KingbusInternalErrors",
    bad: {
      'kingbus_session_errors_total{kind="internal"}': "0x5 1x30",
      'kingbus_dumps_ended_total{reason="failed"}': "0x35",
      'kingbus_source_errors_total{cause="internal"}': "0x35",
    },
    firesAt: 8,
    good: {
      'kingbus_session_errors_total{kind="internal"}': "7x60",
      'kingbus_session_errors_total{kind="protocol"}': "0+1x60",
      'kingbus_dumps_ended_total{reason="failed"}': "2x60",
      'kingbus_source_errors_total{cause="internal"}': "0x60",
    },
  },
  {
    alert: "KingbusEventLoopBlocked",
    bad: buckets("kingbus_event_loop_delay_seconds", {
      "0.25": 0,
      "0.5": 120,
      "+Inf": 120,
    }),
    notYetAt: 9,
    firesAt: 15,
    value: "497.5ms",
    good: buckets("kingbus_event_loop_delay_seconds", {
      "0.25": 119,
      "0.5": 120,
      "+Inf": 120,
    }),
  },
  {
    alert: "KingbusSourceNotFollowing",
    bad: { kingbus_source_wanted: "1x30", kingbus_source_connected: "1 0x30" },
    notYetAt: 5,
    firesAt: 7,
    // Stopped on purpose.
    good: { kingbus_source_wanted: "0x60", kingbus_source_connected: "0x60" },
  },
  {
    alert: "KingbusSourceFailed",
    bad: { 'kingbus_source_state{state="failed"}': "0 1x20" },
    firesAt: 3,
    labels: { state: "failed" },
    good: {
      'kingbus_source_state{state="failed"}': "0x60",
      'kingbus_source_state{state="waiting"}': "1x60",
    },
  },
  {
    alert: "KingbusSourceUnstable",
    bad: { kingbus_source_reconnects_total: "0+1x30" },
    firesAt: 20,
    value: "15",
    good: { kingbus_source_reconnects_total: "0x9 1x20 2x30" },
  },
  {
    alert: "KingbusSourceLag",
    bad: { kingbus_source_lag_seconds: "0 90x30" },
    notYetAt: 5,
    firesAt: 7,
    value: "1m 30s",
    good: { kingbus_source_lag_seconds: "0 90x3 0x30 59x20" },
  },
  {
    alert: "KingbusSourceSemiSyncOff",
    bad: {
      kingbus_source_semi_sync_active: "0x30",
      kingbus_source_connected: "1x30",
    },
    notYetAt: 9,
    firesAt: 11,
    // Not asked for: there is no such series.
    good: { kingbus_source_connected: "1x60" },
  },
  {
    alert: "KingbusStoreNotWritable",
    bad: { kingbus_store_writable: "1 0x10" },
    firesAt: 3,
    good: { kingbus_store_writable: "1x60" },
  },
  {
    alert: "KingbusDiskLow",
    bad: {
      kingbus_disk_free_bytes: "1073741824x20",
      kingbus_store_free_bytes: "536870912x20",
    },
    notYetAt: 4,
    firesAt: 6,
    value: "1.5Gi",
    // What is free inside the database counts.
    good: {
      kingbus_disk_free_bytes: "1073741824x60",
      kingbus_store_free_bytes: "2147483648x60",
    },
  },
  {
    alert: "KingbusDiskWillBeFull",
    bad: {
      kingbus_disk_free_bytes: "1000000000000-1000000000x90",
      kingbus_store_free_bytes: "0x90",
    },
    notYetAt: 20,
    firesAt: 40,
    good: {
      kingbus_disk_free_bytes: "1000000000000-1000000x60",
      kingbus_store_free_bytes: "0x60",
    },
  },
  {
    alert: "KingbusCommitSlow",
    bad: buckets("kingbus_commit_duration_seconds", {
      "0.5": 90,
      "1": 100,
      "+Inf": 100,
    }),
    notYetAt: 9,
    firesAt: 15,
    value: "950ms",
    good: buckets("kingbus_commit_duration_seconds", {
      "0.25": 100,
      "0.5": 100,
      "1": 100,
      "+Inf": 100,
    }),
  },
  {
    alert: "KingbusLogDamaged",
    bad: {
      'kingbus_dumps_ended_total{reason="damaged"}': "0x5 1x30",
      'kingbus_source_errors_total{cause="store"}': "0x35",
    },
    firesAt: 8,
    good: {
      'kingbus_dumps_ended_total{reason="damaged"}': "0x60",
      'kingbus_dumps_ended_total{reason="client-gone"}': "0+3x60",
      'kingbus_source_errors_total{cause="store"}': "0x60",
    },
  },
  {
    alert: "KingbusRetentionHeldBack",
    bad: {
      kingbus_retention_held_back_bytes: "1048576x90",
      kingbus_retention_held_back_timestamp_seconds: "0x90",
    },
    notYetAt: 62,
    firesAt: 70,
    value: "1Mi",
    // Each time it lasts for a few minutes.
    good: {
      kingbus_retention_held_back_bytes: "1048576x60",
      kingbus_retention_held_back_timestamp_seconds: "0+60x60",
    },
  },
  {
    alert: "KingbusRetentionFailing",
    bad: { kingbus_retention_failures_total: "0+1x30" },
    firesAt: 12,
    good: { kingbus_retention_failures_total: "0x5 1x60" },
  },
  {
    alert: "KingbusReplicaLag",
    bad: {
      'kingbus_replica_lag_seconds{replica="r1"}': "0 600x30",
      'kingbus_replica_lag_seconds{replica="r2"}': "0x31",
    },
    notYetAt: 10,
    firesAt: 12,
    labels: { replica: "r1" },
    value: "10m 0s",
    good: { 'kingbus_replica_lag_seconds{replica="r1"}': "0 600x8 0x50" },
  },
  {
    alert: "KingbusReplicaLost",
    bad: { up: "1x90", [REPLICA]: "1x10 stale" },
    notYetAt: 12,
    firesAt: 22,
    labels: { replica: "r1", server_id: "42", host: "10.0.0.2" },
    // One that is there, a tool that has what it wanted, and a kingbus that is
    // away itself.
    good: { up: "1x20 0x40", [REPLICA]: "1x20 stale", [TOOL]: "1x3 stale" },
  },
  {
    alert: "KingbusDeclaredReplicaAway",
    bad: { 'kingbus_retention_replica_connected{replica="r1"}': "1 0x40" },
    notYetAt: 14,
    firesAt: 17,
    labels: { replica: "r1" },
    good: {
      'kingbus_retention_replica_connected{replica="r1"}': "1x9 0x9 1x40",
    },
  },
  {
    alert: "KingbusDeclaredReplicaLost",
    bad: { 'kingbus_retention_replica_lost{replica="r1"}': "0 1x10" },
    firesAt: 3,
    labels: { replica: "r1" },
    good: { 'kingbus_retention_replica_lost{replica="r1"}': "0x60" },
  },
  {
    alert: "KingbusReplicasRefused",
    bad: {
      'kingbus_connections_refused_total{reason="access-denied"}': "0+6x40",
      'kingbus_connections_refused_total{reason="tls-failed"}': "0x40",
    },
    firesAt: 20,
    labels: { reason: "access-denied" },
    value: "60",
    good: {
      'kingbus_connections_refused_total{reason="access-denied"}':
        "0x10 3x20 5x30",
    },
  },
  {
    alert: "KingbusAdminFull",
    bad: {
      'kingbus_admin_connections_refused_total{reason="too-many-connections"}':
        "0x5 3x30",
    },
    firesAt: 8,
    value: "3",
    good: {
      'kingbus_admin_connections_refused_total{reason="too-many-connections"}':
        "7x60",
      'kingbus_admin_connections_refused_total{reason="malformed"}': "0+1x60",
    },
  },
  {
    alert: "KingbusAdminRefused",
    bad: {
      'kingbus_admin_connections_refused_total{reason="tls-failed"}': "0+6x40",
      'kingbus_admin_connections_refused_total{reason="not-read"}': "0x40",
    },
    firesAt: 20,
    labels: { reason: "tls-failed" },
    value: "60",
    good: {
      'kingbus_admin_connections_refused_total{reason="too-slow"}':
        "0x10 3x20 5x30",
      'kingbus_admin_connections_refused_total{reason="too-many-connections"}':
        "0+6x60",
    },
  },
  {
    alert: "KingbusDumpsRefused",
    bad: { 'kingbus_dumps_ended_total{reason="refused"}': "0+1x40" },
    firesAt: 20,
    labels: { reason: "refused" },
    good: {
      'kingbus_dumps_ended_total{reason="refused"}': "0x20 1x40",
      'kingbus_dumps_ended_total{reason="superseded"}': "0+2x60",
    },
  },
  {
    alert: "KingbusReplicasTooSlow",
    bad: { 'kingbus_dumps_ended_total{reason="too-slow"}': "0+1x40" },
    firesAt: 31,
    labels: { reason: "too-slow" },
    value: "30",
    good: { 'kingbus_dumps_ended_total{reason="too-slow"}': "0x30 1x30" },
  },
  {
    alert: "KingbusConnectionsNearLimit",
    bad: { kingbus_connections: "95x20", kingbus_connections_limit: "100x20" },
    notYetAt: 4,
    firesAt: 6,
    value: "95%",
    good: { kingbus_connections: "90x60", kingbus_connections_limit: "100x60" },
  },
  {
    alert: "KingbusSemiSyncDegraded",
    bad: { kingbus_semi_sync_degraded: "0 1x20" },
    notYetAt: 2,
    firesAt: 4,
    good: { kingbus_semi_sync_degraded: "0x9 1x1 0x40" },
  },
];
