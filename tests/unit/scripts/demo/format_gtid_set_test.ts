import { assertEquals } from "@std/assert";
import { formatGtidSet } from "../../../../scripts/demo/format_gtid_set.ts";

const UUID = "3e11fa47-71ca-11e1-9e33-c80aa9429562";

Deno.test("formatGtidSet() shows all that fits", () => {
  assertEquals(formatGtidSet(`${UUID}:1-5`, 40), `${UUID}:1-5`);
  assertEquals(formatGtidSet("", 40), "nothing");
});

Deno.test("formatGtidSet() shortens uuids, then cuts", () => {
  assertEquals(formatGtidSet(`${UUID}:1-5`, 39), "3e11fa47…:1-5");
  const two = `${UUID}:1-5,${UUID}:7`;
  assertEquals(formatGtidSet(two, 39), "3e11fa47…:1-5,3e11fa47…:7");
  assertEquals(formatGtidSet(two, 20), "3e11fa47…:1-5,3e11f…");
});
