import { VERSION } from "../version.ts";
import type { AdminParts } from "./admin_parts.ts";
import type { AdminRoute } from "./admin_route.ts";
import { apiRoutes } from "./routes/api_routes.ts";
import { clusterRoutes } from "./routes/cluster_routes.ts";
import { liveRoutes } from "./routes/live_routes.ts";
import { logRoutes } from "./routes/log_routes.ts";
import { metricsRoutes } from "./routes/metrics_routes.ts";
import { nodeRoutes } from "./routes/node_routes.ts";
import { pageRoutes } from "./routes/page_routes.ts";
import { serverRoutes } from "./routes/server_routes.ts";
import { syncerRoutes } from "./routes/syncer_routes.ts";

/** Every route of the admin API: a new group is added here. */
export function adminRoutes(parts: AdminParts): AdminRoute[] {
  const routes = [
    ...nodeRoutes(parts),
    ...metricsRoutes(parts),
    ...liveRoutes(parts),
    ...syncerRoutes(parts),
    ...serverRoutes(parts),
    ...logRoutes(parts),
    ...clusterRoutes(parts),
    ...pageRoutes(),
  ];
  return [...routes, ...apiRoutes(routes, VERSION)];
}
