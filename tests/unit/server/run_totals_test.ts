import { assertEquals } from "@std/assert";
import { RunTotals } from "../../../lib/server/run_totals.ts";
import { ServerCounters } from "../../../lib/server/server_counters.ts";

/** A run that has counted so much. */
function run(connections: number, bytesSent: bigint, selects: number) {
  const counters = new ServerCounters(["Com_select", "Com_set_option"]);
  counters.connections = connections;
  counters.bytesSent = bytesSent;
  counters.statements.set("Com_select", selects);
  return { counters, counts: () => counters };
}

Deno.test("RunTotals never goes back, whether a run stops, has stopped or begins", () => {
  const totals = new RunTotals(["Com_select", "Com_set_option"]);
  assertEquals(totals.now().statements.get("Com_set_option"), 0);
  const first = run(2, 100n, 3);
  totals.began(first);
  assertEquals(totals.now().bytesSent, 100);
  // It is stopping, and sends on.
  first.counters.bytesSent = 150n;
  const second = run(1, 10n, 4);
  totals.began(second);
  assertEquals([totals.now().bytesSent, totals.now().connections], [160, 3]);
  totals.ended(first);
  totals.ended(first);
  assertEquals([totals.now().bytesSent, totals.now().connections], [160, 3]);
  totals.ended(second);
  assertEquals(totals.now(), {
    connections: 3,
    questions: 0,
    bytesReceived: 0,
    bytesSent: 160,
    statements: new Map([["Com_select", 7], ["Com_set_option", 0]]),
  });
});
