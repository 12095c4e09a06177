import { assertEquals } from "@std/assert";
import type { Log, LogFields } from "../../../lib/log/log.ts";
import { silentLog } from "../../../lib/log/log.ts";
import { RefusalLog } from "../../../lib/server/refusal_log.ts";

function recorder(): { log: Log; lines: LogFields[] } {
  const lines: LogFields[] = [];
  const warn = (_message: string, fields: LogFields = {}) => {
    lines.push(fields);
  };
  return { log: { ...silentLog(), warn }, lines };
}

Deno.test("RefusalLog.refused() logs an address once a minute, with a count", () => {
  const { log, lines } = recorder();
  let nowMs = 0;
  const refusals = new RefusalLog(log, () => nowMs);
  for (let i = 0; i < 5; i += 1) {
    refusals.refused("access-denied", "10.0.0.1", `attempt ${i}`);
  }
  refusals.refused("access-denied", "10.0.0.2", "other address");
  refusals.refused("login-timeout", "10.0.0.1", "other reason");
  assertEquals(lines.map(({ detail, count }) => [detail, count]), [
    ["attempt 0", 1],
    ["other address", 1],
    ["other reason", 1],
  ]);
  nowMs = 60_000;
  refusals.refused("access-denied", "10.0.0.3", "a minute later");
  assertEquals(lines.slice(3).map(({ detail, count }) => [detail, count]), [
    ["attempt 4", 4],
    ["a minute later", 1],
  ]);
  assertEquals(refusals.counts, {
    "access-denied": 7,
    "login-timeout": 1,
    "malformed-login": 0,
    "tls-failed": 0,
    "tls-required": 0,
    "no-source-yet": 0,
    "too-many-connections": 0,
    "too-many-logins": 0,
  });
});

Deno.test("RefusalLog.flush() logs what is still due", () => {
  const { log, lines } = recorder();
  const refusals = new RefusalLog(log, () => 0);
  for (let i = 0; i < 3; i += 1) refusals.refused("access-denied", "h", "d");
  refusals.flush();
  refusals.flush();
  assertEquals(lines.map(({ count }) => count), [1, 2]);
});

Deno.test("RefusalLog.refused() remembers a bounded number of addresses", () => {
  const { log, lines } = recorder();
  const refusals = new RefusalLog(log, () => 0);
  for (let i = 0; i < 5000; i += 1) {
    refusals.refused("access-denied", `10.0.${i >> 8}.${i & 255}`, "d");
  }
  refusals.refused("access-denied", "10.0.0.0", "forgotten, so new");
  assertEquals(lines.length, 5001);
});
