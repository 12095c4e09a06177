import { assert, assertEquals } from "@std/assert";
import { formatView } from "../../../../scripts/demo/format_view.ts";
import type { Snapshot } from "../../../../scripts/demo/snapshot.ts";
import { renderLine } from "../../../../scripts/demo/view_line.ts";
import { madeSnapshot } from "./made_snapshot.ts";

function draw(snapshot: Snapshot, width: number): string[] {
  return formatView(snapshot, width)
    .map((line) => renderLine(line, width, false).trimEnd());
}

Deno.test("formatView() shows all three servers, rate and lag", () => {
  const executed = "3e11fa47-71ca-11e1-9e33-c80aa9429562:1-";
  assertEquals(draw(madeSnapshot(), 88), [
    " kingbus demo  MySQL 5.6 → kingbus → MySQL 5.6                               12 s of 30",
    "",
    ` source   127.0.0.1:40001   ${executed}2541`,
    ` kingbus  127.0.0.1:40002   ${executed}2540`,
    "                            binlog.000002:482,113   1.23 MB kept, 1.24 MB sent",
    ` replica  127.0.0.1:40003   ${executed}2539`,
    "                            2 transactions behind",
    "",
    " transactions  212/s       2,531 in all                  ▄▇█",
    " lag           3.1 ms      median 2.9 ms, 99% 80.2 ms    ▆▅█",
    "",
    " so far: 1 large transaction, 3 schema changes, 2 log files",
    " Enter: end, and compare the rows   Ctrl-C: stop everything at once",
  ]);
});

Deno.test("formatView() fits every width", () => {
  for (let width = 1; width < 200; width++) {
    for (const line of draw(madeSnapshot(), width)) {
      assert([...line].length <= width, `${width}: ${line}`);
    }
  }
});

Deno.test("formatView() shows a replica that has it all, or has trouble", () => {
  const replicaLine = (different: Partial<Snapshot>): string =>
    draw(madeSnapshot(different), 100)[6]!.trim();
  assertEquals(replicaLine({ behind: 0 }), "has it all");
  assertEquals(replicaLine({ behind: 1 }), "1 transaction behind");
  const { servers } = madeSnapshot();
  const trouble = "connecting to kingbus: refused";
  assertEquals(replicaLine({ servers: { ...servers, trouble } }), trouble);
});

Deno.test("formatView() shows what it is about", () => {
  const title = (different: Partial<Snapshot>): string =>
    draw(madeSnapshot(different), 100)[0]!;
  assert(title({ seconds: undefined }).endsWith(" 12 s"));
  assert(title({ phase: "catching up" }).endsWith(" catching up"));
  assert(title({ phase: "comparing" }).endsWith(" comparing"));
});

Deno.test("formatView() shows that no lag is known yet", () => {
  const lines = draw(
    madeSnapshot({ lagMs: undefined, recentLag: undefined, lagHistory: [] }),
    100,
  );
  assertEquals(lines[9], " lag           …");
});
