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

/** A flag as a command's help shows it. */
export interface CommandFlag {
  /** Without dashes. */
  readonly name: string;
  /** Stands for its value in the help; undefined: it takes none. */
  readonly value: string | undefined;
  readonly about: string;
}

/** One thing kingbus can be told to do. */
export interface Command {
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
  /** How many arguments it takes at most. */
  readonly restMax: number;
  /**
   * Runs it and gives the exit code: 0 done, 1 not done, 2 (by throwing
   * `UsageError` or `ConfigError`) not understood.
   */
  run(input: CommandInput, terminal: Terminal): Promise<number>;
}
