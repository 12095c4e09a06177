import { labelValue } from "../label_value.ts";
import { type Metric, unixSeconds } from "../metric.ts";

const REPLICA = {
  name: "replica",
  values: "name in `retention.replicas`",
};

/** What is purged, and what keeps it from being purged. */
export const RETENTION_METRICS: readonly Metric[] = [
  {
    name: "kingbus_retention_purged_files_total",
    type: "counter",
    subject: "retention",
    help: "Files removed, by a limit or by hand.",
    read: ({ retention }) => retention.purgedFiles,
  },
  {
    name: "kingbus_retention_purged_bytes_total",
    type: "counter",
    subject: "retention",
    help: "Bytes of the files removed.",
    read: ({ retention }) => retention.purgedBytes,
  },
  {
    name: "kingbus_retention_last_purge_timestamp_seconds",
    type: "gauge",
    subject: "retention",
    help: "When files were removed last. No series before.",
    read: ({ retention }) => unixSeconds(retention.lastPurge?.at),
  },
  {
    name: "kingbus_retention_last_check_timestamp_seconds",
    type: "gauge",
    subject: "retention",
    help: "When the limits were checked last. No series without limits.",
    read: ({ retention }) => unixSeconds(retention.checkedAt),
  },
  {
    name: "kingbus_retention_failures_total",
    type: "counter",
    subject: "retention",
    help: "Checks of the limits that failed.",
    read: ({ retention }) => retention.failures,
  },
  {
    name: "kingbus_retention_held_back_files",
    type: "gauge",
    subject: "retention",
    help: "Files that a limit asks to remove and that a replica still needs.",
    read: ({ retention }) => retention.heldBack?.files ?? 0,
  },
  {
    name: "kingbus_retention_held_back_bytes",
    type: "gauge",
    subject: "retention",
    help: "Bytes of those files.",
    read: ({ retention }) => retention.heldBack?.bytes ?? 0,
  },
  {
    name: "kingbus_retention_held_back_timestamp_seconds",
    type: "gauge",
    subject: "retention",
    help: "Since when files are held back. No series while none are.",
    read: ({ retention }) => unixSeconds(retention.heldBack?.since),
  },
  {
    name: "kingbus_retention_limit_bytes",
    type: "gauge",
    subject: "retention",
    help: "retention.size. No series without it.",
    read: ({ retention }) => retention.settings.bytesMax,
  },
  {
    name: "kingbus_retention_limit_age_seconds",
    type: "gauge",
    subject: "retention",
    help: "retention.age. No series without it.",
    read: ({ retention: { settings } }) =>
      settings.ageMaxMs === undefined ? undefined : settings.ageMaxMs / 1000,
  },
  {
    name: "kingbus_retention_limit_files",
    type: "gauge",
    subject: "retention",
    help: "retention.files. No series without it.",
    read: ({ retention }) => retention.settings.filesMax,
  },
  {
    name: "kingbus_retention_limit_free_disk_bytes",
    type: "gauge",
    subject: "retention",
    help: "retention.free-disk. No series without it.",
    read: ({ retention }) => retention.settings.freeDiskBytesMin,
  },
  {
    name: "kingbus_retention_replica_connected",
    type: "gauge",
    subject: "retention",
    help: "1 while a declared replica is connected, 0 while it is away.",
    labels: [REPLICA],
    read: ({ retention }) =>
      retention.replicas.map(({ name, connected }) => ({
        value: Number(connected),
        labels: { replica: labelValue(name) },
      })),
  },
  {
    name: "kingbus_retention_replica_lost",
    type: "gauge",
    subject: "retention",
    help: "1 when files that a declared replica needs were purged by force.",
    labels: [REPLICA],
    read: ({ retention }) =>
      retention.replicas.map(({ name, lost }) => ({
        value: Number(lost),
        labels: { replica: labelValue(name) },
      })),
  },
];
