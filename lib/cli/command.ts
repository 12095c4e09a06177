import type { Terminal } from "./terminal.ts";

/** What was given on the command line besides the command's name. */
export interface CommandInput {
  /** Flags with a value: names without dashes. */
  readonly values: ReadonlyMap<string, string>;
  /** Flags without one. */
  readonly switches: ReadonlySet<string>;
  /** Arguments that are no flags. */
  readonly rest: readonly string[];
}

/** What a shell may complete a value with. */
export type Completion = "file" | "folder" | readonly string[];

/** A flag as a command's help shows it. */
export interface CommandFlag {
  /** Without dashes. */
  readonly name: string;
  /** Stands for its value in the help; undefined: it takes none. */
  readonly value: string | undefined;
  readonly about: string;
  /** What its value can be; anything when absent. */
  readonly completion?: Completion;
}

/** What a command prints with `--json`, for the documents. */
export interface JsonShape {
  /** What is printed, and when: Markdown. */
  readonly about: string;
  /** Each property, with what it holds. */
  readonly fields: readonly (readonly [name: string, meaning: string])[];
}

/** One thing kingbus can be told to do. */
export interface Command {
  /** One word, or two: the second one of a group (`source start`). */
  readonly name: string;
  /** One line for the list of commands. */
  readonly summary: string;
  /** More about it, below the usage line. */
  readonly about: string;
  /** A command line that shows its use. */
  readonly example: string;
  readonly flags: readonly CommandFlag[];
  /** Stands for its arguments in the help; undefined: it takes none. */
  readonly argument?: string;
  /** What a shell completes its arguments with; nothing when absent. */
  readonly completion?: Completion;
  /** How many arguments it takes at most. */
  readonly restMax: number;
  /** What it prints with `--json`; undefined: it has no such flag. */
  readonly json?: JsonShape;
  /**
   * Runs it and gives the exit code, one of `ExitCode`. Throws `UsageError` or
   * `ConfigError` for what is not understood.
   */
  run(input: CommandInput, terminal: Terminal): Promise<number>;
}

/** The flag `--json`, which every command has that shows data. */
export const JSON_FLAG: CommandFlag = {
  name: "json",
  value: undefined,
  about: "Print JSON, for programs.",
};

/** Whether `--json` is given. */
export function wantsJson({ switches }: CommandInput): boolean {
  return switches.has(JSON_FLAG.name);
}
