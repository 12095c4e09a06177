import { assertEquals, assertRejects } from "@std/assert";
import {
  type NeededPosition,
  REPLICA_NEEDS_META,
  ReplicaNeeds,
  type SentReplica,
} from "../../../lib/retention/replica_needs.ts";
import { openMemoryStore } from "../../../lib/store/memory_store.ts";
import type { BinlogStore } from "../../../lib/store/binlog_store.ts";

const A = "aaaaaaaa-71ca-11e1-9e33-c80aa9429562";
const B = "bbbbbbbb-71ca-11e1-9e33-c80aa9429562";
const REPLICAS = [{ uuid: A, name: "reports" }, { uuid: B, name: B }];

/** A clock that goes on by a second at each look. */
function clock(): () => number {
  let now = 1_700_000_000_000;
  return () => (now += 1000);
}

function openNeeds(
  store: BinlogStore,
  replicas = REPLICAS,
): Promise<ReplicaNeeds> {
  return ReplicaNeeds.open(store, replicas, clock());
}

function at(fileNumber: number, position: number): NeededPosition {
  return { fileNumber, fileName: `binlog.00000${fileNumber}`, position };
}

function sent(uuid: string, place: NeededPosition, id = "1"): SentReplica {
  return { connectionId: id, uuid, at: place };
}

/** File and position of each replica of the configuration. */
function placesOf(needs: ReplicaNeeds): (string | undefined)[] {
  return needs.all.map(({ from }) =>
    from && `${from.fileNumber}:${from.position}`
  );
}

Deno.test("ReplicaNeeds knows nothing of replicas it has never seen", async () => {
  await using store = await openMemoryStore();
  const needs = await openNeeds(store);
  assertEquals(needs.all, [
    { uuid: A, name: "reports", from: undefined, notedAtMs: undefined },
    { uuid: B, name: B, from: undefined, notedAtMs: undefined },
  ]);
  await needs.save();
  assertEquals(await store.getMeta(REPLICA_NEEDS_META), undefined);
});

Deno.test("ReplicaNeeds.began() says what a replica needs, forwards and back", async () => {
  await using store = await openMemoryStore();
  const needs = await openNeeds(store);
  needs.began(A.toUpperCase(), at(3, 4));
  assertEquals(placesOf(needs), ["3:4", undefined]);
  assertEquals(needs.all[0]!.notedAtMs, 1_700_000_001_000);
  needs.began(A, at(2, 700));
  assertEquals(placesOf(needs), ["2:700", undefined]);
  needs.began("", at(1, 4));
  needs.began("cccccccc-71ca-11e1-9e33-c80aa9429562", at(1, 4));
  assertEquals(placesOf(needs), ["2:700", undefined]);
});

Deno.test("ReplicaNeeds.look() notes where a replica was the time before", async () => {
  await using store = await openMemoryStore();
  const needs = await openNeeds(store);
  needs.began(A, at(1, 4));
  needs.look([sent(A, at(2, 500))]);
  assertEquals(placesOf(needs), ["1:4", undefined]);
  needs.look([sent(A, at(3, 600))]);
  assertEquals(placesOf(needs), ["2:500", undefined]);
  // another connection begins anew
  needs.began(A, at(3, 100));
  needs.look([sent(A, at(3, 900), "2")]);
  assertEquals(placesOf(needs), ["3:100", undefined]);
  needs.look([]);
  needs.look([sent(A, at(4, 900), "2")]);
  assertEquals(placesOf(needs), ["3:100", undefined]);
  needs.look([sent(A, at(4, 950), "2"), sent(B, at(1, 4), "3")]);
  assertEquals(placesOf(needs), ["4:900", undefined]);
});

Deno.test("ReplicaNeeds are kept over a restart, but not of replicas taken out", async () => {
  await using store = await openMemoryStore();
  const needs = await openNeeds(store);
  needs.began(A, at(1, 4));
  needs.began(B, at(2, 4));
  await needs.save();
  const again = await openNeeds(store);
  assertEquals(again.all, needs.all);
  const onlyB = await openNeeds(store, [{ uuid: B, name: "b" }]);
  assertEquals(placesOf(onlyB), ["2:4"]);
  await onlyB.save();
  assertEquals(placesOf(await openNeeds(store)), [undefined, "2:4"]);
});

Deno.test("ReplicaNeeds.save() writes only what has changed, and tries again", async () => {
  await using store = await openMemoryStore();
  let writes = 0;
  let failing = true;
  const needs = await ReplicaNeeds.open(
    {
      getMeta: (name) => store.getMeta(name),
      setMeta: (name, value) => {
        if (failing) return Promise.reject(new TypeError("full"));
        writes++;
        return store.setMeta(name, value);
      },
    },
    REPLICAS,
    clock(),
  );
  await needs.save();
  needs.began(A, at(1, 4));
  await assertRejects(() => needs.save(), TypeError, "full");
  failing = false;
  await needs.save();
  await needs.save();
  needs.began(A, at(1, 4));
  await needs.save();
  assertEquals(writes, 1);
  assertEquals(placesOf(await openNeeds(store)), ["1:4", undefined]);
});

Deno.test("ReplicaNeeds.open() takes what it can't read for never seen", async () => {
  const kept = [
    5,
    null,
    "x",
    { [A]: null },
    { [A]: { fileNumber: "1", fileName: "x", position: 4, notedAtMs: 1 } },
    { [A]: { fileNumber: 1, fileName: "x", position: 4 } },
  ];
  for (const value of kept) {
    await using store = await openMemoryStore();
    await store.setMeta(REPLICA_NEEDS_META, value);
    assertEquals(placesOf(await openNeeds(store)), [undefined, undefined]);
  }
});
