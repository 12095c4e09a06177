import { assert, assertEquals } from "@std/assert";
import { backoffMs } from "../../../../lib/admin/page/backoff.js";
import {
  cutChars,
  summarizeGtids,
} from "../../../../lib/admin/page/gtid_summary.js";
import { orderRows } from "../../../../lib/admin/page/order_rows.js";
import { replicaLag } from "../../../../lib/admin/page/replica_lag.js";
import { replicaName } from "../../../../lib/admin/page/replica_name.js";
import type { ReplicaStatus } from "../../../../lib/admin/server_status.ts";

const UUID = "3e11fa47-71ca-11e1-9e33-c80aa9429562";

Deno.test("backoffMs() waits twice as long each time, up to 15 s, less by chance", () => {
  assertEquals(
    [1, 2, 3, 4, 5, 1000].map((failures) => backoffMs(failures, 0)),
    [
      1000,
      2000,
      4000,
      8000,
      15_000,
      15_000,
    ],
  );
  assertEquals(backoffMs(2, 1), 1500);
});

Deno.test("summarizeGtids() leaves short sets alone", () => {
  assertEquals(summarizeGtids(""), undefined);
  assertEquals(summarizeGtids(`${UUID}:1-23`), undefined);
});

Deno.test("summarizeGtids() counts MySQL's sets, tags too, beyond 2^53", () => {
  const set = `${UUID}:1-10:12:blue:1-9223372036854775806,\n${
    UUID.replace("3e", "4e")
  }:1-5:7-7`;
  assertEquals(
    summarizeGtids(set),
    "9,223,372,036,854,775,823 transactions, 2 servers, 5 intervals",
  );
});

Deno.test("summarizeGtids() counts MariaDB's GTIDs", () => {
  const set = Array.from({ length: 40 }, (_, domain) => `${domain}-1-100`);
  assertEquals(summarizeGtids(set.join(",")), "40 GTIDs");
});

Deno.test("summarizeGtids() says how long a set is that is cut, or not worth counting", () => {
  const long = `${UUID}:1-23,`.repeat(4000);
  assertEquals(summarizeGtids(long), "164 KiB of text");
  const cut = `${long.slice(0, 8192)}… (1040384 more)`;
  assertEquals(cutChars(cut), 1_040_384);
  assertEquals(summarizeGtids(cut), "1.00 MiB of text");
  assertEquals(cutChars(`${UUID}:1-23`), 0);
});

Deno.test("orderRows() puts rows without a value last, whichever way", () => {
  const rows = [3, undefined, 1, 2, undefined].map((value, at) => ({
    value,
    at,
  }));
  const order = (descending: boolean) =>
    orderRows(rows, ({ value }) => value, descending).map(({ at }) => at);
  assertEquals(order(false), [2, 3, 0, 1, 4]);
  assertEquals(order(true), [0, 3, 2, 1, 4]);
});

Deno.test("orderRows() keeps the order of equal rows", () => {
  const rows = ["b1", "a1", "b2", "a2"];
  assertEquals(orderRows(rows, (row) => row[0], false), [
    "a1",
    "a2",
    "b1",
    "b2",
  ]);
  assertEquals(orderRows(rows, (row) => row[0], true), [
    "b1",
    "b2",
    "a1",
    "a2",
  ]);
});

Deno.test("replicaLag() counts seconds first, then bytes", () => {
  const lag = (seconds: number | null, bytes?: number) =>
    replicaLag(
      { lag_seconds: seconds, lag_bytes: bytes } as unknown as ReplicaStatus,
    ) ?? -1;
  assert(lag(2, 0) > lag(1, 2 ** 40));
  assert(lag(1, 20) > lag(1, 10));
  assert(lag(0, 10) > lag(0, 0));
  assertEquals(lag(null), -1);
});

Deno.test("replicaName() is what a replica says, or where it comes from", () => {
  const name = (replica: Partial<ReplicaStatus>) =>
    replicaName(replica as ReplicaStatus);
  assertEquals(name({ host_name: "db2", port: 3306, remote: "" }), "db2:3306");
  assertEquals(name({ host_name: "db2", port: 0, remote: "" }), "db2");
  assertEquals(name({ host_name: "", port: 0, remote: "[::1]:5" }), "[::1]:5");
});
