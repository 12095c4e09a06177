import { ConfigError } from "../config/config_error.ts";
import { describeError } from "../log/describe_error.ts";
import type { Command } from "./command.ts";
import { ExitCode } from "./exit_code.ts";
import { formatOverview, formatTopic } from "./format_help.ts";
import { findTopic, parseCommandLine } from "./parse_command_line.ts";
import { Style, wantsColor } from "./style.ts";
import type { Terminal } from "./terminal.ts";
import { UsageError } from "./usage_error.ts";

/**
 * Runs one command line and gives its exit code, one of `ExitCode`. What went
 * wrong is told in one line on stderr.
 *
 * @param commands the first one runs when none is named.
 */
export async function runCli(
  args: readonly string[],
  commands: readonly Command[],
  terminal: Terminal,
): Promise<number> {
  try {
    return await runCommandLine(args, commands, terminal);
  } catch (error) {
    if (error instanceof UsageError) {
      terminal.err(`kingbus: ${error.message} (kingbus help tells more)\n`);
      return ExitCode.USAGE;
    }
    if (error instanceof ConfigError) {
      terminal.err(`kingbus: ${error.message}\n`);
      return ExitCode.USAGE;
    }
    terminal.err(`kingbus: ${describeError(error)}\n`);
    return ExitCode.FAILED;
  }
}

async function runCommandLine(
  args: readonly string[],
  commands: readonly Command[],
  terminal: Terminal,
): Promise<number> {
  if (args.length === 1 && args[0] === "--version") {
    return await runCommandLine(["version"], commands, terminal);
  }
  const all = [...commands, helpCommand(commands)];
  const line = parseCommandLine(args, all, all[0]!);
  if ("topic" in line) {
    terminal.out(
      line.topic === undefined ? formatOverview(all) : formatTopic(line.topic),
    );
    return ExitCode.DONE;
  }
  const { command, input, color } = line;
  const { env, outIsTerminal } = terminal;
  const style = new Style(wantsColor(color, env, outIsTerminal));
  return await command.run(input, { ...terminal, style });
}

/** `kingbus help [command]`. */
function helpCommand(commands: readonly Command[]): Command {
  const help: Command = {
    name: "help",
    summary: "Tell how to use kingbus or one of its commands",
    about: "Tells which commands there are, or all about one of them.",
    example: "kingbus help status",
    flags: [],
    argument: "[command]",
    completion: [...new Set(commands.map(({ name }) => name.split(" ")[0]!))],
    restMax: 2,
    run({ rest }, terminal): Promise<number> {
      const all = [...commands, help];
      if (rest.length === 0) {
        terminal.out(formatOverview(all));
      } else {
        const topic = findTopic(rest, all);
        const surplus = rest["run" in topic ? topic.name.split(" ").length : 2];
        if (surplus !== undefined) {
          throw new UsageError(
            `help does not take the argument ${JSON.stringify(surplus)}`,
          );
        }
        terminal.out(formatTopic(topic));
      }
      return Promise.resolve(0);
    },
  };
  return help;
}
