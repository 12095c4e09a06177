import { assertEquals } from "@std/assert";
import { compareOutput } from "../../documents/compare_output.ts";

const WRITTEN = `Node  kingbus 0.1.0, up 3 s
File  binlog.000007 at 4711
Set   3e11fa47-71ca-11e1-9e33-c80aa9429562:1-99:101

| replica | lag   |
+---------+-------+
| db2     | 12 ms |
`;

Deno.test("compareOutput() passes over what differs from run to run", () => {
  const claimed = `File  binlog.000042 at 1
Set   aaaaaaaa-71ca-11e1-9e33-c80aa9429562:1-17
| replica |  lag |
+----+----+
| db2 | 1.5 s |`;
  assertEquals(compareOutput(claimed, WRITTEN), undefined);
});

Deno.test("compareOutput() gives the first line that is not there", () => {
  const cases: [claimed: string, missing: string][] = [
    ["File  binlog.000042 in 1", "File  binlog.000042 in 1"],
    // in this order, with nothing between that is not claimed
    ["| db2 | 1 s |\nFile  binlog.1 at 1", "File  binlog.1 at 1"],
    ["File  binlog.1 at 1\n| db2 | 1 s |", "| db2 | 1 s |"],
    ["Fil", "Fil"],
    ["| dc… | 1 |", "| dc… | 1 |"],
  ];
  for (const [claimed, missing] of cases) {
    assertEquals(compareOutput(claimed, WRITTEN), missing);
  }
});

Deno.test("compareOutput() takes … for lines, and for a line's rest", () => {
  assertEquals(compareOutput("Node …\n…\n| db2 | 1 s |", WRITTEN), undefined);
  assertEquals(compareOutput("...\n| db2 | … |", WRITTEN), undefined);
});
