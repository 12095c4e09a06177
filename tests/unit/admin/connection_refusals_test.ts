import { assertEquals } from "@std/assert";
import { ConnectionRefusals } from "../../../lib/admin/connection_refusals.ts";
import { openLog } from "../../../lib/log/log.ts";

Deno.test("ConnectionRefusals tells of all, and of those without a place once a minute in the log", () => {
  let now = 0;
  const lines: string[] = [];
  const told: string[] = [];
  const refusals = new ConnectionRefusals({
    log: openLog({
      level: "warn",
      format: "text",
      write: (line) => lines.push(line),
    }),
    observer: (reason) => told.push(reason),
    now: () => now,
  });
  refusals.refused("malformed", "::1");
  assertEquals([told, lines.length], [["malformed"], 0]);
  for (let n = 0; n < 5; n++) refusals.refused("too-many-connections", "::1");
  assertEquals([told.length, lines.length], [6, 1]);
  now = 59_999;
  refusals.refused("too-many-connections", "::1");
  assertEquals(lines.length, 1);
  now = 60_000;
  refusals.refused("too-many-connections", "127.0.0.9");
  assertEquals(lines.length, 2);
  assertEquals(
    lines[1]!.includes("remote=127.0.0.9 since_last_line=6"),
    true,
    lines[1],
  );
});
