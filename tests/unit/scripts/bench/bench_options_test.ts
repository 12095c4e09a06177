import { assertEquals, assertThrows } from "@std/assert";
import { BenchError } from "../../../../scripts/bench/bench_error.ts";
import {
  BENCH_PARTS,
  parseBenchOptions,
} from "../../../../scripts/bench/bench_options.ts";

Deno.test("parseBenchOptions() measures everything unless told otherwise", () => {
  const options = parseBenchOptions([])!;
  assertEquals(options.parts, [...BENCH_PARTS]);
  assertEquals(options.bytes, 320e6);
  assertEquals(options.runs, 5);
  assertEquals(options.server, undefined);
  assertEquals(options.json, "bench-results.json");
});

Deno.test("parseBenchOptions() takes parts in its own order", () => {
  const args = ["--only", "fanout,dump", "--runs=1", "--server=5.6"];
  const options = parseBenchOptions(args)!;
  assertEquals(options.parts, ["dump", "fanout"]);
  assertEquals(options.runs, 1);
  assertEquals(options.server, "5.6");
});

Deno.test("parseBenchOptions() refuses what it does not know", () => {
  const wrong = [
    ["--megabyte=1"],
    ["fanout"],
    ["--only=dumps"],
    ["--runs=0"],
    ["--megabytes=many"],
    ["--server=8.0"],
  ];
  for (const args of wrong) {
    assertThrows(() => parseBenchOptions(args), BenchError);
  }
  assertEquals(parseBenchOptions(["--help"]), undefined);
});
