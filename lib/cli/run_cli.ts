import { ConfigError } from "../config/config_error.ts";
import { describeError } from "../log/describe_error.ts";
import type { Command } from "./command.ts";
import { formatCommandHelp, formatOverview } from "./format_help.ts";
import { parseCommandLine } from "./parse_command_line.ts";
import type { Terminal } from "./terminal.ts";
import { UsageError } from "./usage_error.ts";

/** Exit code of a command line or configuration that is not understood. */
export const EXIT_USAGE = 2;

/**
 * Runs one command line and gives its exit code: 0 done, 1 not done, 2 not
 * understood. What went wrong is told in one line on stderr.
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
      return EXIT_USAGE;
    }
    if (error instanceof ConfigError) {
      terminal.err(`kingbus: ${error.message}\n`);
      return EXIT_USAGE;
    }
    terminal.err(`kingbus: ${describeError(error)}\n`);
    return 1;
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
  if (!line.help) return await line.command.run(line.input, terminal);
  terminal.out(
    line.named ? formatCommandHelp(line.command) : formatOverview(all),
  );
  return 0;
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
    restMax: 1,
    run({ rest }, terminal): Promise<number> {
      const all = [...commands, help];
      const [name] = rest;
      if (name === undefined) {
        terminal.out(formatOverview(all));
      } else {
        const { command } = parseCommandLine([name], all, help);
        terminal.out(formatCommandHelp(command));
      }
      return Promise.resolve(0);
    },
  };
  return help;
}
