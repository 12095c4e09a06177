import { assertEquals } from "@std/assert";
import { parseProcessStat } from "../../../../scripts/demo/process_list.ts";

Deno.test("parseProcessStat() reads parent and groups", () => {
  const stat = "4242 (deno) S 17 4240 4200 34816 4240 4194304 31 0 0 0\n";
  assertEquals(parseProcessStat(stat), {
    pid: 4242,
    parentPid: 17,
    groupId: 4240,
    foregroundGroupId: 4240,
  });
});

Deno.test("parseProcessStat() is not led astray by the name", () => {
  const stat = "9 (a) (b) 1 S 2) R 8 9 9 0 -1 0 0";
  assertEquals(parseProcessStat(stat), {
    pid: 9,
    parentPid: 8,
    groupId: 9,
    foregroundGroupId: -1,
  });
});

Deno.test("parseProcessStat() does not take other text", () => {
  for (const text of ["", "9", "9 (a", "9 (a) R", "x (a) R 1 2 3 4 5"]) {
    assertEquals(parseProcessStat(text), undefined);
  }
});
