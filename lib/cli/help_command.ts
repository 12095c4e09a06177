import type { Command } from "./command.ts";
import { ExitCode } from "./exit_code.ts";
import { formatOverview, formatTopic } from "./format_help.ts";
import { findTopic } from "./parse_command_line.ts";
import { UsageError } from "./usage_error.ts";

/**
 * `kingbus help [command]`.
 *
 * @param commands all the others
 */
export function helpCommand(commands: readonly Command[]): Command {
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
      return Promise.resolve(ExitCode.DONE);
    },
  };
  return help;
}
