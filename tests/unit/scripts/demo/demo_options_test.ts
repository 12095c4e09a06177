import { assertEquals, assertThrows } from "@std/assert";
import {
  DEMO_HELP,
  DemoUsageError,
  parseDemoOptions,
} from "../../../../scripts/demo/demo_options.ts";

Deno.test("parseDemoOptions() has a default for everything", () => {
  const defaults = { seconds: undefined, rate: 200, keep: false };
  assertEquals(parseDemoOptions([]), defaults);
  assertEquals(parseDemoOptions(["--"]), defaults);
});

Deno.test("parseDemoOptions() reads what is given, after npm's dashes too", () => {
  const options = { seconds: 1.5, rate: 50, keep: true };
  const args = ["--seconds", "1.5", "--rate=50", "--keep"];
  assertEquals(parseDemoOptions(args), options);
  assertEquals(parseDemoOptions(["--", ...args]), options);
});

Deno.test("parseDemoOptions() gives way to --help", () => {
  assertEquals(parseDemoOptions(["--help"]), "help");
  assertEquals(parseDemoOptions(["-h", "--seconds", "0"]), "help");
});

Deno.test("DEMO_HELP fits a terminal and names every flag", () => {
  for (const line of DEMO_HELP.split("\n")) {
    assertEquals(line.length <= 80, true, line);
  }
  const flags = DEMO_HELP.match(/--[a-z]+/g);
  assertEquals(
    new Set(flags),
    new Set(["--seconds", "--rate", "--keep", "--help"]),
  );
});

for (
  const [args, message] of [
    [["--seconds"], "--seconds must be a number above 0"],
    [["--seconds", "0"], 'not "0"'],
    [["--seconds=-1"], 'not "-1"'],
    [["--seconds", "1e3"], 'not "1e3"'],
    [["--seconds", "700000"], "at most 604800"],
    [["--seconds", "1", "--seconds", "2"], "--seconds is given twice"],
    [["--rate", "fast"], "--rate must be a number above 0, at most 100000"],
    [["--second", "5"], 'the demo does not take "--second"'],
    [["5"], 'the demo does not take "5"'],
  ] as const
) {
  Deno.test(`parseDemoOptions() refuses ${args.join(" ")}`, () => {
    assertThrows(() => parseDemoOptions(args), DemoUsageError, message);
  });
}
