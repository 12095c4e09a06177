import type { Metric } from "./metric.ts";
import { ADMIN_METRICS } from "./table/admin_metrics.ts";
import { LOG_METRICS } from "./table/log_metrics.ts";
import { NODE_METRICS } from "./table/node_metrics.ts";
import { PROCESS_METRICS } from "./table/process_metrics.ts";
import { REPLICA_METRICS } from "./table/replica_metrics.ts";
import { RETENTION_METRICS } from "./table/retention_metrics.ts";
import { SERVER_METRICS } from "./table/server_metrics.ts";
import { SOURCE_METRICS } from "./table/source_metrics.ts";

/** Every metric of `GET /metrics`: what is registered, and what is documented. */
export const METRICS: readonly Metric[] = [
  ...NODE_METRICS,
  ...SOURCE_METRICS,
  ...LOG_METRICS,
  ...RETENTION_METRICS,
  ...SERVER_METRICS,
  ...REPLICA_METRICS,
  ...ADMIN_METRICS,
  ...PROCESS_METRICS,
];
