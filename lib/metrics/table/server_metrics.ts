import { type Metric, type MetricSample, samplesOf } from "../metric.ts";

/** Serving replicas, and what others ask for. */
export const SERVER_METRICS: readonly Metric[] = [
  {
    name: "kingbus_server_listening",
    type: "gauge",
    subject: "replicas",
    help: "1 while the binlog server takes connections.",
    read: ({ server }) => Number(server.state === "running"),
  },
  {
    name: "kingbus_connections",
    type: "gauge",
    subject: "replicas",
    help: "Clients connected to the binlog server, replicas or not.",
    read: ({ connections }) => connections,
  },
  {
    name: "kingbus_connections_limit",
    type: "gauge",
    subject: "replicas",
    help: "server.connections-max: one more client is refused.",
    read: ({ connectionsMax }) => connectionsMax,
  },
  {
    name: "kingbus_connections_total",
    type: "counter",
    subject: "replicas",
    help: "Connections accepted, those included that were refused then.",
    read: ({ totals }) => totals.connections,
  },
  {
    name: "kingbus_connections_refused_total",
    type: "counter",
    subject: "replicas",
    help: "Connections refused before they could do anything.",
    labels: [{
      name: "reason",
      values:
        "`access-denied`, `login-timeout`, `malformed-login`, `tls-failed`, `tls-required`, `no-source-yet`, `too-many-connections`, `too-many-logins`",
    }],
    read: ({ refusals }) => samplesOf("reason", refusals),
  },
  {
    name: "kingbus_logins_total",
    type: "counter",
    subject: "replicas",
    help: "Clients that have logged in.",
    read: ({ service }) => service.logins,
  },
  {
    name: "kingbus_session_errors_total",
    type: "counter",
    subject: "replicas",
    help: "Connections that ended in an error.",
    labels: [{
      name: "kind",
      values: "`protocol`, `timeout`, `lost`, `internal`",
    }],
    read: ({ service }) => samplesOf("kind", service.sessionErrors),
  },
  {
    name: "kingbus_dumps_started_total",
    type: "counter",
    subject: "replicas",
    help: "Times a replica has asked for the log.",
    read: ({ service }) => service.dumpsBegun,
  },
  {
    name: "kingbus_dumps_ended_total",
    type: "counter",
    subject: "replicas",
    help: "Dumps that have ended.",
    labels: [{
      name: "reason",
      values:
        "`complete`, `refused`, `client-gone`, `too-slow`, `bad-acknowledgement`, `killed`, `shutdown`, `superseded`, `damaged`, `failed`",
    }],
    read: ({ service }) => samplesOf("reason", service.dumpsEnded),
  },
  {
    name: "kingbus_sent_bytes_total",
    type: "counter",
    subject: "replicas",
    help: "Bytes sent to all clients, before compression and TLS.",
    read: ({ totals }) => totals.bytesSent,
  },
  {
    name: "kingbus_commands_total",
    type: "counter",
    subject: "replicas",
    help: "Commands received, of whatever kind.",
    read: ({ totals }) => totals.questions,
  },
  {
    name: "kingbus_statements_total",
    type: "counter",
    subject: "replicas",
    help: "Statements answered, by what MySQL counts them as (Com_…).",
    labels: [{
      name: "kind",
      values: "`select`, `set_option`, `show_binlogs`, …",
    }],
    read: ({ totals }) => statements(totals.statements),
  },
  {
    name: "kingbus_semi_sync_required_replicas",
    type: "gauge",
    subject: "replicas",
    help:
      "How many replicas must have a transaction before it is acknowledged to the source; 0 waits for none.",
    read: ({ syncer: { semiSync } }) => semiSync.gate?.required ?? 0,
  },
  {
    name: "kingbus_semi_sync_replicas",
    type: "gauge",
    subject: "replicas",
    help: "Semi-synchronous replicas that are connected.",
    read: ({ syncer: { semiSync } }) => semiSync.gate?.replicas ?? 0,
  },
  {
    name: "kingbus_semi_sync_degraded",
    type: "gauge",
    subject: "replicas",
    help: "1 while replicas took too long and are not waited for.",
    read: ({ syncer: { semiSync } }) =>
      Number(semiSync.gate?.state === "degraded"),
  },
  {
    name: "kingbus_semi_sync_timeouts_total",
    type: "counter",
    subject: "replicas",
    help: "Times replicas took too long.",
    read: ({ syncer: { semiSync } }) => semiSync.gate?.timeouts ?? 0,
  },
  {
    name: "kingbus_semi_sync_transactions_total",
    type: "counter",
    subject: "replicas",
    help:
      "Transactions that went through to the source: because enough replicas had them, or without.",
    labels: [{ name: "outcome", values: "`acknowledged`, `unacknowledged`" }],
    read: ({ syncer: { semiSync } }) =>
      samplesOf("outcome", {
        acknowledged: semiSync.gate?.acknowledged ?? 0,
        unacknowledged: semiSync.gate?.unacknowledged ?? 0,
      }),
  },
];

function* statements(
  counts: ReadonlyMap<string, number>,
): Iterable<MetricSample> {
  for (const [name, value] of counts) {
    yield { value, labels: { kind: name.replace(/^Com_/, "").toLowerCase() } };
  }
}
