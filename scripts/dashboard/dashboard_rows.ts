/** A color from a value on. */
export interface Threshold {
  readonly value: number;
  readonly color: "yellow" | "orange" | "red" | "green";
}

/** A query of a panel. */
export interface PanelQuery {
  readonly expr: string;
  /** Name of each series, with labels as `{{instance}}`. */
  readonly legend: string;
}

/** A panel, as far as it is not the same for all of its type. */
export interface DashboardPanel {
  readonly type: "stat" | "timeseries" | "table";
  readonly title: string;
  /** What it answers, and what is wrong when it looks wrong. */
  readonly description: string;
  /** Grafana's name of the unit. */
  readonly unit: string;
  /** Columns of 24. */
  readonly width: number;
  readonly queries: readonly PanelQuery[];
  readonly min?: number;
  /** Green below the first. */
  readonly thresholds?: readonly Threshold[];
  /** Texts and colors of values. */
  readonly mappings?: Readonly<Record<string, readonly [string, string]>>;
  readonly stacked?: boolean;
  /** Of a table: what columns are called. */
  readonly columns?: Readonly<Record<string, string>>;
  /** Of a table: units by such names. */
  readonly columnUnits?: Readonly<Record<string, string>>;
}

/** Panels with a heading. */
export interface DashboardRow {
  readonly title: string;
  readonly panels: readonly DashboardPanel[];
}

const I = 'instance=~"$instance"';

/** One query whose series are told by their instance. */
function by(expr: string, legend = "{{instance}}"): PanelQuery[] {
  return [{ expr, legend }];
}

const YES_NO = { "1": ["yes", "green"], "0": ["no", "red"] } as const;

