import { assertEquals, assertRejects } from "@std/assert";
import { FileList } from "../../../../lib/admin/page/file_list.js";
import { ReplicaList } from "../../../../lib/admin/page/replica_list.js";
import type { LiveStatus } from "../../../../lib/admin/live/live_status.ts";
import type { ReplicaStatus } from "../../../../lib/admin/server_status.ts";

type File = LiveStatus["files"][number];

function files(from: number, to: number): File[] {
  return Array.from(
    { length: to - from + 1 },
    (_, index) => ({ name: `f${from + index}`, size: from + index }) as File,
  );
}

function fileStatus(shown: File[], total: number): LiveStatus {
  return {
    files: shown,
    store: { files: total, bytes: 0 },
  } as unknown as LiveStatus;
}

function names(list: readonly File[]): string[] {
  return list.map(({ name }) => name);
}

Deno.test("FileList.rows() are those of the stream until all are asked for", async () => {
  const list = new FileList(() => Promise.resolve(files(1, 6)));
  assertEquals(names(list.rows(fileStatus(files(5, 6), 6))), ["f5", "f6"]);
  await list.loadAll();
  assertEquals(
    names(list.rows(fileStatus(files(5, 6), 6))),
    names(files(1, 6)),
  );
});

Deno.test("FileList.rows() go on with the files that come and go", async () => {
  const list = new FileList(() => Promise.resolve(files(1, 6)));
  await list.loadAll();
  // one came, three were purged
  assertEquals(names(list.rows(fileStatus(files(6, 7), 4))), [
    "f4",
    "f5",
    "f6",
    "f7",
  ]);
  const grown = [{ ...files(7, 7)[0]!, size: 1000 }];
  assertEquals(list.rows(fileStatus(grown, 4)).at(-1)?.size, 1000);
});

Deno.test("FileList.rows() are those of the stream where there is a gap before them", async () => {
  const list = new FileList(() => Promise.resolve(files(1, 6)));
  await list.loadAll();
  assertEquals(names(list.rows(fileStatus(files(8, 9), 9))), ["f8", "f9"]);
});

function replica(id: number, position: number): ReplicaStatus {
  return { connection_id: String(id), position } as ReplicaStatus;
}

function replicaStatus(shown: ReplicaStatus[], total: number): LiveStatus {
  return {
    server: { slaves: shown },
    replicas: { total },
  } as unknown as LiveStatus;
}

Deno.test("ReplicaList.rows() have what the stream says over what was asked for", async () => {
  let asked = 0;
  let now = 0;
  const list = new ReplicaList(() => {
    asked++;
    return Promise.resolve([replica(1, 10), replica(2, 10), replica(3, 10)]);
  }, () => now);
  const status = replicaStatus([replica(2, 20)], 3);
  assertEquals(list.rows(status), [replica(2, 20)]);
  assertEquals(asked, 0);
  await list.loadAll();
  assertEquals(list.rows(status), [
    replica(1, 10),
    replica(2, 20),
    replica(3, 10),
  ]);
  assertEquals(asked, 1);
  now = 6000;
  list.rows(status);
  list.rows(status);
  assertEquals(asked, 2);
});

Deno.test("ReplicaList.rows() are those of the stream where it tells of all", async () => {
  const list = new ReplicaList(() => Promise.resolve([replica(1, 10)]));
  await list.loadAll();
  assertEquals(list.rows(replicaStatus([replica(9, 1)], 1)), [replica(9, 1)]);
});

Deno.test("ReplicaList.loadAll() says when it does not work, and can be tried again", async () => {
  let fails = true;
  const list = new ReplicaList(() =>
    fails
      ? Promise.reject(new TypeError("no"))
      : Promise.resolve([replica(1, 1)])
  );
  await assertRejects(() => list.loadAll(), TypeError, "no");
  fails = false;
  await list.loadAll();
  assertEquals(list.rows(replicaStatus([], 5)), [replica(1, 1)]);
});
