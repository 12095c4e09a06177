import { assertEquals } from "@std/assert";
import {
  formatBytes,
  formatCount,
  formatDuration,
  formatLag,
  formatNumberOf,
  formatPlain,
  formatRate,
  formatTime,
  unbroken,
} from "../../../../lib/admin/page/format.js";
import { lagTone } from "../../../../lib/admin/page/lag_tone.js";

Deno.test("formatBytes() has three digits and the unit that fits", () => {
  const sizes: [bytes: number, text: string][] = [
    [0, "0 B"],
    [999, "999 B"],
    [1000, "0.98 KiB"],
    [1024, "1.00 KiB"],
    [1536, "1.50 KiB"],
    [10 * 1024, "10.0 KiB"],
    [100 * 1024, "100 KiB"],
    [20 * 2 ** 30, "20.0 GiB"],
    [2 ** 60, "1024 PiB"],
  ];
  for (const [bytes, text] of sizes) assertEquals(formatBytes(bytes), text);
  assertEquals(formatRate(2 ** 20), "1.00 MiB/s");
});

Deno.test("formatCount() parts thousands, of numbers beyond 2^53 too", () => {
  assertEquals(formatCount(0), "0");
  assertEquals(formatCount(999), "999");
  assertEquals(formatCount(1000), "1,000");
  assertEquals(formatCount(2n ** 63n), "9,223,372,036,854,775,808");
  assertEquals(formatNumberOf(1, "file"), "1 file");
  assertEquals(formatNumberOf(1200, "file"), "1,200 files");
});

Deno.test("formatDuration() has the two largest units", () => {
  const durations: [seconds: number, text: string][] = [
    [-5, "0 s"],
    [0.4, "0 s"],
    [59, "59 s"],
    [59.6, "1 min"],
    [61, "1 min 1 s"],
    [3600, "1 h"],
    [3660, "1 h 1 min"],
    [3599.9, "1 h"],
    [86_400 * 3 + 3600 * 4, "3 d 4 h"],
    [47.99 * 3600, "47 h 59 min"],
    [48 * 3600, "2 d"],
  ];
  for (const [seconds, text] of durations) {
    assertEquals(formatDuration(seconds), text, String(seconds));
  }
});

Deno.test("formatLag() has tenths of a second while they matter", () => {
  assertEquals(formatLag(0), "0 s");
  assertEquals(formatLag(-3), "0 s");
  assertEquals(formatLag(0.31), "0.3 s");
  assertEquals(formatLag(9.96), "10 s");
  assertEquals(formatLag(75), "1 min 15 s");
});

Deno.test("formatTime() leaves out today's date", () => {
  const now = new Date(2026, 10, 23, 16, 0, 0);
  const time = new Date(2026, 10, 23, 5, 4, 3);
  assertEquals(formatTime(time, now), "05:04:03");
  const earlier = new Date(2026, 0, 2, 5, 4, 3);
  assertEquals(formatTime(earlier, now), "2026-01-02 05:04:03");
});

Deno.test("formatPlain() cuts what is long and shows what can't be seen", () => {
  assertEquals(formatPlain("db-1.example.net:3306"), "db-1.example.net:3306");
  assertEquals(formatPlain("Zürich 東京"), "Zürich 東京");
  assertEquals(formatPlain("<img onerror=x>"), "<img onerror=x>");
  assertEquals(formatPlain("a\u0000b\nc\u202ed\u200be"), "a·b·c·d·e");
  assertEquals(formatPlain("x".repeat(500)), `${"x".repeat(300)}…`);
  assertEquals(formatPlain("x".repeat(500), 5), "xxxxx…");
});

Deno.test("unbroken() keeps the words of a value in one line", () => {
  assertEquals(
    unbroken("5 min 20 s, 84 MiB"),
    "5\u00a0min\u00a020\u00a0s,\u00a084\u00a0MiB",
  );
});

Deno.test("lagTone() marks a lag of more than a minute, and none that is not known", () => {
  assertEquals([null, 0, 60, 60.1, 9000].map(lagTone), [
    "none",
    "none",
    "none",
    "warn",
    "warn",
  ]);
});