/** The dashboard, from what is asked first to what is asked last. */
export const DASHBOARD_ROWS: readonly DashboardRow[] = [
  {
    title: "At a glance",
    panels: [
      {
        type: "stat",
        title: "Answers",
        description: "Whether Prometheus can scrape it.",
        unit: "short",
        width: 3,
        queries: by(`up{job="kingbus",${I}}`),
        mappings: YES_NO,
      },
      {
        type: "stat",
        title: "Ready",
        description: "Whether all that is meant to run runs; see /readyz.",
        unit: "short",
        width: 3,
        queries: by(`min by (instance) (kingbus_ready{${I}})`),
        mappings: YES_NO,
      },
      {
        type: "stat",
        title: "Follows its source",
        description: "Whether the source sends its log.",
        unit: "short",
        width: 3,
        queries: by(`kingbus_source_connected{${I}}`),
        mappings: YES_NO,
      },
      {
        type: "stat",
        title: "Behind the source",
        description: "How old what comes is; 0 once there is nothing more.",
        unit: "s",
        width: 3,
        queries: by(`kingbus_source_lag_seconds{${I}}`),
        thresholds: [
          { value: 10, color: "yellow" },
          { value: 60, color: "red" },
        ],
      },
      {
        type: "stat",
        title: "Writes its log",
        description: "Whether the disk takes what comes.",
        unit: "short",
        width: 3,
        queries: by(`kingbus_store_writable{${I}}`),
        mappings: YES_NO,
      },
      {
        type: "stat",
        title: "Replicas",
        description: "How many are sent the log.",
        unit: "short",
        width: 3,
        queries: by(`kingbus_replicas{state="dumping",${I}}`),
      },
      {
        type: "stat",
        title: "Last replica behind",
        description: "Of all replicas, the one furthest behind.",
        unit: "s",
        width: 3,
        queries: by(`max by (instance) (kingbus_replica_lag_seconds{${I}})`),
        thresholds: [
          { value: 30, color: "yellow" },
          { value: 300, color: "red" },
        ],
      },
      {
        type: "stat",
        title: "Free disk",
        description:
          "What can still be written, what is free inside the database included.",
        unit: "bytes",
        width: 3,
        queries: by(
          `kingbus_disk_free_bytes{${I}} + kingbus_store_free_bytes{${I}}`,
        ),
      },
    ],
  },
  {
    title: "Is it following?",
    panels: [
      {
        type: "timeseries",
        title: "State of the syncer",
        description:
          "1 for the state it is in. `failed` does not end by itself: kingbus source status says what to do.",
        unit: "short",
        width: 8,
        queries: by(
          `kingbus_source_state{${I}} == 1`,
          "{{instance}} {{state}}",
        ),
        min: 0,
      },
      {
        type: "timeseries",
        title: "Lost and failed connections",
        description: "By cause; docs/admin-api.md has what to do about each.",
        unit: "short",
        width: 8,
        queries: by(
          `sum by (instance, cause) (increase(kingbus_source_errors_total{${I}}[$__rate_interval])) > 0`,
          "{{instance}} {{cause}}",
        ),
        min: 0,
      },
      {
        type: "timeseries",
        title: "Heard of the source",
        description:
          "How long ago. An idle source sends heartbeats, so this stays low.",
        unit: "s",
        width: 8,
        queries: by(
          `time() - kingbus_source_last_heard_timestamp_seconds{${I}}`,
        ),
        min: 0,
        thresholds: [{ value: 60, color: "red" }],
      },
    ],
  },
  {
    title: "Is it behind?",
    panels: [
      {
        type: "timeseries",
        title: "Behind the source, in time",
        description: "How old the newest event was when it came.",
        unit: "s",
        width: 8,
        queries: by(`kingbus_source_lag_seconds{${I}}`),
        min: 0,
        thresholds: [{ value: 60, color: "red" }],
      },
      {
        type: "timeseries",
        title: "Behind the source, in bytes",
        description: "What of the source's log has not come.",
        unit: "bytes",
        width: 8,
        queries: by(`kingbus_source_lag_bytes{${I}}`),
        min: 0,
      },
      {
        type: "timeseries",
        title: "Bytes in and out",
        description:
          "What is made durable, and what all replicas together are sent.",
        unit: "Bps",
        width: 8,
        queries: [
          {
            expr: `rate(kingbus_ingest_bytes_total{${I}}[$__rate_interval])`,
            legend: "{{instance}} in",
          },
          {
            expr: `rate(kingbus_sent_bytes_total{${I}}[$__rate_interval])`,
            legend: "{{instance}} out",
          },
        ],
        min: 0,
      },
      {
        type: "timeseries",
        title: "Transactions",
        description: "Made durable, a second.",
        unit: "ops",
        width: 8,
        queries: by(
          `rate(kingbus_ingest_transactions_total{${I}}[$__rate_interval])`,
        ),
        min: 0,
      },
      {
        type: "timeseries",
        title: "Events",
        description: "Made durable, a second.",
        unit: "ops",
        width: 8,
        queries: by(
          `rate(kingbus_ingest_events_total{${I}}[$__rate_interval])`,
        ),
        min: 0,
      },
      {
        type: "timeseries",
        title: "From the source, on the wire",
        description: "All that came, heartbeats and repeats included.",
        unit: "Bps",
        width: 8,
        queries: by(
          `rate(kingbus_source_received_bytes_total{${I}}[$__rate_interval])`,
        ),
        min: 0,
      },
    ],
  },
  {
    title: "Is it durable?",
    panels: [
      {
        type: "timeseries",
        title: "Time of a commit",
        description:
          "Until the disk says that it has it: the middle one, and the slowest of a hundred.",
        unit: "s",
        width: 8,
        queries: [0.5, 0.99].map((quantile) => ({
          expr:
            `histogram_quantile(${quantile}, sum by (instance, le) (rate(kingbus_commit_duration_seconds_bucket{${I}}[$__rate_interval])))`,
          legend: `{{instance}} ${quantile * 100} %`,
        })),
        min: 0,
        thresholds: [{ value: 0.5, color: "red" }],
      },
      {
        type: "timeseries",
        title: "Commits, and what is in one",
        description:
          "Under load more goes into one, so that there are not more of them.",
        unit: "short",
        width: 8,
        queries: [
          {
            expr:
              `rate(kingbus_commit_duration_seconds_count{${I}}[$__rate_interval])`,
            legend: "{{instance}} commits a second",
          },
          {
            expr:
              `rate(kingbus_ingest_transactions_total{${I}}[$__rate_interval]) / rate(kingbus_commit_duration_seconds_count{${I}}[$__rate_interval])`,
            legend: "{{instance}} transactions in one",
          },
        ],
        min: 0,
      },
      {
        type: "timeseries",
        title: "Semi-synchronous replication",
        description:
          "Events the source waits for, and 1 while too few replicas acknowledge in time.",
        unit: "short",
        width: 8,
        queries: [
          {
            expr: `kingbus_source_semi_sync_waiting{${I}}`,
            legend: "{{instance}} the source waits for",
          },
          {
            expr: `kingbus_semi_sync_degraded{${I}}`,
            legend: "{{instance}} degraded",
          },
          {
            expr:
              `rate(kingbus_source_semi_sync_acks_total{${I}}[$__rate_interval])`,
            legend: "{{instance}} acknowledgements a second",
          },
          {
            expr:
              `sum by (instance, outcome) (rate(kingbus_semi_sync_transactions_total{${I}}[$__rate_interval]))`,
            legend: "{{instance}} {{outcome}} a second",
          },
        ],
        min: 0,
      },
    ],
  },
  {
    title: "Who lags?",
    panels: [
      {
        type: "timeseries",
        title: "Replicas furthest behind, in time",
        description: "The ten last of them.",
        unit: "s",
        width: 12,
        queries: by(
          `topk(10, kingbus_replica_lag_seconds{${I}})`,
          "{{replica}}",
        ),
        min: 0,
        thresholds: [{ value: 300, color: "red" }],
      },
      {
        type: "timeseries",
        title: "Replicas furthest behind, in bytes",
        description: "What they were not sent.",
        unit: "bytes",
        width: 12,
        queries: by(`topk(10, kingbus_replica_lag_bytes{${I}})`, "{{replica}}"),
        min: 0,
      },
      {
        type: "table",
        title: "Replicas",
        description: "All that are sent the log now.",
        unit: "short",
        width: 24,
        queries: [
          {
            expr:
              `kingbus_replica_lag_seconds{${I}} * on (job, instance, replica) group_left (server_id, host, user, mode, tls) kingbus_replica_info{${I}}`,
            legend: "",
          },
          {
            expr:
              `kingbus_replica_lag_bytes{${I}} * on (job, instance, replica) group_left (server_id, host, user, mode, tls) kingbus_replica_info{${I}}`,
            legend: "",
          },
          {
            expr:
              `rate(kingbus_replica_sent_bytes_total{${I}}[5m]) * on (job, instance, replica) group_left (server_id, host, user, mode, tls) kingbus_replica_info{${I}}`,
            legend: "",
          },
        ],
        columns: {
          "Value #A": "behind",
          "Value #B": "not sent",
          "Value #C": "sent a second",
        },
        columnUnits: {
          "behind": "s",
          "not sent": "bytes",
          "sent a second": "Bps",
        },
      },
      {
        type: "timeseries",
        title: "Sent to replicas",
        description: "The ten that are sent most.",
        unit: "Bps",
        width: 12,
        queries: by(
          `topk(10, rate(kingbus_replica_sent_bytes_total{${I}}[$__rate_interval]))`,
          "{{replica}}",
        ),
        min: 0,
      },
      {
        type: "timeseries",
        title: "Dumps that ended",
        description:
          "`refused`: a replica was told an error; `too-slow`: it took nothing; `damaged`: the store could not be read.",
        unit: "short",
        width: 12,
        queries: by(
          `sum by (instance, reason) (increase(kingbus_dumps_ended_total{${I}}[$__rate_interval])) > 0`,
          "{{instance}} {{reason}}",
        ),
        min: 0,
      },
    ],
  },
  {
    title: "Who is refused?",
    panels: [
      {
        type: "timeseries",
        title: "Refused connections",
        description: "By reason; the log has the addresses.",
        unit: "short",
        width: 8,
        queries: by(
          `sum by (instance, reason) (increase(kingbus_connections_refused_total{${I}}[$__rate_interval])) > 0`,
          "{{instance}} {{reason}}",
        ),
        min: 0,
      },
      {
        type: "timeseries",
        title: "Connections",
        description: "Of all clients, and what server.connections-max allows.",
        unit: "short",
        width: 8,
        queries: [
          {
            expr: `kingbus_connections{${I}}`,
            legend: "{{instance}} connected",
          },
          {
            expr: `kingbus_connections_limit{${I}}`,
            legend: "{{instance}} limit",
          },
        ],
        min: 0,
      },
      {
        type: "timeseries",
        title: "Sessions that ended in an error",
        description: "`internal` is a fault of kingbus; the log has it.",
        unit: "short",
        width: 8,
        queries: by(
          `sum by (instance, kind) (increase(kingbus_session_errors_total{${I}}[$__rate_interval])) > 0`,
          "{{instance}} {{kind}}",
        ),
        min: 0,
      },
      {
        type: "timeseries",
        title: "Refused at the admin API",
        description:
          "Who asks for status, metrics and readiness: `too-many-connections` may be a probe or Prometheus itself.",
        unit: "short",
        width: 24,
        queries: by(
          `sum by (instance, reason) (increase(kingbus_admin_connections_refused_total{${I}}[$__rate_interval])) > 0`,
          "{{instance}} {{reason}}",
        ),
        min: 0,
      },
    ],
  },
  {
    title: "Space and retention",
    panels: [
      {
        type: "timeseries",
        title: "Log and database",
        description:
          "The log's files, the database that holds them, and the limit there is.",
        unit: "bytes",
        width: 8,
        queries: [
          {
            expr: `kingbus_binlog_bytes{${I}}`,
            legend: "{{instance}} log",
          },
          {
            expr: `kingbus_store_file_bytes{${I}}`,
            legend: "{{instance}} database",
          },
          {
            expr: `kingbus_retention_limit_bytes{${I}}`,
            legend: "{{instance}} retention.size",
          },
        ],
        min: 0,
      },
      {
        type: "timeseries",
        title: "Free disk",
        description: "And where it will be in a day, at the pace of six hours.",
        unit: "bytes",
        width: 8,
        queries: [
          {
            expr: `kingbus_disk_free_bytes{${I}}`,
            legend: "{{instance}} now",
          },
          {
            expr: `predict_linear(kingbus_disk_free_bytes{${I}}[6h], 86400)`,
            legend: "{{instance}} in a day",
          },
        ],
      },
      {
        type: "timeseries",
        title: "How far back the log goes",
        description: "So long a replica may be away.",
        unit: "s",
        width: 8,
        queries: by(
          `time() - kingbus_binlog_oldest_event_timestamp_seconds{${I}}`,
        ),
        min: 0,
      },
      {
        type: "timeseries",
        title: "Purged",
        description: "Bytes of removed files.",
        unit: "bytes",
        width: 8,
        queries: by(
          `increase(kingbus_retention_purged_bytes_total{${I}}[$__rate_interval])`,
        ),
        min: 0,
      },
      {
        type: "timeseries",
        title: "Held back",
        description: "What a limit asks to remove and a replica still needs.",
        unit: "bytes",
        width: 8,
        queries: by(`kingbus_retention_held_back_bytes{${I}}`),
        min: 0,
        thresholds: [{ value: 1, color: "orange" }],
      },
      {
        type: "timeseries",
        title: "Declared replicas",
        description: "1 while one of retention.replicas is connected.",
        unit: "short",
        width: 8,
        queries: by(
          `kingbus_retention_replica_connected{${I}}`,
          "{{instance}} {{replica}}",
        ),
        min: 0,
      },
    ],
  },
  {
    title: "The process",
    panels: [
      {
        type: "timeseries",
        title: "Processor",
        description: "1 is one core all the time, which is what it can use.",
        unit: "percentunit",
        width: 6,
        queries: by(
          `rate(process_cpu_seconds_total{job="kingbus",${I}}[$__rate_interval])`,
        ),
        min: 0,
        thresholds: [{ value: 0.9, color: "red" }],
      },
      {
        type: "timeseries",
        title: "Memory",
        description: "What it has in RAM.",
        unit: "bytes",
        width: 6,
        queries: by(`process_resident_memory_bytes{job="kingbus",${I}}`),
        min: 0,
      },
      {
        type: "timeseries",
        title: "Event loop",
        description: "How late everything is, of a hundred times the worst.",
        unit: "s",
        width: 6,
        queries: by(
          `histogram_quantile(0.99, sum by (instance, le) (rate(kingbus_event_loop_delay_seconds_bucket{${I}}[$__rate_interval])))`,
        ),
        min: 0,
        thresholds: [{ value: 0.25, color: "red" }],
      },
      {
        type: "timeseries",
        title: "Admin API and log",
        description: "Requests by status, and warnings and errors logged.",
        unit: "short",
        width: 6,
        queries: [
          {
            expr:
              `sum by (instance, status) (rate(kingbus_admin_requests_total{${I}}[$__rate_interval]))`,
            legend: "{{instance}} {{status}} a second",
          },
          {
            expr:
              `sum by (instance, level) (increase(kingbus_log_lines_total{level=~"warn|error",${I}}[$__rate_interval]))`,
            legend: "{{instance}} {{level}}",
          },
        ],
        min: 0,
      },
    ],
  },
];
