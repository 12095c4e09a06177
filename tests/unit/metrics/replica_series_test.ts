import { assertEquals } from "@std/assert";
import type { ReplicaReport } from "../../../lib/admin/control.ts";
import { labelValue } from "../../../lib/metrics/label_value.ts";
import {
  hostOf,
  type NamedReplica,
  ReplicaSeriesLister,
} from "../../../lib/metrics/replica_series.ts";

const UUID = "22222222-71ca-11e1-9e33-c80aa9429562";

function replica(more: Partial<ReplicaReport> = {}): ReplicaReport {
  return {
    connectionId: "7",
    remote: "10.0.0.2:51234",
    user: "repl",
    serverId: "42",
    uuid: UUID,
    hostName: "",
    port: 0,
    state: "dumping",
    mode: "gtid",
    file: "binlog.000042",
    position: 157,
    lagBytes: 0,
    lagSeconds: 0,
    bytesPerSecond: 0,
    connectedAt: new Date(0),
    heartbeatMs: 30_000,
    bytesSent: 0n,
    program: "",
    clientVersion: "",
    ...more,
  };
}

function namesOf(
  replicas: readonly ReplicaReport[],
  named: readonly NamedReplica[] = [],
): string[] {
  return new ReplicaSeriesLister().list(replicas, named).listed.map((
    { labels },
  ) => labels.own.replica);
}

Deno.test("a replica is called as configured, by its uuid, or by its server id and address", () => {
  assertEquals(namesOf([replica()]), [UUID]);
  const named = [{ uuid: UUID, name: "reports" }];
  const upper = replica({ uuid: UUID.toUpperCase() });
  assertEquals(namesOf([upper], named), ["reports"]);
  assertEquals(namesOf([replica({ uuid: "" })]), ["42@10.0.0.2"]);
  const over6 = replica({ uuid: "", remote: "[fe80::1]:51234" });
  assertEquals(namesOf([over6]), ["42@fe80::1"]);
});

Deno.test("a replica's name stays when it connects again from another port", () => {
  const before = namesOf([replica({ uuid: "" })]);
  const after = namesOf([
    replica({ uuid: "", connectionId: "8", remote: "10.0.0.2:6000" }),
  ]);
  assertEquals(before, after);
});

Deno.test("two connections of one replica have two names, the newer one its own", () => {
  const older = replica({ connectionId: "7" });
  const newer = replica({ connectionId: "9" });
  assertEquals(namesOf([older, newer]), [`${UUID}#7`, UUID]);
});

Deno.test("tools without an identity are told by their connections", () => {
  const tools = ["7", "8"].map((connectionId) =>
    replica({ uuid: "", serverId: "0", connectionId })
  );
  assertEquals(namesOf(tools), ["10.0.0.2#7", "10.0.0.2#8"]);
});

Deno.test("no replica can take a name that is not a replica's", () => {
  const names = namesOf([
    replica({ uuid: "(others)", connectionId: "1" }),
    replica({ uuid: "10.0.0.2#3", connectionId: "2" }),
    replica({ uuid: "", serverId: "0", connectionId: "3" }),
  ]);
  assertEquals(names, ["_others_", "10.0.0.2_3", "10.0.0.2#3"]);
});

Deno.test("only replicas that are sent the log have series, and only so many", () => {
  const replicas = Array.from(
    { length: 5 },
    (_, index) =>
      replica({ uuid: "", serverId: `${index + 1}`, connectionId: `${index}` }),
  );
  const waiting = replica({ state: "connected", connectionId: "99" });
  const { listed, unlisted } = new ReplicaSeriesLister(3).list(
    [waiting, ...replicas],
    [],
  );
  assertEquals(listed.map(({ report }) => report.serverId), ["1", "2", "3"]);
  assertEquals(unlisted.map(({ serverId }) => serverId), ["4", "5"]);
});

Deno.test("labelValue() bounds what others say, to one well-formed line", () => {
  assertEquals(labelValue('a"b\\c'), 'a"b\\c');
  assertEquals(labelValue("x\ny\0z\u2028"), "x\ufffdy\ufffdz\ufffd");
  const long = labelValue("é".repeat(5000));
  assertEquals([long.length, long.at(-1)], [64, "…"]);
  // Cut in the middle of a pair.
  assertEquals(labelValue("a" + "😀".repeat(40)).isWellFormed(), true);
});

Deno.test("hostOf() leaves out the port", () => {
  assertEquals(hostOf("10.0.0.2:51234"), "10.0.0.2");
  assertEquals(hostOf("[::1]:51234"), "::1");
});

Deno.test("a connection's labels stay the same object until another has its number", () => {
  const lister = new ReplicaSeriesLister();
  const labels = (report: ReplicaReport) =>
    lister.list([report], []).listed[0]!.labels;
  const first = labels(replica());
  assertEquals(labels(replica({ position: 9999 })) === first, true);
  // The server was started anew.
  const other = labels(replica({ connectedAt: new Date(5000), user: "app" }));
  assertEquals([other.info.user, first.info.user], ["app", "repl"]);
});
