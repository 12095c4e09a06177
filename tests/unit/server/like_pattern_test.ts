import { assertEquals } from "@std/assert";
import { likeMatches } from "../../../lib/server/like_pattern.ts";

Deno.test("likeMatches() compares as SHOW VARIABLES LIKE does", () => {
  const cases: [string, string, boolean][] = [
    ["server_id", "server_id", true],
    ["SERVER_ID", "server_id", true],
    ["server", "server_id", false],
    ["server%", "server_id", true],
    ["%id", "server_id", true],
    ["%er%", "server_id", true],
    ["%", "", true],
    ["%%", "x", true],
    ["", "", true],
    ["", "x", false],
    ["_", "x", true],
    ["_", "", false],
    ["s_rver_id", "server_id", true],
    ["server\\_id", "server_id", true],
    ["server\\_id", "serverXid", false],
    ["100\\%", "100%", true],
    ["100\\%", "1000", false],
    ["%a%b%c", "xaybzc", true],
    ["%a%b%c", "xaybz", false],
    ["\\", "\\", true],
  ];
  for (const [pattern, text, matches] of cases) {
    assertEquals(
      likeMatches(pattern, text),
      matches,
      `${text} LIKE ${pattern}`,
    );
  }
});

Deno.test("likeMatches() is not slow for a hostile pattern", () => {
  assertEquals(likeMatches("%a".repeat(1000) + "b", "a".repeat(2000)), false);
});
