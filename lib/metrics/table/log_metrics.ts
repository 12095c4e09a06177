import type { StoredFile } from "../../store/binlog_store.ts";
import type { Metric } from "../metric.ts";

/** What is stored, and how it comes to disk. */
export const LOG_METRICS: readonly Metric[] = [
  {
    name: "kingbus_ingest_bytes_total",
    type: "counter",
    subject: "log",
    help:
      "Bytes of binlog files that were made durable, less the 4 that each file begins with.",
    read: ({ ingest }) => ingest.bytes,
  },
  {
    name: "kingbus_ingest_events_total",
    type: "counter",
    subject: "log",
    help: "Events that were made durable.",
    read: ({ ingest }) => ingest.events,
  },
  {
    name: "kingbus_ingest_transactions_total",
    type: "counter",
    subject: "log",
    help: "Transactions that were made durable.",
    read: ({ ingest }) => ingest.transactions,
  },
  {
    name: "kingbus_commit_duration_seconds",
    type: "histogram",
    subject: "log",
    help:
      "How long one commit of the log took, until it was on disk. What arrives meanwhile goes into the next one.",
    buckets: [
      0.0005,
      0.001,
      0.0025,
      0.005,
      0.01,
      0.025,
      0.05,
      0.1,
      0.25,
      0.5,
      1,
      2.5,
      5,
      10,
    ],
  },
  {
    name: "kingbus_commit_bytes",
    type: "histogram",
    subject: "log",
    help:
      "Bytes of the log that one commit made visible; 0 for a part of a large transaction.",
    buckets: [0, 1024, 4096, 16384, 65536, 262144, 1048576, 16777216],
  },
  {
    name: "kingbus_binlog_files",
    type: "gauge",
    subject: "log",
    help: "Binlog files in the store.",
    read: ({ files }) => files.length,
  },
  {
    name: "kingbus_binlog_bytes",
    type: "gauge",
    subject: "log",
    help: "Their sizes added up.",
    read: ({ files }) => files.reduce((bytes, { size }) => bytes + size, 0),
  },
  {
    name: "kingbus_binlog_oldest_event_timestamp_seconds",
    type: "gauge",
    subject: "log",
    help:
      "When the oldest event in the store was made, by the source's clock. No series while there is none.",
    read: ({ files }) => oldestTimestamp(files),
  },
  {
    name: "kingbus_binlog_newest_event_timestamp_seconds",
    type: "gauge",
    subject: "log",
    help:
      "When the newest event in the store was made, by the source's clock. No series while there is none.",
    read: ({ head }) => head?.lastTimestamp || undefined,
  },
  {
    name: "kingbus_store_writable",
    type: "gauge",
    subject: "log",
    help:
      "1 while the store takes what the source sends; 0 after its disk failed.",
    read: ({ writable }) => Number(writable),
  },
  {
    name: "kingbus_store_file_bytes",
    type: "gauge",
    subject: "log",
    help: "Bytes of the database's files, free pages included.",
    read: ({ disk }) => disk.use?.databaseBytes,
  },
  {
    name: "kingbus_store_free_bytes",
    type: "gauge",
    subject: "log",
    help:
      "Of kingbus_store_file_bytes, what holds nothing: it is used before the files grow.",
    read: ({ disk }) => disk.use?.freeInsideBytes,
  },
  {
    name: "kingbus_store_removing_bytes",
    type: "gauge",
    subject: "log",
    help: "Of kingbus_store_file_bytes, what is purged and not free yet.",
    read: ({ disk }) => disk.use?.removingBytes,
  },
  {
    name: "kingbus_disk_free_bytes",
    type: "gauge",
    subject: "log",
    help:
      "What kingbus can still write to the disk of the store. No series while the system does not say.",
    read: ({ disk }) => disk.freeBytes,
  },
];

function oldestTimestamp(files: readonly StoredFile[]): number | undefined {
  return files.find(({ firstTimestamp }) => firstTimestamp !== 0)
    ?.firstTimestamp;
}
