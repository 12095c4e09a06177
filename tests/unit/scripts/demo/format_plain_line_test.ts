import { assertEquals } from "@std/assert";
import { formatPlainLine } from "../../../../scripts/demo/format_plain_line.ts";
import { madeSnapshot } from "./made_snapshot.ts";

Deno.test("formatPlainLine() shows the three servers, rate and lag", () => {
  assertEquals(
    formatPlainLine(madeSnapshot()),
    "  12 s  source 3e11fa47…:1-2541  kingbus 3e11fa47…:1-2540 binlog.000002:482113  replica 3e11fa47…:1-2539  212 tx/s  lag 3.1 ms",
  );
});

Deno.test("formatPlainLine() adds what is not as usual", () => {
  const { servers } = madeSnapshot();
  const line = formatPlainLine(madeSnapshot({
    phase: "catching up",
    lagMs: undefined,
    servers: { ...servers, trouble: "connecting to kingbus" },
  }));
  assertEquals(
    line.slice(line.indexOf("212 tx/s")),
    "212 tx/s  lag not measured yet  catching up: 2 behind  connecting to kingbus",
  );
});
