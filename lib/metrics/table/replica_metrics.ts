import type { ReplicaReport } from "../../admin/control.ts";
import {
  type Metric,
  type MetricLabel,
  type MetricSample,
  unixSeconds,
} from "../metric.ts";
import { OTHER_REPLICAS, REPLICA_SERIES_MAX } from "../replica_series.ts";
import type { Scrape } from "../scrape.ts";

const REPLICA: MetricLabel = {
  name: "replica",
  values: "see [Replicas](#replicas)",
};

/** Each replica that is sent the log; its series go when it does. */
export const REPLICA_METRICS: readonly Metric[] = [
  {
    name: "kingbus_replicas",
    type: "gauge",
    subject: "replica",
    help: "Replicas connected: those that are sent the log, and those not yet.",
    labels: [{ name: "state", values: "`dumping`, `connected`" }],
    read: ({ server }) =>
      (["dumping", "connected"] as const).map((state) => ({
        value: server.replicas.filter((one) => one.state === state).length,
        labels: { state },
      })),
  },
  {
    name: "kingbus_replicas_unlisted",
    type: "gauge",
    subject: "replica",
    help:
      `Replicas over the ${REPLICA_SERIES_MAX} that have series of their own. The lag of the last of them is under replica="${OTHER_REPLICAS}".`,
    read: ({ replicas }) => replicas.unlisted.length,
  },
  {
    name: "kingbus_replica_info",
    type: "gauge",
    subject: "replica",
    help: "Always 1; its labels say who the replica is.",
    labels: [
      REPLICA,
      { name: "server_id", values: "its server id" },
      { name: "uuid", values: "its server uuid; empty if it gave none" },
      { name: "host", values: "its address, without the port" },
      { name: "user", values: "account it uses" },
      { name: "mode", values: "`gtid`, `position`" },
      { name: "tls", values: "TLS version, or `none`" },
      { name: "compression", values: "`none`, `zlib`, `zstd`" },
    ],
    read: ({ replicas: { listed } }) =>
      listed.map(({ labels }) => ({ value: 1, labels: labels.info })),
  },
  {
    name: "kingbus_replica_lag_seconds",
    type: "gauge",
    subject: "replica",
    help:
      "How long ago the first event was made that it was not sent yet: this machine's clock less the source's. 0 when it was sent all there is.",
    labels: [REPLICA],
    read: (scrape) => samples(scrape, ({ lagSeconds }) => lagSeconds, true),
  },
  {
    name: "kingbus_replica_lag_bytes",
    type: "gauge",
    subject: "replica",
    help: "Bytes of the log it was not sent yet.",
    labels: [REPLICA],
    read: (scrape) => samples(scrape, ({ lagBytes }) => lagBytes, true),
  },
  {
    name: "kingbus_replica_sent_bytes_total",
    type: "counter",
    subject: "replica",
    help: "Bytes of its dump, before compression and TLS; since it connected.",
    labels: [REPLICA],
    read: (scrape) => samples(scrape, ({ bytesSent }) => Number(bytesSent)),
  },
  {
    name: "kingbus_replica_position_bytes",
    type: "gauge",
    subject: "replica",
    help: "Position, in its file, up to which it was sent the log.",
    labels: [REPLICA],
    read: (scrape) => samples(scrape, ({ position }) => position),
  },
  {
    name: "kingbus_replica_files_behind",
    type: "gauge",
    subject: "replica",
    help: "How many files there are behind its file; 0 in the newest one.",
    labels: [REPLICA],
    read: (scrape) => filesBehind(scrape),
  },
  {
    name: "kingbus_replica_connected_timestamp_seconds",
    type: "gauge",
    subject: "replica",
    help: "When it connected.",
    labels: [REPLICA],
    read: (scrape) =>
      samples(scrape, ({ connectedAt }) => unixSeconds(connectedAt)),
  },
  {
    name: "kingbus_replica_semi_sync_asked_total",
    type: "counter",
    subject: "replica",
    help:
      "Acknowledgements it was asked for; of semi-synchronous replicas alone.",
    labels: [REPLICA],
    read: (scrape) => samples(scrape, ({ acks }) => acks?.asked),
  },
  {
    name: "kingbus_replica_semi_sync_acks_total",
    type: "counter",
    subject: "replica",
    help: "Acknowledgements it sent; of semi-synchronous replicas alone.",
    labels: [REPLICA],
    read: (scrape) => samples(scrape, ({ acks }) => acks?.received),
  },
];

/**
 * A value of each replica that has it.
 *
 * @param withOthers whether the highest of those without series of their own
 * is told, too
 */
function samples(
  { replicas: { listed, unlisted } }: Scrape,
  value: (report: ReplicaReport) => number | undefined,
  withOthers = false,
): MetricSample[] {
  const all: MetricSample[] = [];
  for (const { report, labels } of listed) {
    const one = value(report);
    if (one !== undefined) all.push({ value: one, labels: labels.own });
  }
  if (!withOthers) return all;
  const others = unlisted.map(value).filter((one) => one !== undefined);
  if (others.length > 0) {
    const labels = { replica: OTHER_REPLICAS };
    all.push({ value: others.reduce((a, b) => Math.max(a, b)), labels });
  }
  return all;
}

function filesBehind(scrape: Scrape): MetricSample[] {
  const { files } = scrape;
  const indexes = new Map(files.map(({ name }, index) => [name, index]));
  return samples(scrape, ({ file }) => {
    const index = indexes.get(file);
    return index === undefined ? undefined : files.length - 1 - index;
  });
}
