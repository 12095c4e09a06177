import { assertEquals } from "@std/assert";
import { GtidSet } from "../../../../lib/gtid/gtid_set.ts";
import { LagTracker } from "../../../../scripts/demo/lag_tracker.ts";
import type { ServersState } from "../../../../scripts/demo/snapshot.ts";
import { SnapshotMaker } from "../../../../scripts/demo/snapshot_maker.ts";
import { madeSnapshot, SOURCE_UUID } from "./made_snapshot.ts";

function stateAt(source: number, replica: number): ServersState {
  const executed = (last: number): GtidSet =>
    GtidSet.parse(`${SOURCE_UUID}:1-${last}`);
  return {
    ...madeSnapshot().servers,
    source: executed(source),
    replica: executed(replica),
  };
}

function makerOf(tracker: LagTracker): SnapshotMaker {
  const { addresses, written } = madeSnapshot();
  return new SnapshotMaker({
    addresses,
    seconds: 30,
    tracker,
    written: () => written,
    transactionsBefore: 9,
    startMs: 1_000,
  });
}

Deno.test("SnapshotMaker.make() counts from when the writing began", () => {
  const maker = makerOf(new LagTracker());
  maker.make("writing", stateAt(9, 9), 1_000);
  const snapshot = maker.make("catching up", stateAt(109, 106), 1_500);
  assertEquals(snapshot.phase, "catching up");
  assertEquals(snapshot.elapsedMs, 500);
  assertEquals(snapshot.transactions, 100);
  assertEquals(snapshot.rate, 200);
  assertEquals(snapshot.behind, 3);
  assertEquals(snapshot.lagMs, undefined);
});

Deno.test("SnapshotMaker.make() remembers a rate and a lag each second", () => {
  const tracker = new LagTracker();
  tracker.sent(1, 1_000);
  tracker.seen(1, 1_007);
  const maker = makerOf(tracker);
  for (let tenth = 0; tenth < 2_000; tenth++) {
    maker.make("writing", stateAt(9 + tenth, 9), 1_000 + tenth * 100);
  }
  const snapshot = maker.make("writing", stateAt(2_009, 9), 201_000);
  assertEquals(snapshot.rateHistory, Array(120).fill(10));
  assertEquals(snapshot.lagHistory, Array(120).fill(7));
  assertEquals(snapshot.recentLag?.count, 1);
});
