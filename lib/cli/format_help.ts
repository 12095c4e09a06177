import type { Command, CommandFlag } from "./command.ts";
import { EXIT_CODE_MEANINGS } from "./exit_code.ts";
import type { CommandGroup, HelpTopic } from "./parse_command_line.ts";
import { GENERAL_FLAGS } from "./parse_command_line.ts";
import { wrapText } from "./wrap_text.ts";

const WIDTH = 80;

/** The overview: what kingbus is and which commands it has. */
export function formatOverview(commands: readonly Command[]): string {
  return [
    "kingbus keeps the binary log of a MySQL or MariaDB source and serves it to",
    "replicas.",
    "",
    "Usage: kingbus [command] [flags]",
    "",
    ...commandLines(commands),
    "",
    "Without a command it serves. kingbus help COMMAND tells more.",
    "",
    "Exit codes:",
    ...EXIT_CODE_MEANINGS.flatMap(([code, meaning]) => {
      const lines = wrapText(meaning.replaceAll("`", ""), WIDTH - 5);
      return lines.map((line, at) => `  ${at === 0 ? code : " "}  ${line}`);
    }),
    "",
  ].join("\n");
}

/** All about a command, or about those of a group. */
export function formatTopic(topic: HelpTopic): string {
  return "run" in topic ? formatCommandHelp(topic) : formatGroupHelp(topic);
}

/** How a command is written: `kingbus purge [flags]`. */
export function formatUsage({ name, argument, flags }: Command): string {
  const given = argument === undefined ? "" : ` ${argument}`;
  return `kingbus ${name}${given}${flags.length > 0 ? " [flags]" : ""}`;
}

function formatCommandHelp(command: Command): string {
  return [
    `Usage: ${formatUsage(command)}`,
    "",
    ...wrapText(command.about, WIDTH),
    "",
    "Example:",
    ...command.example.split("\n").map((line) => `  ${line}`),
    "",
    "Flags:",
    ...[...command.flags, ...GENERAL_FLAGS].flatMap(flagLines),
    "",
  ].join("\n");
}

function formatGroupHelp({ group, commands }: CommandGroup): string {
  return [
    `Usage: kingbus ${group} COMMAND [flags]`,
    "",
    ...commandLines(commands),
    "",
    `kingbus help ${group} COMMAND tells more.`,
    "",
  ].join("\n");
}

function commandLines(commands: readonly Command[]): string[] {
  const nameWidth = Math.max(...commands.map(({ name }) => name.length));
  const room = WIDTH - nameWidth - 4;
  return commands.flatMap(({ name, summary }) =>
    wrapText(summary, room).map((line, at) =>
      `  ${(at === 0 ? name : "").padEnd(nameWidth)}  ${line}`
    )
  );
}

function flagLines({ name, value, about }: CommandFlag): string[] {
  return [
    `  --${name}${value === undefined ? "" : ` ${value}`}`,
    ...wrapText(about, WIDTH - 6).map((line) => `      ${line}`),
  ];
}
