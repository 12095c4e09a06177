import { assertEquals, assertThrows } from "@std/assert";
import {
  FuzzOptionsError,
  parseFuzzOptions,
  parseHex,
} from "../../fuzz/fuzz_options.ts";

const parse = (...args: string[]) => parseFuzzOptions(args, () => 99);

Deno.test("parseFuzzOptions() takes all targets for some seconds by default", () => {
  assertEquals(parse(), {
    only: [],
    seed: 99,
    inputs: undefined,
    seconds: 3,
    input: undefined,
  });
  assertEquals(parse("--help"), undefined);
});

Deno.test("parseFuzzOptions() takes a number of inputs without a time", () => {
  const options = parse("--inputs", "1000", "--seed", "7", "--only", "a,b");
  assertEquals(options, {
    only: ["a", "b"],
    seed: 7,
    inputs: 1000,
    seconds: undefined,
    input: undefined,
  });
});

Deno.test("parseFuzzOptions() takes one input for one target", () => {
  const options = parse("--only", "a", "--input", "00fF");
  assertEquals(options?.input, Uint8Array.of(0, 255));
  assertThrows(() => parse("--input", "00"), FuzzOptionsError, "--only");
});

Deno.test("parseFuzzOptions() refuses what it cannot understand", () => {
  for (const arg of ["--sec", "x", "--seconds=1.5", "--seed=4294967296"]) {
    assertThrows(() => parse(arg), FuzzOptionsError);
  }
  assertThrows(() => parseHex("0g"), FuzzOptionsError);
  assertThrows(() => parseHex("012"), FuzzOptionsError);
});
