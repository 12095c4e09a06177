import { parseArgs } from "@std/cli";
import { suggestion } from "../config/nearest_name.ts";
import type { Command, CommandInput } from "./command.ts";
import { UsageError } from "./usage_error.ts";

/** A command line taken apart. */
export interface CommandLine {
  readonly command: Command;
  readonly input: CommandInput;
  /** Help is wanted, for the command if one was named. */
  readonly help: boolean;
  /** True when the command was named, not taken by default. */
  readonly named: boolean;
}

/** Arguments that are no flags. */
interface Rest {
  readonly _: readonly (string | number)[];
}

const HELP = "help";
const SOURCE_PASSWORD = "source-password";

/**
 * Takes a command line apart: the first argument that is no flag names the
 * command, flags may stand on either side of it.
 *
 * @param byDefault the command that runs when none is named.
 * @throws {UsageError}
 */
export function parseCommandLine(
  args: readonly string[],
  commands: readonly Command[],
  byDefault: Command,
): CommandLine {
  const flags = commands.flatMap((command) => command.flags);
  const names = (takesValue: boolean): string[] => [
    ...new Set(
      flags.filter(({ value }) => (value !== undefined) === takesValue)
        .map(({ name }) => name),
    ),
  ];
  const valueNames = names(true);
  const switchNames = [...names(false), HELP];
  const parsed: Record<string, unknown> & Rest = parseArgs([...args], {
    string: [...valueNames, "_"],
    boolean: switchNames,
    collect: valueNames,
    alias: { h: HELP },
    unknown: (arg) => checkArgument(arg, [...valueNames, ...switchNames]),
  });
  const [first, ...others] = parsed._.map(String);
  const command = first === undefined
    ? byDefault
    : findCommand(first, commands);
  const switches = switchNames.filter((name) => parsed[name] === true);
  const values = readValues(parsed, valueNames);
  const help = switches.includes(HELP);
  const input = {
    values,
    switches: new Set(switches.filter((name) => name !== HELP)),
    rest: others,
  };
  if (!help) checkInput(command, input);
  return { command, input, help, named: first !== undefined };
}

function findCommand(name: string, commands: readonly Command[]): Command {
  const command = commands.find((candidate) => candidate.name === name);
  if (command !== undefined) return command;
  const names = commands.map((candidate) => candidate.name);
  const wish = suggestion(name, names) || `; there are ${names.join(", ")}`;
  throw new UsageError(`there is no command ${quote(name)}${wish}`);
}

function checkArgument(arg: string, names: readonly string[]): boolean {
  if (!arg.startsWith("-")) return true;
  const name = arg.replace(/^--?/, "").split("=")[0]!;
  if (name === SOURCE_PASSWORD) {
    throw new UsageError(
      `there is no flag --${SOURCE_PASSWORD}: every user of this machine could read it; use --source-password-file or --source-password-env`,
    );
  }
  const near = suggestion(name, names).replace('"', '"--');
  throw new UsageError(`there is no flag ${quote(arg.split("=")[0]!)}${near}`);
}

function readValues(
  parsed: Record<string, unknown>,
  names: readonly string[],
): Map<string, string> {
  const values = new Map<string, string>();
  for (const name of names) {
    const given = parsed[name];
    if (!Array.isArray(given) || given.length === 0) continue;
    if (given.length > 1) throw new UsageError(`--${name} is given twice`);
    if (given[0] === "") {
      throw new UsageError(`--${name} needs a value, as in --${name}=VALUE`);
    }
    values.set(name, String(given[0]));
  }
  return values;
}

function checkInput(command: Command, input: CommandInput): void {
  const known = new Set(command.flags.map(({ name }) => name));
  for (const name of [...input.values.keys(), ...input.switches]) {
    if (known.has(name)) continue;
    throw new UsageError(`${command.name} does not take --${name}`);
  }
  const surplus = input.rest[command.restMax];
  if (surplus === undefined) return;
  throw new UsageError(
    `${command.name} does not take the argument ${quote(surplus)}`,
  );
}

function quote(text: string): string {
  return JSON.stringify(text.slice(0, 100));
}
