import { assertEquals } from "@std/assert";
import {
  formatBytes,
  formatCount,
  formatLag,
  formatQuantity,
  formatRate,
} from "../../../../scripts/demo/format_number.ts";

Deno.test("formatCount() sets commas", () => {
  assertEquals(
    [0, 999, 1000, 12345.6, 1234567, 2n ** 64n].map(formatCount),
    ["0", "999", "1,000", "12,346", "1,234,567", "18,446,744,073,709,551,616"],
  );
});

Deno.test("formatQuantity() has a plural", () => {
  assertEquals(
    [0, 1, 2, 1000].map((count) => formatQuantity(count, "file")),
    ["0 files", "1 file", "2 files", "1,000 files"],
  );
});

Deno.test("formatBytes() shows three digits", () => {
  assertEquals(
    [0, 999, 1_000, 12_345, 999_499, 999_500, 31_394_029, 5e9, 7e12]
      .map(formatBytes),
    [
      "0 B",
      "999 B",
      "1.00 kB",
      "12.3 kB",
      "999 kB",
      "1.00 MB",
      "31.4 MB",
      "5.00 GB",
      "7.00 TB",
    ],
  );
});

Deno.test("formatLag() is in milliseconds up to ten seconds", () => {
  assertEquals(
    [0, 2.345, 99.94, 250.4, 9_999, 12_345].map(formatLag),
    ["0.0 ms", "2.3 ms", "99.9 ms", "250 ms", "9999 ms", "12.3 s"],
  );
});

Deno.test("formatRate() shows a fraction of what is small", () => {
  assertEquals([0, 0.5, 9.94, 9.96, 1234].map(formatRate), [
    "0",
    "0.5",
    "9.9",
    "10",
    "1,234",
  ]);
});
