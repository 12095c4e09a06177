import { assertEquals } from "@std/assert";
import { prefersOpenMetrics } from "../../../lib/metrics/prefers_open_metrics.ts";

const CASES: readonly (readonly [string, boolean])[] = [
  ["", false],
  ["*/*", false],
  ["text/html,application/xhtml+xml,*/*;q=0.8", false],
  ["text/plain", false],
  ["application/openmetrics-text", true],
  // Prometheus 2.42
  [
    "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
    true,
  ],
  // Prometheus 3
  [
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1",
    true,
  ],
  ["application/openmetrics-text;version=0.0.1", false],
  ["application/openmetrics-text;q=0.2,text/plain;q=0.9", false],
  ["application/openmetrics-text;q=0", false],
  ["application/openmetrics-textual", false],
];

Deno.test("prefersOpenMetrics() takes the format that is asked for", () => {
  for (const [accept, expected] of CASES) {
    assertEquals(prefersOpenMetrics(accept), expected, accept);
  }
});
