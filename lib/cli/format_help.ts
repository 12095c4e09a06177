import type { Command } from "./command.ts";

const WIDTH = 80;

/** The overview: what kingbus is and which commands it has. */
export function formatOverview(commands: readonly Command[]): string {
  const nameWidth = Math.max(...commands.map(({ name }) => name.length));
  return [
    "kingbus keeps the binary log of a MySQL source and serves it to replicas.",
    "",
    "Usage: kingbus [command] [flags]",
    "",
    ...commands.map(({ name, summary }) =>
      `  ${name.padEnd(nameWidth)}  ${summary}`
    ),
    "",
    "Without a command it serves. kingbus help COMMAND tells more.",
    "",
  ].join("\n");
}

/** All about one command. */
export function formatCommandHelp(command: Command): string {
  const argument = command.argument === undefined ? "" : ` ${command.argument}`;
  const flags = command.flags.length > 0 ? " [flags]" : "";
  return [
    `Usage: kingbus ${command.name}${argument}${flags}`,
    "",
    ...wrap(command.about, WIDTH),
    "",
    "Example:",
    `  ${command.example}`,
    ...formatFlags(command),
    "",
  ].join("\n");
}

function formatFlags(command: Command): string[] {
  if (command.flags.length === 0) return [];
  const lines = command.flags.flatMap(({ name, value, about }) => [
    `  --${name}${value === undefined ? "" : ` ${value}`}`,
    ...wrap(about, WIDTH - 6).map((line) => `      ${line}`),
  ]);
  return ["", "Flags:", ...lines];
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last === undefined || last.length + 1 + word.length > width) {
      lines.push(word);
    } else {
      lines[lines.length - 1] = `${last} ${word}`;
    }
  }
  return lines;
}
