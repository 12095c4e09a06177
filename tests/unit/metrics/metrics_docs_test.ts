import { assert, assertEquals, assertThrows } from "@std/assert";
import { METRICS } from "../../../lib/metrics/metric_list.ts";
import { withMetrics } from "../../../scripts/metrics_docs.ts";
import { unknownNames } from "../../support/query_names.ts";

const PAGE = new URL("../../../docs/metrics.md", import.meta.url);

Deno.test("docs/metrics.md has the tables that scripts/metrics_docs.ts writes", async () => {
  const page = await Deno.readTextFile(PAGE);
  assertEquals(withMetrics(page), page);
  for (const { name } of METRICS) assert(page.includes(`| \`${name}\``), name);
});

Deno.test("withMetrics() writes a table that is out of date anew, and misses none", async () => {
  const page = await Deno.readTextFile(PAGE);
  const old = page.replaceAll("kingbus_log_lines_total", "kingbus_lines_total");
  assertEquals(withMetrics(old), page);
  const without = page.replace("## Log and disk", "## Log");
  assertThrows(() => withMetrics(without), TypeError, "Log and disk");
});

Deno.test("the queries of docs/metrics.md name metrics and labels that there are", async () => {
  const page = await Deno.readTextFile(PAGE);
  const queries = [...page.matchAll(/```promql\n([^]*?)```/g)].map(
    ([, query = ""]) => query,
  );
  assert(queries.length >= 10);
  for (const query of queries) {
    assertEquals(unknownNames(query, METRICS), [], query);
  }
});

Deno.test("unknownNames() finds what is not there", () => {
  const of = (query: string): string[] => unknownNames(query, METRICS);
  assertEquals(of("kingbus_replica_lag"), ["kingbus_replica_lag"]);
  assertEquals(of('kingbus_ready{part="x",who=~"y"}'), ["kingbus_ready{who}"]);
  assertEquals(of("sum by (reason, who) (kingbus_connections_refused_total)"), [
    "by (who)",
  ]);
  assertEquals(of("kingbus_commit_bytes"), ["kingbus_commit_bytes"]);
  assertEquals(
    of(
      "histogram_quantile(0.9, sum by (le) (rate(kingbus_commit_bytes_bucket[$__rate_interval])))",
    ),
    [],
  );
  assertEquals(of("1 + 1"), ["no metric in 1 + 1"]);
});
