import { parseArgs } from "@std/cli";
import { suggestion } from "../config/nearest_name.ts";
import type { Command, CommandFlag, CommandInput } from "./command.ts";
import { COLOR_CHOICES, type ColorChoice } from "./style.ts";
import { inCommand, UsageError } from "./usage_error.ts";

/** A command line taken apart. */
export interface CommandLine {
  readonly command: Command;
  readonly input: CommandInput;
  /** Whether and when to colour. */
  readonly color: ColorChoice;
}

/** A command line that asks for help. */
export interface HelpLine {
  /** What it asks about; undefined: about kingbus. */
  readonly topic: HelpTopic | undefined;
}

/** What there is help about: a command, or those that share a first word. */
export type HelpTopic = Command | CommandGroup;

/** Commands that share a first word, as `source start` and `source stop` do. */
export interface CommandGroup {
  readonly group: string;
  readonly commands: readonly Command[];
}

/** Flags that every command takes. */
export const GENERAL_FLAGS: readonly CommandFlag[] = [
  {
    name: "color",
    value: "WHEN",
    about:
      "Colour the output: auto (on a terminal), always, never. NO_COLOR and FORCE_COLOR are heeded. [auto]",
    completion: COLOR_CHOICES,
  },
  { name: "help", value: undefined, about: "Tell how to use it. Short: -h." },
  { name: "version", value: undefined, about: "Say the version, no more." },
];

/** Arguments that are no flags. */
interface Rest {
  readonly _: readonly (string | number)[];
}

const HELP = "help";
const COLOR = "color";
const VERSION = "version";
const SOURCE_PASSWORD = "source-password";

/**
 * Takes a command line apart: the first argument that is no flag names the
 * command, with the second one where it has two words; flags may stand on
 * either side.
 *
 * @param byDefault the command that runs when none is named.
 * @throws {UsageError}
 */
export function parseCommandLine(
  args: readonly string[],
  commands: readonly Command[],
  byDefault: Command,
): CommandLine | HelpLine {
  const flags = [
    ...commands.flatMap((command) => command.flags),
    ...GENERAL_FLAGS,
  ];
  const names = (takesValue: boolean): string[] => [
    ...new Set(
      flags.filter(({ value }) => (value !== undefined) === takesValue)
        .map(({ name }) => name),
    ),
  ];
  const valueNames = names(true);
  const switchNames = names(false);
  checkSwitches(args, switchNames);
  const parsed: Record<string, unknown> & Rest = parseArgs([...args], {
    string: [...valueNames, "_"],
    boolean: switchNames,
    collect: valueNames,
    alias: { h: HELP },
    unknown: (arg) => checkArgument(arg, [...valueNames, ...switchNames]),
  });
  const words = parsed._.map(String);
  const switches = new Set(switchNames.filter((name) => parsed[name] === true));
  if (switches.delete(HELP)) {
    const topic = words.length === 0 ? undefined : findTopic(words, commands);
    return { topic };
  }
  const version = commands.find(({ name }) => name === VERSION);
  if (switches.delete(VERSION) && version !== undefined) {
    const input = { values: new Map(), switches: new Set<string>(), rest: [] };
    return { command: version, input, color: "auto" };
  }
  const command = words.length === 0
    ? byDefault
    : commandOf(findTopic(words, commands), words);
  return inCommand(command.name, () => {
    const values = readValues(parsed, valueNames);
    const color = readColor(values.get(COLOR));
    values.delete(COLOR);
    const isNamed = words.length > 0;
    const rest = isNamed ? words.slice(command.name.split(" ").length) : [];
    const input = { values, switches, rest };
    checkInput(command, input);
    return { command, input, color };
  });
}

/** A value behind a switch would be lost: `--force=no` would force. */
function checkSwitches(
  args: readonly string[],
  switchNames: readonly string[],
): void {
  for (const arg of args) {
    if (arg === "--") return;
    const [, name = ""] = /^--([^=]+)=/.exec(arg) ?? [];
    if (!switchNames.includes(name)) continue;
    throw new UsageError(`--${name} takes no value: give it, or leave it out`);
  }
}

/**
 * What the first words of a command line name.
 *
 * @throws {UsageError} when there is no such thing
 */
export function findTopic(
  [first = "", second]: readonly string[],
  commands: readonly Command[],
): HelpTopic {
  const both = commands.find(({ name }) => name === `${first} ${second}`);
  if (both !== undefined) return both;
  const single = commands.find(({ name }) => name === first);
  if (single !== undefined) return single;
  const group = commands.filter(({ name }) => name.startsWith(`${first} `));
  if (group.length === 0) throw unknownCommand(first, commands);
  if (second === undefined || second.startsWith("-")) {
    return { group: first, commands: group };
  }
  throw unknownWord(first, second, group);
}

function commandOf(topic: HelpTopic, words: readonly string[]): Command {
  if ("run" in topic) return topic;
  throw new UsageError(
    `${words[0]} needs a second word: ${orWords(secondWords(topic.commands))}`,
    {},
    words[0],
  );
}

function unknownCommand(
  name: string,
  commands: readonly Command[],
): UsageError {
  const names = [
    ...new Set(commands.map((command) => command.name.split(" ")[0]!)),
  ];
  const wish = suggestion(name, names) || `; there are ${names.join(", ")}`;
  return new UsageError(`there is no command ${quote(name)}${wish}`);
}

function unknownWord(
  first: string,
  second: string,
  group: readonly Command[],
): UsageError {
  const words = secondWords(group);
  const wish = suggestion(second, words) || `; there are ${words.join(", ")}`;
  const message = `${first} has no command ${quote(second)}${wish}`;
  return new UsageError(message, {}, first);
}

function secondWords(group: readonly Command[]): string[] {
  return group.map(({ name }) => name.split(" ")[1]!);
}

function orWords(words: readonly string[]): string {
  const last = words.at(-1)!;
  return words.length === 1
    ? last
    : `${words.slice(0, -1).join(", ")} or ${last}`;
}

function readColor(text: string | undefined): ColorChoice {
  if (text === undefined) return "auto";
  const choice = COLOR_CHOICES.find((candidate) => candidate === text);
  if (choice !== undefined) return choice;
  throw new UsageError(
    `--${COLOR} takes auto, always or never, not ${quote(text)}`,
  );
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
