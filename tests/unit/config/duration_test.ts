import { assertEquals, assertThrows } from "@std/assert";
import { formatDuration, parseDuration } from "../../../lib/config/duration.ts";

Deno.test("parseDuration() takes its units", () => {
  assertEquals(parseDuration("500ms"), 500);
  assertEquals(parseDuration("10s"), 10_000);
  assertEquals(parseDuration("1.5 m"), 90_000);
  assertEquals(parseDuration("2h"), 7_200_000);
  assertEquals(parseDuration("7d"), 604_800_000);
});

Deno.test("parseDuration() throws SyntaxError on anything else", () => {
  for (const text of ["", "10", "s", "-1s", "10 seconds", "1h30m", "1S"]) {
    assertThrows(() => parseDuration(text), SyntaxError, undefined, text);
  }
});

Deno.test("formatDuration() gives what parseDuration() reads", () => {
  for (const durationMs of [0, 1, 999, 1000, 1500, 60_000, 86_400_000]) {
    assertEquals(parseDuration(formatDuration(durationMs)), durationMs);
  }
  assertEquals(formatDuration(90_000), "90s");
});
