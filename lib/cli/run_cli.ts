import { ConfigError } from "../config/config_error.ts";
import { describeError } from "../log/describe_error.ts";
import type { Command } from "./command.ts";
import { ExitCode } from "./exit_code.ts";
import { formatOverview, formatTopic } from "./format_help.ts";
import { helpCommand } from "./help_command.ts";
import { parseCommandLine } from "./parse_command_line.ts";
import { printable } from "./printable.ts";
import { Style, wantsColor } from "./style.ts";
import type { Terminal } from "./terminal.ts";
import { UsageError } from "./usage_error.ts";

/** Its own help has nothing that the overview has not. */
const HELP = "help";

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
      const message = printable(error.message);
      const { command = HELP } = error;
      const topic = command === HELP ? "" : ` ${command}`;
      terminal.err(`kingbus: ${message} (kingbus help${topic} tells more)\n`);
      return ExitCode.USAGE;
    }
    if (error instanceof ConfigError) {
      terminal.err(`kingbus: ${printable(error.message)}\n`);
      return ExitCode.USAGE;
    }
    terminal.err(`kingbus: ${printable(describeError(error))}\n`);
    return ExitCode.FAILED;
  }
}

async function runCommandLine(
  args: readonly string[],
  commands: readonly Command[],
  terminal: Terminal,
): Promise<number> {
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
  try {
    return await command.run(input, { ...terminal, style });
  } catch (error) {
    if (error instanceof UsageError) error.command ??= command.name;
    throw error;
  }
}
