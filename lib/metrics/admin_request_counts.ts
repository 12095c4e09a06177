import type { AdminRequestFacts } from "../admin/request_observer.ts";
import type { MetricSample } from "./metric.ts";

/** Methods that are told apart; anybody can make up others. */
const METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"];

/** What is neither a known method nor a known path. */
const OTHER = "other";

/** Counts the admin API's requests by method, route and status. */
export class AdminRequestCounts {
  readonly #counts = new Map<
    string,
    { value: number; labels: RequestLabels }
  >();

  /** Counts one; answers the route it counts for. */
  count({ method, route, status }: AdminRequestFacts): string {
    const labels = {
      method: METHODS.includes(method) ? method : OTHER,
      route: route ?? OTHER,
      status: String(status),
    };
    const key = `${labels.method} ${labels.status} ${labels.route}`;
    const count = this.#counts.get(key);
    if (count === undefined) this.#counts.set(key, { value: 1, labels });
    else count.value++;
    return labels.route;
  }

  /** What was counted so far. */
  samples(): MetricSample[] {
    return [...this.#counts.values()].map((count) => ({ ...count }));
  }
}

type RequestLabels = Record<"method" | "route" | "status", string>;
