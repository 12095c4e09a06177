import { assert, assertEquals } from "@std/assert";
import type { Command, CommandInput } from "../../../lib/cli/command.ts";
import { configFlags } from "../../../lib/cli/config_flags.ts";
import { runCli } from "../../../lib/cli/run_cli.ts";
import { statusCommand } from "../../../lib/cli/status_command.ts";
import { versionCommand } from "../../../lib/cli/version_command.ts";
import { ConfigError } from "../../../lib/config/config_error.ts";
import { VERSION } from "../../../lib/version.ts";
import { memoryTerminal, type Surroundings } from "./memory_terminal.ts";

interface Outcome {
  code: number;
  output: string;
  errors: string;
  input: CommandInput | undefined;
}

async function run(
  args: string[],
  surroundings: Surroundings & { fault?: Error } = {},
): Promise<Outcome> {
  let input: CommandInput | undefined;
  const serve: Command = {
    name: "serve",
    summary: "Serve",
    about: "Serves.",
    example: "kingbus serve",
    flags: configFlags(),
    restMax: 0,
    run(given): Promise<number> {
      input = given;
      return surroundings.fault === undefined
        ? Promise.resolve(0)
        : Promise.reject(surroundings.fault);
    },
  };
  const terminal = memoryTerminal(surroundings);
  const commands = [serve, statusCommand, versionCommand];
  const code = await runCli(args, commands, terminal);
  return { code, output: terminal.output(), errors: terminal.errors(), input };
}

Deno.test("runCli() serves when no command is named", async () => {
  for (const args of [[], ["serve"]]) {
    const { code, input, errors } = await run(args);
    assertEquals([code, input?.values.size, errors], [0, 0, ""]);
  }
});

Deno.test("runCli() passes flags on, whatever side of the command they are on", async () => {
  const expected = [
    ["config", "k.yaml"],
    ["data-dir", "/d"],
    ["server-connections-max", "007"],
  ];
  const lines = [
    ["--config", "k.yaml", "--data-dir=/d", "--server-connections-max", "007"],
    [
      "--config=k.yaml",
      "serve",
      "--data-dir",
      "/d",
      "--server-connections-max=007",
    ],
  ];
  for (const args of lines) {
    const { input } = await run(args);
    assertEquals([...input!.values].sort(), expected);
  }
});

Deno.test("runCli() refuses what it does not know with exit code 2 and one line", async () => {
  const cases: [string[], string, string?][] = [
    [
      ["--data-dri", "x"],
      'there is no flag "--data-dri"; did you mean "--data-dir"?',
    ],
    [["--qqqq"], 'there is no flag "--qqqq"'],
    [["-x"], 'there is no flag "-x"'],
    [["--qqqq=secret"], 'there is no flag "--qqqq"'],
    [["statsu"], 'there is no command "statsu"; did you mean "status"?'],
    [
      ["qqqq"],
      'there is no command "qqqq"; there are serve, status, version, help',
    ],
    [["serve", "now"], 'serve does not take the argument "now"', " serve"],
    [
      ["version", "--data-dir", "x"],
      "version does not take --data-dir",
      " version",
    ],
    [["serve", "--json"], "serve does not take --json", " serve"],
    [["--json=no"], "--json takes no value: give it, or leave it out"],
    [
      ["status", "--json=true"],
      "--json takes no value: give it, or leave it out",
    ],
    [["--verison"], 'there is no flag "--verison"; did you mean "--version"?'],
    [["--config"], "--config needs a value, as in --config=VALUE", " serve"],
    [
      ["--config", "--name", "x"],
      "--config needs a value, as in --config=VALUE",
      " serve",
    ],
    [["--name="], "--name needs a value, as in --name=VALUE", " serve"],
    [["--name", "a", "--name", "b"], "--name is given twice", " serve"],
    [["help", "serve", "more"], 'help does not take the argument "more"'],
    [
      ["help", "qqqq"],
      'there is no command "qqqq"; there are serve, status, version, help',
    ],
    [
      ["--source-password", "hunter2"],
      "there is no flag --source-password: every user of this machine could read it; use --source-password-file or --source-password-env",
    ],
  ];
  for (const [args, message, of] of cases) {
    const { code, errors, output } = await run(args);
    assertEquals(
      [code, errors, output],
      [2, `kingbus: ${message} (kingbus help${of ?? ""} tells more)\n`, ""],
    );
  }
});

Deno.test("runCli() gives exit code 2 to a ConfigError and 1 to other faults", async () => {
  const config = await run([], {
    fault: new ConfigError("is wrong", {
      file: "k.yaml",
      line: 3,
      key: "name",
    }),
  });
  assertEquals([config.code, config.errors], [
    2,
    "kingbus: k.yaml:3: name: is wrong\n",
  ]);
  const other = await run([], {
    fault: new TypeError("cannot start\nnow", { cause: new Error("why") }),
  });
  assertEquals([other.code, other.errors], [
    1,
    "kingbus: cannot start now: why\n",
  ]);
});

Deno.test("runCli() tells the version", async () => {
  for (
    const args of [["version"], ["--version"], ["status", "--version"], [
      "--version",
      "--color=never",
    ]]
  ) {
    const { code, output } = await run(args);
    assertEquals(code, 0);
    assert(output.startsWith(`kingbus ${VERSION} (Deno `), output);
  }
});

Deno.test("runCli() helps on demand", async () => {
  for (const args of [["help"], ["--help"], ["-h"]]) {
    const { code, output } = await run(args);
    assertEquals(code, 0);
    for (const name of ["serve", "status", "version", "help"]) {
      assert(output.includes(`\n  ${name} `), output);
    }
  }
  const forms = [["help", "status"], ["status", "--help"], ["status", "-h"]];
  for (const args of forms) {
    const { code, output } = await run(args);
    assertEquals(code, 0);
    assert(output.startsWith("Usage: kingbus status [flags]\n"), output);
    assert(output.includes("--json"), output);
  }
  const { output } = await run(["serve", "--help", "--name", "x"]);
  assert(output.includes("--source-password-file PATH"), output);
  assert(output.includes("--log-format text|json"), output);
  for (const line of output.split("\n")) assert(line.length <= 80, line);
});
