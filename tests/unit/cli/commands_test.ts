import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { COMMANDS } from "../../../lib/cli/commands.ts";
import { formatTopic } from "../../../lib/cli/format_help.ts";
import { helpCommand } from "../../../lib/cli/help_command.ts";
import {
  GENERAL_FLAGS,
  parseCommandLine,
} from "../../../lib/cli/parse_command_line.ts";
import { runCli } from "../../../lib/cli/run_cli.ts";
import { UsageError } from "../../../lib/cli/usage_error.ts";
import { formatCliDocs } from "../../../scripts/cli_docs.ts";
import { SeededRandom } from "../../support/seeded_random.ts";
import { memoryTerminal } from "./memory_terminal.ts";

const ALL = [...COMMANDS, helpCommand(COMMANDS)];

async function run(
  ...args: string[]
): Promise<{ code: number; output: string; errors: string }> {
  const terminal = memoryTerminal();
  const code = await runCli(args, COMMANDS, terminal);
  return { code, output: terminal.output(), errors: terminal.errors() };
}

Deno.test("docs/cli.md is what the code says", async () => {
  const file = new URL("../../../docs/cli.md", import.meta.url);
  const hint = "run scripts/cli_docs.ts";
  assertEquals(await Deno.readTextFile(file), await formatCliDocs(), hint);
});

Deno.test("each command's example is a command line of that command", () => {
  for (const command of ALL) {
    const [program, ...args] = command.example.split(" ");
    assertEquals(program, "kingbus");
    const line = parseCommandLine(args, ALL, ALL[0]!);
    assert("command" in line);
    assertEquals(line.command.name, command.name);
  }
});

Deno.test("a flag takes a value with every command, or with none", () => {
  const takes = new Map<string, boolean>();
  for (const command of ALL) {
    const names = command.flags.map(({ name }) => name);
    assertEquals(names.length, new Set(names).size, command.name);
    for (const { name, value } of [...command.flags, ...GENERAL_FLAGS]) {
      assertEquals(takes.get(name) ?? value !== undefined, value !== undefined);
      takes.set(name, value !== undefined);
    }
  }
});

Deno.test("each command that shows data has --json and says what it prints", () => {
  for (const { name, flags, json } of ALL) {
    const has = flags.some((flag) => flag.name === "json");
    assertEquals(has, json !== undefined, name);
  }
  const without = ALL.filter(({ json }) => json === undefined)
    .map(({ name }) => name);
  assertEquals(without, [
    "serve",
    "ready",
    "replicas kick",
    "source start",
    "source stop",
    "server start",
    "server stop",
    "completions",
    "version",
    "help",
  ]);
});

Deno.test("kingbus help tells about each command and group within 80 columns", async () => {
  for (const command of ALL) {
    const help = formatTopic(command);
    for (const line of help.split("\n")) {
      assert(line.length <= 80, line);
    }
    const words = command.name.split(" ");
    for (const args of [["help", ...words], [...words, "--help"]]) {
      assertEquals(await run(...args), { code: 0, output: help, errors: "" });
    }
  }
  for (const args of [["help", "source"], ["source", "-h"]]) {
    const { code, output } = await run(...args);
    assertEquals(code, 0);
    assert(output.startsWith("Usage: kingbus source COMMAND [flags]\n"));
    for (const word of ["start", "stop", "status"]) {
      assert(output.includes(`  source ${word}`), output);
    }
  }
  const { output } = await run("help");
  for (const { name } of ALL) assert(output.includes(`\n  ${name} `), output);
  for (const line of output.split("\n")) assert(line.length <= 80, line);
});

Deno.test("commands of two words are refused with what was meant", async () => {
  const cases: [string[], string][] = [
    [["source"], "source needs a second word: start, stop or status"],
    [["server"], "server needs a second word: start or stop"],
    [
      ["source", "sttaus"],
      'source has no command "sttaus"; did you mean "status"?',
    ],
    [["config", "x"], 'config has no command "x"; there are check'],
    [["sorce"], 'there is no command "sorce"; did you mean "source"?'],
    [["replicas", "kik"], 'replicas does not take the argument "kik"'],
    [
      ["replicas", "kick"],
      "replicas kick needs the ID of a connection: kingbus replicas lists them",
    ],
    [
      ["replicas", "kick", "1/../2"],
      "replicas kick needs the ID of a connection: kingbus replicas lists them",
    ],
    [
      ["replicas", "kick", "1", "2"],
      'replicas kick does not take the argument "2"',
    ],
    [
      ["help", "source", "x"],
      'source has no command "x"; there are start, stop, status',
    ],
    [["help", "status", "x"], 'help does not take the argument "x"'],
    [
      ["completions"],
      "completions needs the name of a shell: bash, zsh, fish",
    ],
    [
      ["source", "start", "--user", "a"],
      "--user and --password-file or --password-env go together",
    ],
    [
      ["source", "start", "--address", "db1:3306"],
      "another source needs --address, --user, and --password-file or --password-env; without all of them the last one is followed",
    ],
    [
      ["source", "start", "--user=a", "--password-env=GONE"],
      "--password-env: the environment variable GONE is not set",
    ],
    [
      ["server", "start", "--user=a", "--password-file=gone"],
      "--password-file: gone does not exist",
    ],
    [
      ["server", "start", "--listen", "nowhere"],
      '--listen: "nowhere" is not host:port',
    ],
    [["events", "--limit=-1"], '--limit takes a whole number, not "-1"'],
    [["events", "--limit=x"], '--limit takes a whole number, not "x"'],
    [["events", "--from=1e3"], '--from takes a whole number, not "1e3"'],
  ];
  for (const [args, message] of cases) {
    const { code, output, errors } = await run(...args);
    assertEquals([code, output], [2, ""]);
    assertStringIncludes(errors, `kingbus: ${message} (kingbus help`);
    assert(errors.endsWith(" tells more)\n"), errors);
  }
  for (
    const [args, topic] of [
      [["source"], "help source"],
      [["source", "strat"], "help source"],
      [["source", "start", "--address=x"], "help source start"],
      [["purge"], "help purge"],
      [["help", "source", "x"], "help source"],
      [["sorce"], "help"],
    ] as const
  ) {
    const { errors } = await run(...args);
    assertStringIncludes(errors, ` (kingbus ${topic} tells more)\n`);
  }
});

Deno.test("whatever is typed, a command line is taken, or refused in one line", () => {
  const words = [
    ...ALL.flatMap(({ name }) => name.split(" ")),
    ...ALL.flatMap(({ flags }) => flags.map(({ name }) => `--${name}`)),
    "--",
    "-",
    "-h",
    "--help",
    "--no-json",
    "--json=false",
    "--__proto__",
    "--__proto__=1",
    "constructor",
    "=",
    "--=x",
    "--config==",
    "",
    " ",
    "\u0000",
    "\u001b[2J",
    "1e9999",
    "-1",
    "数据库",
  ];
  const random = new SeededRandom(20261123);
  let taken = 0;
  for (let round = 0; round < 5000; round++) {
    const args = Array.from(
      { length: random.integer(0, 4) },
      () => random.pick(words),
    );
    try {
      const line = parseCommandLine(args, ALL, ALL[0]!);
      if ("command" in line) taken++;
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      assert(!error.message.includes("\n"), error.message);
    }
  }
  assert(taken > 100, `${taken}`);
});
