import type { Command } from "./command.ts";
import { ExitCode } from "./exit_code.ts";
import { formatCompletions, SHELLS } from "./format_completions.ts";
import { UsageError } from "./usage_error.ts";

/**
 * `kingbus completions`.
 *
 * @param commands all commands but this one and help; asked when it runs
 */
export function completionsCommand(
  commands: () => readonly Command[],
): Command {
  return {
    name: "completions",
    summary: "Print what makes a shell complete kingbus's commands and flags",
    about:
      "Prints a script for bash, zsh or fish. bash: source <(kingbus completions bash) in ~/.bashrc. zsh: the same with zsh in ~/.zshrc, behind compinit, or put it into a file _kingbus in a folder of $fpath. fish: put it into ~/.config/fish/completions/kingbus.fish.",
    example: "kingbus completions bash",
    flags: [],
    argument: SHELLS.join("|"),
    completion: SHELLS,
    restMax: 1,
    run({ rest }, terminal): Promise<number> {
      const shell = SHELLS.find((candidate) => candidate === rest[0]);
      if (shell === undefined) {
        throw new UsageError(
          `completions needs the name of a shell: ${SHELLS.join(", ")}`,
        );
      }
      terminal.out(formatCompletions(shell, commands()));
      return Promise.resolve(ExitCode.DONE);
    },
  };
}
