import { assertEquals, assertThrows } from "@std/assert";
import {
  CrashUsageError,
  parseCrashOptions,
} from "../../crash/crash_options.ts";
import { FAULT_KINDS } from "../../crash/crash_plan.ts";

Deno.test("parseCrashOptions() has a default for everything", () => {
  assertEquals(parseCrashOptions([], 99), {
    rounds: 20,
    seed: 99,
    kinds: FAULT_KINDS,
    checkEvery: 100,
    positionReplica: false,
    keep: false,
  });
});

Deno.test("parseCrashOptions() takes what is given", () => {
  const args = "--rounds 5 --seed 0 --check-every 2 --position-replica --keep";
  assertEquals(parseCrashOptions(["--", ...args.split(" ")], 99), {
    rounds: 5,
    seed: 0,
    kinds: FAULT_KINDS,
    checkEvery: 2,
    positionReplica: true,
    keep: true,
  });
  assertEquals(parseCrashOptions(["--help"], 99), "help");
});

Deno.test("parseCrashOptions() takes kinds by name and by side", () => {
  const options = parseCrashOptions(["--kinds", "source,kill-all"], 0);
  assertEquals(
    options !== "help" && options.kinds,
    FAULT_KINDS.filter((kind) =>
      kind.startsWith("source-") || kind === "kill-all"
    ),
  );
});

Deno.test("parseCrashOptions() takes a kind's name for that one alone", () => {
  const options = parseCrashOptions(["--kinds", "kill-kingbus"], 0);
  assertEquals(options !== "help" && options.kinds, ["kill-kingbus"]);
});

for (
  const args of [
    ["--rounds", "0"],
    ["--rounds", "x"],
    ["--rounds", "1.5"],
    ["--seed", "4294967296"],
    ["--kinds", "fire"],
    ["--kinds", ""],
    ["--speed", "1"],
    ["20"],
  ]
) {
  Deno.test(`parseCrashOptions() refuses ${args.join(" ")}`, () => {
    assertThrows(() => parseCrashOptions(args, 0), CrashUsageError);
  });
}
