import { assert, assertEquals } from "@std/assert";
import { type ClientGroup, MODES } from "../../compatibility/cell.ts";
import { compatibilityDocument } from "../../compatibility/document.ts";
import { judgeCells } from "../../compatibility/judge_cells.ts";
import { COMPATIBILITY } from "../../compatibility/table.ts";
import { readTestReport } from "../../compatibility/test_report.ts";

const REPORT = `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="deno test" tests="4" failures="1" errors="0" time="0.6">
  <testsuite name="./tests/a_test.ts" tests="4" disabled="1" errors="0" failures="1">
    <testcase name="it&apos;s whole" classname="./tests/a_test.ts" time="0.1" line="1" col="1">
    </testcase>
    <testcase name="breaks" classname="./tests/a_test.ts" time="0.1" line="2" col="1">
      <failure message="Uncaught Error">at a_test.ts</failure>
    </testcase>
    <testcase name="needs a server" classname="./tests/a_test.ts" time="0.0" line="3" col="1">
      <skipped/>
    </testcase>
  </testsuite>
</testsuites>`;

function groupWith(name: string): ClientGroup[] {
  const none = { never: "it has none" };
  const tests = [{ file: "a_test.ts", name }];
  const cells = {
    "GTID": { tests },
    "position": none,
    "TLS": none,
    "semi-sync": none,
    "compression": none,
  };
  return [{ title: "t", rows: [{ client: "c", version: "1", cells }] }];
}

Deno.test("readTestReport() reads what became of each test", () => {
  assertEquals([...readTestReport(REPORT)], [
    ["it's whole", "passed"],
    ["breaks", "failed"],
    ["needs a server", "skipped"],
  ]);
});

Deno.test("judgeCells() names cells that were not shown, and fails for missing ones", () => {
  const report = readTestReport(REPORT);
  const judge = (name: string) => judgeCells(groupWith(name), report);
  assertEquals(judge("it's whole"), {
    ok: true,
    lines: ["compatibility: 1 cells shown by tests that ran, 0 tests skipped"],
  });
  const [skipped] = judge("needs a server").lines;
  assertEquals(judge("needs a server").ok, true);
  assertEquals(
    skipped,
    "COMPATIBILITY SKIPPED: c 1, GTID: a_test.ts: needs a server",
  );
  assertEquals(judge("breaks").ok, false);
  assertEquals(judge("was renamed").ok, false);
});

Deno.test("each cell of the compatibility table names a file of tests", async () => {
  for (const row of COMPATIBILITY.flatMap(({ rows }) => rows)) {
    for (const mode of MODES) {
      const cell = row.cells[mode];
      if (!("tests" in cell)) continue;
      assert(cell.tests.length > 0, `${row.client}, ${mode}`);
      for (const { file } of cell.tests) {
        const path = new URL(`../../${file}`, import.meta.url);
        assert((await Deno.stat(path)).isFile, file);
      }
    }
  }
});

Deno.test("docs/compatibility.md is what the table says", async () => {
  const path = new URL("../../../docs/compatibility.md", import.meta.url);
  assertEquals(
    await Deno.readTextFile(path),
    compatibilityDocument(),
    "write it anew: deno run -A scripts/compatibility.ts docs",
  );
});
