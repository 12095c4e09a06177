import type { SyncerReport } from "../../admin/control.ts";
import type { SyncerState } from "../../syncer/syncer_status.ts";
import { labelValue } from "../label_value.ts";
import {
  type Metric,
  type MetricSample,
  samplesOf,
  unixSeconds,
} from "../metric.ts";

const STATES: Readonly<Record<SyncerState, true>> = {
  stopped: true,
  connecting: true,
  following: true,
  waiting: true,
  failed: true,
};

const CAUSE = {
  name: "cause",
  values: "a cause of [docs/admin-api.md](admin-api.md)",
};

/** Following the source, and acknowledging to it. */
export const SOURCE_METRICS: readonly Metric[] = [
  {
    name: "kingbus_source_info",
    type: "gauge",
    subject: "source",
    help:
      "Always 1; its labels say who is followed. None before that is known.",
    labels: [
      { name: "address", values: "`host:port`" },
      { name: "server_id", values: "server id of the source" },
      { name: "uuid", values: "server uuid; empty for MariaDB" },
      { name: "version", values: "version of the source" },
      { name: "tls", values: "TLS version, or `none`" },
      { name: "compression", values: "`none`, `zlib`, `zstd`" },
    ],
    read: ({ syncer }) => sourceInfo(syncer),
  },
  {
    name: "kingbus_source_wanted",
    type: "gauge",
    subject: "source",
    help: "1 while kingbus is meant to follow a source.",
    read: ({ syncer }) => Number(syncer.wanted),
  },
  {
    name: "kingbus_source_connected",
    type: "gauge",
    subject: "source",
    help: "1 while the source sends its log.",
    read: ({ syncer }) => Number(syncer.state === "following"),
  },
  {
    name: "kingbus_source_state",
    type: "gauge",
    subject: "source",
    help: "1 for the state the syncer is in, 0 for the others.",
    labels: [{
      name: "state",
      values: "`stopped`, `connecting`, `following`, `waiting`, `failed`",
    }],
    read: ({ syncer }) =>
      Object.keys(STATES).map((state) => ({
        value: Number(syncer.state === state),
        labels: { state },
      })),
  },
  {
    name: "kingbus_source_fault",
    type: "gauge",
    subject: "source",
    help:
      "1 for what keeps kingbus from following; no series while nothing does.",
    labels: [CAUSE],
    read: ({ syncer: { cause } }) =>
      cause === undefined ? [] : [{ value: 1, labels: { cause } }],
  },
  {
    name: "kingbus_source_lag_seconds",
    type: "gauge",
    subject: "source",
    help:
      "How old the newest event stored was when the source last sent anything; 0 once the source has nothing more. No series while it is not followed, and until anything is stored.",
    read: ({ syncer }) => syncer.secondsBehind,
  },
  {
    name: "kingbus_source_lag_bytes",
    type: "gauge",
    subject: "source",
    help:
      "Bytes of the source's log that have not come, by its end as last asked for. No series while that is not known.",
    read: ({ syncer }) => syncer.bytesBehind,
  },
  {
    name: "kingbus_source_connections_total",
    type: "counter",
    subject: "source",
    help: "Times a source has begun to send its log.",
    read: ({ source }) => source.connections,
  },
  {
    name: "kingbus_source_reconnects_total",
    type: "counter",
    subject: "source",
    help:
      "Times a source has begun to send its log anew, after the first time.",
    read: ({ source }) => Math.max(0, source.connections - 1),
  },
  {
    name: "kingbus_source_failed_attempts",
    type: "gauge",
    subject: "source",
    help: "Attempts in a row that failed; 0 once a connection has lasted.",
    read: ({ syncer }) => syncer.attempts,
  },
  {
    name: "kingbus_source_errors_total",
    type: "counter",
    subject: "source",
    help: "Attempts to follow that failed, and connections lost.",
    labels: [CAUSE],
    read: ({ source }) => samplesOf("cause", source.faults),
  },
  {
    name: "kingbus_source_heartbeats_total",
    type: "counter",
    subject: "source",
    help:
      "Heartbeats from the source, which it sends when it has nothing else.",
    read: ({ source }) => source.heartbeats,
  },
  {
    name: "kingbus_source_received_bytes_total",
    type: "counter",
    subject: "source",
    help:
      "Bytes from the source: events, heartbeats and what frames them, those sent twice included.",
    read: ({ receivedBytes }) => receivedBytes,
  },
  {
    name: "kingbus_source_last_heard_timestamp_seconds",
    type: "gauge",
    subject: "source",
    help: "When anything came from the source last. No series before.",
    read: ({ syncer }) => unixSeconds(syncer.heardAt),
  },
  {
    name: "kingbus_source_connected_timestamp_seconds",
    type: "gauge",
    subject: "source",
    help: "When the source last began to send its log. No series before.",
    read: ({ syncer }) => unixSeconds(syncer.connectedAt),
  },
  {
    name: "kingbus_source_semi_sync_active",
    type: "gauge",
    subject: "source",
    help:
      "1 while the source waits for kingbus's acknowledgements. No series unless source.semi-sync is on.",
    read: ({ syncer: { semiSync } }) =>
      semiSync.wanted ? Number(semiSync.link?.active ?? false) : undefined,
  },
  {
    name: "kingbus_source_semi_sync_acks_total",
    type: "counter",
    subject: "source",
    help: "Acknowledgements sent to the source.",
    read: ({ syncer }) => syncer.semiSync.link?.acks ?? 0,
  },
  {
    name: "kingbus_source_semi_sync_waiting",
    type: "gauge",
    subject: "source",
    help: "Events whose acknowledgement the source waits for.",
    read: ({ syncer }) => syncer.semiSync.link?.waiting ?? 0,
  },
];

function sourceInfo(
  { target, source, candidates }: SyncerReport,
): MetricSample[] {
  if (source === undefined || source.version === "") return [];
  const followed = candidates.find((candidate) => candidate.followed);
  return [{
    value: 1,
    labels: {
      address: followed?.address ?? target?.address ?? "",
      server_id: source.serverId,
      uuid: labelValue(source.uuid),
      version: labelValue(source.version),
      tls: source.tls?.version ?? "none",
      compression: source.compression ?? "none",
    },
  }];
}
