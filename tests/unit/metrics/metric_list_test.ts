import { assert, assertEquals, assertMatch } from "@std/assert";
import { METRICS } from "../../../lib/metrics/metric_list.ts";

Deno.test("every metric has a name as Prometheus's conventions want it, once", () => {
  const names = METRICS.map(({ name }) => name);
  assertEquals(names.length, new Set(names).size);
  for (const { name, type, help, labels = [] } of METRICS) {
    assertMatch(name, /^(kingbus|process)_[a-z0-9]+(_[a-z0-9]+)*$/);
    assertEquals(name.endsWith("_total"), type === "counter", name);
    assertMatch(help, /^\S.*\.$/, name);
    assert(!/[\n|]/.test(help), name);
    for (const label of labels) assertMatch(label.name, /^[a-z][a-z_]*$/);
    // The base unit is the last word, but for `_total`.
    for (const unit of ["seconds", "bytes"]) {
      const word = `_${unit}`;
      if (!name.includes(word)) continue;
      const end = name.replace(/_total$/, "");
      assert(end.endsWith(word), `${name} should end in ${unit}`);
    }
    assert(!/_(ms|milliseconds|kb|mb|minutes|hours|percent)(_|$)/.test(name));
  }
});

Deno.test("histograms have ascending buckets", () => {
  for (const metric of METRICS) {
    if (metric.type !== "histogram") continue;
    const sorted = [...metric.buckets].sort((a, b) => a - b);
    assertEquals([...metric.buckets], sorted);
    assertEquals(new Set(sorted).size, sorted.length);
  }
});
