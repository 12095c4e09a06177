import { assertEquals } from "@std/assert";
import { lagSeconds } from "../../../../lib/admin/live/lag_seconds.ts";

const NOW_MS = 1_700_000_010_999;

Deno.test("lagSeconds() is the age of the first event that was not sent", () => {
  assertEquals(lagSeconds({ unsentSince: 1_700_000_003 }, NOW_MS), 7);
  assertEquals(lagSeconds({ unsentSince: 1_700_000_010 }, NOW_MS), 0);
});

Deno.test("lagSeconds() is 0 for one that was sent all, undefined while it is not known", () => {
  assertEquals(lagSeconds({ unsentSince: 0 }, NOW_MS), 0);
  assertEquals(lagSeconds({ unsentSince: undefined }, NOW_MS), undefined);
  assertEquals(lagSeconds({}, NOW_MS), undefined);
});

Deno.test("lagSeconds() is never below 0, whatever the source's clock says", () => {
  assertEquals(lagSeconds({ unsentSince: 1_700_000_500 }, NOW_MS), 0);
});
