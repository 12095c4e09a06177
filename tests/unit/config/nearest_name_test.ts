import { assertEquals } from "@std/assert";
import { nearestName, suggestion } from "../../../lib/config/nearest_name.ts";

const NAMES = ["data-dir", "listen", "heartbeat", "server-id", "name"];

Deno.test("nearestName() finds what a slip was meant for", () => {
  assertEquals(nearestName("lisen", NAMES), "listen");
  assertEquals(nearestName("dataDir", NAMES), "data-dir");
  assertEquals(nearestName("data_dir", NAMES), "data-dir");
  assertEquals(nearestName("haertbeat", NAMES), "heartbeat");
  assertEquals(nearestName("serverid", NAMES), "server-id");
  assertEquals(nearestName("nme", NAMES), "name");
});

Deno.test("nearestName() finds nothing when nothing is near", () => {
  assertEquals(nearestName("zzzzzz", NAMES), undefined);
  assertEquals(nearestName("", NAMES), undefined);
  assertEquals(nearestName("x".repeat(100_000), NAMES), undefined);
});

Deno.test("suggestion() ends a message or says nothing", () => {
  assertEquals(suggestion("nam", NAMES), '; did you mean "name"?');
  assertEquals(suggestion("qqqq", NAMES), "");
});
