import { parseArgs } from "@std/cli";

/** What the command line asks for. */
export interface FuzzOptions {
  /** Names of targets; all of them when empty. */
  readonly only: readonly string[];
  readonly seed: number;
  /** For each target; without a limit when absent. */
  readonly inputs: number | undefined;
  /** For each target; without a limit when absent. */
  readonly seconds: number | undefined;
  /** One input to try instead of made ones. */
  readonly input: Uint8Array | undefined;
}

/** A command line that cannot be understood. */
export class FuzzOptionsError extends Error {
  override readonly name = "FuzzOptionsError";
}

/** Printed for `--help`. */
export const FUZZ_USAGE = `deno task fuzz [options]

Feeds hostile bytes to everything that reads what others have written. Ends with
1 at the first input that crashes, hangs, takes memory out of proportion, or
breaks a property, and says how to try that input again.

  --seconds N   time for each target (3, unless --inputs is given)
  --inputs N    inputs for each target
  --seed N      what inputs are made from (a new one each time)
  --only NAMES  targets, with commas between them (all)
  --input HEX   this input alone, for the one target of --only
`;

const SECONDS = 3;
const SEED_MAX = 0xffff_ffff;

/**
 * Reads the command line; undefined when help is wanted.
 *
 * @param newSeed the seed where none is given
 * @throws {FuzzOptionsError} if it cannot be understood
 */
export function parseFuzzOptions(
  args: readonly string[],
  newSeed: () => number,
): FuzzOptions | undefined {
  const flags = parseArgs([...args], {
    string: ["seconds", "inputs", "seed", "only", "input"],
    boolean: ["help"],
    unknown: (arg) => {
      throw new FuzzOptionsError(`There is no option ${JSON.stringify(arg)}`);
    },
  });
  if (flags.help) return undefined;
  const only = flags.only?.split(",") ?? [];
  const input = flags.input === undefined ? undefined : parseHex(flags.input);
  if (input !== undefined && only.length !== 1) {
    throw new FuzzOptionsError("--input needs --only with one target");
  }
  const inputs = wholeNumber("inputs", flags.inputs);
  const seconds = wholeNumber("seconds", flags.seconds);
  const seed = wholeNumber("seed", flags.seed) ?? newSeed();
  if (seed > SEED_MAX) {
    throw new FuzzOptionsError(`--seed takes at most ${SEED_MAX}`);
  }
  return {
    only,
    seed,
    inputs,
    seconds: seconds ?? (inputs === undefined ? SECONDS : undefined),
    input,
  };
}

function wholeNumber(
  name: string,
  text: string | undefined,
): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(value)) return value;
  throw new FuzzOptionsError(`--${name} takes a whole number, not "${text}"`);
}

/** Bytes from digits as `--input` and the kept inputs have them. */
export function parseHex(text: string): Uint8Array {
  const digits = text.replace(/\s+/g, "");
  if (!/^(?:[0-9a-f]{2})*$/i.test(digits)) {
    throw new FuzzOptionsError("An input is pairs of hexadecimal digits");
  }
  return Uint8Array.from(
    digits.match(/../g) ?? [],
    (pair) => Number.parseInt(pair, 16),
  );
}
