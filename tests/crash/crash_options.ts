import { parseArgs } from "@std/cli";
import { FAULT_KINDS, type FaultKind } from "./crash_plan.ts";

/** How the crash test is run. */
export interface CrashOptions {
  readonly rounds: number;
  /** Of all decisions: 32 bits. */
  readonly seed: number;
  readonly kinds: readonly FaultKind[];
  /** After so many rounds everything is proven, as it is at the end. */
  readonly checkEvery: number;
  /** Whether a second replica follows by file and position. */
  readonly positionReplica: boolean;
  /** Whether the folder with all data and logs stays; it does on a failure. */
  readonly keep: boolean;
}

/** A command line of the crash test that is not understood. */
export class CrashUsageError extends Error {
  override readonly name = "CrashUsageError";
}

const ROUNDS = 20;
const ROUNDS_MAX = 1_000_000;
const CHECK_EVERY = 100;
const SEED_MAX = 0xffff_ffff;

/** What `--help` prints. */
export const CRASH_HELP =
  `Runs kingbus between a MySQL 5.6 source under load and a MySQL 5.6 replica. In
each round one of the processes is killed with SIGKILL, or the TCP connections on
one side are cut, truncated, delayed, stalled or silenced, at a random instant,
now and then while old files are being purged; then everything has to move on. At the end, and after every --check-every rounds,
it proves that every file served is the source's, byte for byte; that the rows of
the replica are the source's; that the executed GTIDs are the purged ones and
those of the transactions that can be read, each once; and that a client that was
there all along got every byte once, in order.

Usage: deno task test:crash [flags]

  --rounds N         Rounds (${ROUNDS}).
  --seed S           Replays the decisions of the run that printed this seed: kinds,
                     instants, numbers of bytes, and what is written. How processes
                     are scheduled is not replayed.
  --kinds A,B        Only faults of these kinds; "kill", "source" and "replica"
                     stand for all that begin so. Kinds:
                     ${FAULT_KINDS.slice(0, 5).join(", ")},
                     ${FAULT_KINDS.slice(5, 11).join(", ")},
                     ${FAULT_KINDS.slice(11).join(", ")}.
  --check-every N    Prove everything after so many rounds (${CHECK_EVERY}), and remove
                     all files but the newest then: a run of thousands of rounds
                     needs no more space than one of a hundred.
  --position-replica A second replica, which follows by file and position.
  --keep             Keep the folder with all data and logs. It stays after a
                     failure in any case.
  --help             Show this.

Needs Linux on x86-64 and npm, which downloads the MySQL server (31 MB) at the
first run; no root. Exit code 0: all was proven; 1: something was lost, served
twice or changed, or did not come back; 2: wrong command line; 130, 143: ended
by a signal.
`;

/**
 * Reads the command line.
 *
 * @param randomSeed taken when none is given
 * @returns The options, or `"help"` if that is asked for.
 * @throws {CrashUsageError} If it is not understood.
 */
export function parseCrashOptions(
  args: readonly string[],
  randomSeed: number,
): CrashOptions | "help" {
  // `deno task test:crash -- --rounds 5` is written by those used to npm
  const own = args[0] === "--" ? args.slice(1) : [...args];
  const flags = parseArgs(own, {
    string: ["rounds", "seed", "kinds", "check-every", "_"],
    boolean: ["position-replica", "keep", "help"],
    alias: { h: "help" },
    unknown: (arg) => {
      throw new CrashUsageError(`test:crash does not take "${arg}"`);
    },
  });
  const [surplus] = flags._;
  if (surplus !== undefined) {
    throw new CrashUsageError(`test:crash does not take "${surplus}"`);
  }
  if (flags.help) return "help";
  return {
    rounds: readNumber("rounds", flags.rounds, 1, ROUNDS_MAX) ?? ROUNDS,
    seed: readNumber("seed", flags.seed, 0, SEED_MAX) ?? randomSeed,
    kinds: readKinds(flags.kinds),
    checkEvery:
      readNumber("check-every", flags["check-every"], 1, ROUNDS_MAX) ??
        CHECK_EVERY,
    positionReplica: flags["position-replica"],
    keep: flags.keep,
  };
}

function readNumber(
  name: string,
  text: string | undefined,
  min: number,
  max: number,
): number | undefined {
  if (text === undefined) return undefined;
  const number = /^\d+$/.test(text) ? Number(text) : NaN;
  if (number >= min && number <= max) return number;
  throw new CrashUsageError(
    `--${name} must be a whole number from ${min} to ${max}, not "${text}"`,
  );
}

function readKinds(text: string | undefined): readonly FaultKind[] {
  if (text === undefined) return FAULT_KINDS;
  const wanted = new Set<FaultKind>();
  for (const word of text.split(",")) {
    const exact = FAULT_KINDS.filter((kind) => kind === word);
    const found = exact.length > 0
      ? exact
      : FAULT_KINDS.filter((kind) => kind.startsWith(`${word}-`));
    if (found.length === 0) {
      throw new CrashUsageError(
        `--kinds: there is no kind "${word}"; there are ${
          FAULT_KINDS.join(", ")
        }`,
      );
    }
    for (const kind of found) wanted.add(kind);
  }
  return FAULT_KINDS.filter((kind) => wanted.has(kind));
}
