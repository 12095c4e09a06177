import { assertEquals, assertThrows } from "@std/assert";
import { VERSION } from "../../../../lib/version.ts";
import { CompileError } from "../../../../scripts/compile/compile_error.ts";
import {
  type CompileOptions,
  parseCompileOptions,
} from "../../../../scripts/compile/compile_options.ts";
import { COMPILE_TARGETS } from "../../../../scripts/compile/compile_target.ts";

const HOST = "aarch64-apple-darwin";

function parse(...args: string[]): CompileOptions {
  return parseCompileOptions(args, HOST)!;
}

Deno.test("parseCompileOptions() makes dist/kingbus for this machine", () => {
  assertEquals(parse(), {
    jobs: [{ target: HOST, output: "dist/kingbus" }],
    sums: "dist/kingbus.sha256",
    folders: [],
    variables: [],
    telemetry: false,
    bundle: true,
  });
  const { jobs } = parseCompileOptions([], "x86_64-pc-windows-msvc")!;
  assertEquals(jobs[0]?.output, "dist/kingbus.exe");
});

Deno.test("parseCompileOptions() names executables for other systems after them", () => {
  const { jobs, sums } = parse(
    "--target=x86_64-pc-windows-msvc",
    "--target",
    "aarch64-unknown-linux-gnu",
  );
  assertEquals(jobs.map(({ output }) => output), [
    `dist/kingbus-${VERSION}-x86_64-pc-windows-msvc.exe`,
    `dist/kingbus-${VERSION}-aarch64-unknown-linux-gnu`,
  ]);
  assertEquals(sums, "dist/SHA256SUMS");
});

Deno.test("parseCompileOptions() takes all for all targets, once each", () => {
  const { jobs, sums } = parse("--target=all", `--target=${HOST}`);
  assertEquals(jobs.map(({ target }) => target), [...COMPILE_TARGETS]);
  assertEquals(new Set(jobs.map(({ output }) => output)).size, jobs.length);
  assertEquals(sums, "dist/SHA256SUMS");
});

Deno.test("parseCompileOptions() takes an output for one executable", () => {
  assertEquals(parse("--output=/opt/kb").jobs, [
    { target: HOST, output: "/opt/kb" },
  ]);
  assertEquals(parse("--output=/opt/kb").sums, "/opt/kb.sha256");
  assertThrows(
    () => parse("--output=/opt/kb", "--target=all"),
    CompileError,
    "--output names one executable",
  );
});

Deno.test("parseCompileOptions() takes folders, variables and switches", () => {
  const options = parse(
    "--folder=/mnt/a",
    "--folder=/mnt/b c",
    "--env=MYSQL_PWD",
    "--telemetry",
    "--no-bundle",
  );
  assertEquals(options.folders, ["/mnt/a", "/mnt/b c"]);
  assertEquals(options.variables, ["MYSQL_PWD"]);
  assertEquals([options.telemetry, options.bundle], [true, false]);
});

Deno.test("parseCompileOptions() says what it does not understand", () => {
  const faults: [string, string][] = [
    ["--target=riscv", 'There is no target "riscv"; there are x86_64-unknown'],
    ["--folder=/a,/b", "--folder takes a path without commas"],
    ["--folder=", "--folder takes a path"],
    ["--env=KINGBUS_*", "--env takes the name of one environment variable"],
    ["--output=", "--output takes a path"],
    ["--bogus", 'There is no option "--bogus"'],
  ];
  for (const [arg, message] of faults) {
    assertThrows(() => parse(arg), CompileError, message);
  }
  assertEquals(parseCompileOptions(["--help"], HOST), undefined);
});
