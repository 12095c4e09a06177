import type { AdminParts } from "../admin_parts.ts";
import type { AdminRoute } from "../admin_route.ts";
import { failure } from "../envelope.ts";

/** What Prometheus asks for. */
export function metricsRoutes({ metrics }: AdminParts): AdminRoute[] {
  return [{
    method: "GET",
    path: "/metrics",
    subject: "node",
    summary: "Metrics for Prometheus, or any that reads OpenMetrics.",
    access: "read",
    answer: {
      mediaType: "text/plain",
      about:
        "Prometheus's text format, version 0.0.4; OpenMetrics 1.0 for who asks for `application/openmetrics-text`. docs/metrics.md has what is in it.",
    },
    errors: [{ status: 503, when: "kingbus starts or stops" }],
    handle: async ({ request }) => {
      const page = await metrics.page(request.headers.get("accept") ?? "");
      if (page === undefined) return failure(503, "kingbus starts or stops");
      // Of a text of half a megabyte the server would make more than one copy.
      const body = new TextEncoder().encode(page.text);
      return new Response(body, {
        headers: {
          "content-type": page.contentType,
          // Compressing it would take longer than making it.
          "cache-control": "no-store, no-transform",
        },
      });
    },
  }];
}
