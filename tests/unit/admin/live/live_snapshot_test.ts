import { assert, assertEquals } from "@std/assert";
import type { ReplicaReport } from "../../../../lib/admin/control.ts";
import { liveStatus } from "../../../../lib/admin/live/live_snapshot.ts";
import { LIVE_STATUS } from "../../../../lib/admin/live/live_status.ts";
import { RecentWarnings } from "../../../../lib/admin/live/recent_warnings.ts";
import { listFiles, type MemoryServerControl } from "../memory_controls.ts";
import { MemoryNode } from "../memory_node.ts";

function openNode() {
  const parts = new MemoryNode();
  return { parts, warnings: new RecentWarnings(() => 1_700_000_000_000) };
}

/** So many replicas; the later they came, the further they are behind. */
function manyReplicas(
  server: MemoryServerControl,
  count: number,
): ReplicaReport[] {
  const [replica] = server.report().replicas;
  return Array.from({ length: count }, (_, at) => ({
    ...replica!,
    connectionId: String(at),
    lagSeconds: at % 10 === 9 ? undefined : Math.floor(at / 100),
    lagBytes: at,
    bytesPerSecond: 10,
  }));
}

Deno.test("liveStatus() has all of a small node, and is what the stream promises", () => {
  const { parts, warnings } = openNode();
  warnings.add("warn", "slow", { connection: 5 });
  const status = liveStatus(parts, warnings);
  assertEquals(LIVE_STATUS.parse(JSON.parse(JSON.stringify(status))), {
    ...JSON.parse(JSON.stringify(status)),
  });
  assertEquals(status.server.slaves.length, 1);
  assertEquals(status.replicas, {
    total: 1,
    shown: 1,
    sending: 1,
    behind: 1,
    lag_seconds: 2,
    bytes_per_second: 1234,
  });
  assertEquals(status.files.map(({ name, size }) => [name, size]), [
    ["binlog.000042", 157],
  ]);
  assert(!("previous_gtids" in status.files[0]!));
  assertEquals(status.warnings.map(({ message }) => message), ["slow"]);
});

Deno.test("liveStatus() of a large node has those furthest behind, and counts all", () => {
  const { parts, warnings } = openNode();
  parts.server.current = { replicas: manyReplicas(parts.server, 1000) };
  const file = listFiles()[0]!;
  parts.files = () =>
    Array.from({ length: 10_000 }, (_, at) => ({
      ...file,
      name: `binlog.${String(at + 1).padStart(6, "0")}`,
    }));
  for (let nth = 0; nth < 100; nth++) {
    warnings.add("error", `nr ${nth} ${"x".repeat(10_000)}`, {});
  }
  const gtids = "3e11fa47-71ca-11e1-9e33-c80aa9429562:1-2,".repeat(10_000);
  const { log } = parts.syncer.report();
  parts.syncer.current = { log: { ...log, executed: gtids, purged: gtids } };

  const status = liveStatus(parts, warnings);
  assertEquals(status.replicas, {
    total: 1000,
    shown: 100,
    sending: 1000,
    behind: 810,
    lag_seconds: 9,
    bytes_per_second: 10_000,
  });
  const { slaves } = status.server;
  assertEquals(slaves.length, 100);
  assertEquals(
    slaves.filter(({ lag_seconds }) => lag_seconds === 9).length,
    90,
    "all that are 9 seconds behind",
  );
  const ids = slaves.map(({ connection_id }) => Number(connection_id));
  assertEquals(ids, ids.toSorted((one, other) => one - other));
  assertEquals(status.files.length, 100);
  assertEquals(status.files.at(-1)?.name, "binlog.010000");
  assertEquals(status.warnings.length, 50);
  assert(status.syncer.executed_gtid_set.endsWith("more)"));

  const bytes = JSON.stringify(status).length;
  assert(bytes < 150_000, `${bytes} bytes`);
});
