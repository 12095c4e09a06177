import { assert, assertEquals } from "@std/assert";
import {
  RecentWarnings,
  WARNINGS_MAX,
} from "../../../../lib/admin/live/recent_warnings.ts";
import { silentLog } from "../../../../lib/log/log.ts";
import { watchLog } from "../../../../lib/log/watch_log.ts";

function startWarnings() {
  const clock = { ms: 1_700_000_000_000 };
  const warnings = new RecentWarnings(() => clock.ms);
  const log = watchLog(silentLog(), warnings.add);
  return { clock, warnings, log };
}

Deno.test("RecentWarnings has what was logged as wrong, with all its fields", () => {
  const { warnings, log } = startWarnings();
  const child = log.child({ part: "server" }).child({ connection: 7 });
  child.debug("a");
  child.info("b");
  child.warn("slow", { ms: 12n, left: undefined });
  log.error("broken");
  const at = "2023-11-14T22:13:20.000Z";
  assertEquals(warnings.list(), [
    {
      id: 1,
      level: "warn",
      message: "slow",
      fields: { part: "server", connection: 7, ms: "12" },
      at,
      first_at: at,
      count: 1,
    },
    {
      id: 2,
      level: "error",
      message: "broken",
      fields: {},
      at,
      first_at: at,
      count: 1,
    },
  ]);
});

Deno.test("RecentWarnings counts what is said again, whoever it is about", () => {
  const { warnings, log, clock } = startWarnings();
  log.warn("refused", { remote: "10.0.0.1:5", connection: 1, reason: "tls" });
  log.warn("other");
  clock.ms += 60_000;
  log.warn("refused", { remote: "10.0.0.2:6", connection: 2, reason: "tls" });
  // another reason, another level: not the same
  log.warn("refused", { remote: "10.0.0.2:6", connection: 2, reason: "no" });
  log.error("refused", { remote: "10.0.0.2:6", connection: 2, reason: "tls" });
  const list = warnings.list();
  assertEquals(list.map(({ id, count }) => [id, count]), [
    [2, 1],
    [1, 2],
    [3, 1],
    [4, 1],
  ]);
  const { fields, at, first_at } = list[1]!;
  assertEquals(fields, { remote: "10.0.0.2:6", connection: 2, reason: "tls" });
  assertEquals([first_at, at], [
    "2023-11-14T22:13:20.000Z",
    "2023-11-14T22:14:20.000Z",
  ]);
});

Deno.test("RecentWarnings keeps the newest, and nothing endless of them", () => {
  const { warnings, log } = startWarnings();
  for (let nth = 0; nth < 1000; nth++) log.warn(`nr ${nth}`);
  const list = warnings.list();
  assertEquals(list.length, WARNINGS_MAX);
  assertEquals(list[0]?.message, "nr 900");
  assertEquals(warnings.list(2).map(({ message }) => message), [
    "nr 998",
    "nr 999",
  ]);
  const many = Object.fromEntries(
    Array.from({ length: 100 }, (_, nth) => [`f${nth}`, "y".repeat(9000)]),
  );
  log.error("x".repeat(100_000), many);
  assert(JSON.stringify(warnings.list(1)).length < 10_000);
});

Deno.test("RecentWarnings has no secrets, not even where a text is cut", () => {
  const { warnings, log } = startWarnings();
  log.warn("login to mysql://kb:hunter2@db1", { password: "hunter2" });
  log.error(`${"x".repeat(490)} mysql://kb:hunter2@db1`);
  log.error(`${"x".repeat(480)} identified by 'hunter2'`);
  const text = JSON.stringify(warnings.list());
  assert(!text.includes("hunt"), text);
});

Deno.test("RecentWarnings.since() has what is new and what was said again", () => {
  const { warnings, log } = startWarnings();
  log.warn("one");
  log.warn("two");
  const { version } = warnings;
  assertEquals(warnings.since(version), []);
  log.warn("three");
  log.warn("one");
  assertEquals(
    warnings.since(version).map(({ message, count }) => [message, count]),
    [["three", 1], ["one", 2]],
  );
});
