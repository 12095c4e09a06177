import { type Metric, type MetricLabel, samplesOf } from "../metric.ts";

const ROUTE: MetricLabel = {
  name: "route",
  values:
    "path as [docs/admin-api.md](admin-api.md) has it; `other` for unknown ones",
};

/** What the admin API is asked for. */
export const ADMIN_METRICS: readonly Metric[] = [
  {
    name: "kingbus_admin_requests_total",
    type: "counter",
    subject: "admin",
    help: "Requests that the admin API has answered.",
    labels: [
      { name: "method", values: "HTTP method; `other` for unusual ones" },
      ROUTE,
      { name: "status", values: "HTTP status" },
    ],
    read: ({ adminRequests }) => adminRequests,
  },
  {
    name: "kingbus_admin_connections_refused_total",
    type: "counter",
    subject: "admin",
    help:
      "Connections that the admin API ended in the place of what they asked for.",
    labels: [{
      name: "reason",
      values:
        "`too-many-connections`, `malformed` (no HTTP), `too-slow`, `head-too-large`, `tls-failed`, `not-read`",
    }],
    read: ({ adminRefusals }) => samplesOf("reason", adminRefusals),
  },
  {
    name: "kingbus_admin_request_duration_seconds",
    type: "histogram",
    subject: "admin",
    help:
      "How long the admin API took until its answer began, event streams included.",
    labels: [ROUTE],
    buckets: [0.001, 0.005, 0.02, 0.1, 0.5, 2, 10],
  },
];
