import { assertEquals } from "@std/assert";
import { COMMANDS } from "../../../lib/cli/commands.ts";
import { parseCommandLine } from "../../../lib/cli/parse_command_line.ts";
import { UsageError } from "../../../lib/cli/usage_error.ts";
import { parseBenchOptions } from "../../../scripts/bench/bench_options.ts";
import { parseCompileOptions } from "../../../scripts/compile/compile_options.ts";
import { parseDemoOptions } from "../../../scripts/demo/demo_options.ts";
import { parseCrashOptions } from "../../crash/crash_options.ts";
import { parseFuzzOptions } from "../../fuzz/fuzz_options.ts";
import { MarkdownDocument } from "../../documents/markdown_document.ts";
import { shellStatements } from "../../documents/shell_statements.ts";
import { shellWords } from "../../documents/shell_words.ts";

const ROOT = new URL("../../../", import.meta.url);

/** Programs that stand before the one that is meant. */
const BEFORE = new Set(["sudo", "npx", "-y", "exec", "time", "then", "do"]);

/** What reads the options of a task. */
const PARSERS: Readonly<Record<string, (args: string[]) => unknown>> = {
  bench: parseBenchOptions,
  compile: (args) => parseCompileOptions(args, Deno.build.target),
  demo: parseDemoOptions,
  fuzz: (args) => parseFuzzOptions(args, () => 1),
  "test:crash": (args) => parseCrashOptions(args, 1),
};

const { tasks } = JSON.parse(
  await Deno.readTextFile(new URL("deno.json", ROOT)),
);

Deno.test("every block of shell in the documents is one that bash can read, with commands of kingbus and tasks that there are", async () => {
  const faults: string[] = [];
  for (const path of await MarkdownDocument.list()) {
    const { blocks } = await MarkdownDocument.read(path);
    for (const block of blocks) {
      if (block.language !== "sh") continue;
      for (const { text, line } of await shellStatements(block)) {
        for (const words of shellWords(text)) {
          const fault = faultOf(words, true);
          if (fault !== undefined) faults.push(`${path}:${line}: ${fault}`);
        }
      }
    }
  }
  assertEquals(faults, []);
});

Deno.test("every command in the documents' text is one that there is, with its flags", async () => {
  const faults: string[] = [];
  for (const path of await MarkdownDocument.list()) {
    const { codes } = await MarkdownDocument.read(path);
    for (const { text, line } of codes) {
      // messages that begin with the name
      if (/^kingbus (is|has|keeps|cannot|can't) /.test(text)) continue;
      for (const words of shellWords(text)) {
        const fault = faultOf(words, false);
        if (fault !== undefined) faults.push(`${path}:${line}: ${fault}`);
      }
    }
  }
  assertEquals(faults, []);
});

/** What is wrong with a command, where it is kingbus's or a task. */
function faultOf(words: readonly string[], whole: boolean): string | undefined {
  const at = words.findIndex((word) =>
    !BEFORE.has(word) && !/^[A-Z_]+=/.test(word)
  );
  const [program = "", ...args] = words.slice(Math.max(at, 0));
  if (program.split("/").at(-1) === "kingbus") return usageFault(args, whole);
  const isDeno = program === "deno" || program.startsWith("deno@");
  if (!isDeno || args[0] !== "task") return undefined;
  const [name = "", ...rest] = args.slice(1).filter((word) => word !== "-q");
  if (!(name in tasks)) return `there is no task "${name}"`;
  if (name === "start") return usageFault(rest, whole);
  try {
    PARSERS[name]?.(rest);
    return undefined;
  } catch (error) {
    return `${words.join(" ")}: ${error}`;
  }
}

function usageFault(
  args: readonly string[],
  whole: boolean,
): string | undefined {
  const [serve] = COMMANDS;
  // usage lines name what may follow
  const given = args.filter((arg) => whole || !/^\[|^COMMAND$/.test(arg));
  const line = given[0] === "help" ? [...given.slice(1), "--help"] : given;
  try {
    parseCommandLine(line, COMMANDS, serve!);
    return undefined;
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    // in a text, flags are named without their values, and groups of commands
    const partial = /needs a (value|second word)/.test(error.message);
    return !whole && partial
      ? undefined
      : `kingbus ${args.join(" ")}: ${error.message}`;
  }
}
