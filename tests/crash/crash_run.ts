import { describeError } from "../../lib/log/describe_error.ts";
import { DemoFolder } from "../../scripts/demo/demo_folder.ts";
import { CrashError } from "./crash_error.ts";
import type { CrashOptions } from "./crash_options.ts";
import { CrashPlanner, describeRound, type FaultKind } from "./crash_plan.ts";
import { type CrashReport, formatCount } from "./crash_report.ts";
import { CrashSystem } from "./crash_system.ts";

/** What a run needs besides its options. */
export interface CrashDeps {
  /** Ends the run; everything it started ends, too. */
  readonly signal: AbortSignal;
  /** Told what goes on: a line for people. */
  readonly say: (line: string) => void;
  /** Whether this kingbus has a command `verify`. */
  readonly canVerify: boolean;
}

/**
 * Runs the crash test.
 *
 * @returns what it did, and what went wrong if something did
 * @throws the signal's reason when that ended it
 */
export async function runCrash(
  options: CrashOptions,
  deps: CrashDeps,
): Promise<CrashReport> {
  const { signal } = deps;
  // Its guard ends all that works in it, whatever happens to this process; what
  // is in it is removed here, unless it shows a failure.
  const folder = await DemoFolder.make({
    keep: true,
    prefix: "kingbus-crash-",
  });
  deps.say(`everything is in ${folder.path}`);
  let keep = options.keep;
  const tally = new Tally(options);
  try {
    await play(folder.path, options, deps, tally);
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    tally.failure = describeError(error);
    keep = true;
  } finally {
    await folder[Symbol.asyncDispose]();
    if (!keep) await Deno.remove(folder.path, { recursive: true });
  }
  return tally.report(keep ? folder.path : undefined);
}

async function play(
  folder: string,
  options: CrashOptions,
  deps: CrashDeps,
  tally: Tally,
): Promise<void> {
  const { signal, say } = deps;
  const { rounds, seed, kinds, checkEvery, positionReplica } = options;
  await using system = await CrashSystem.open({
    folder,
    seed,
    positionReplica,
    signal,
  });
  tally.system = system;
  const planner = new CrashPlanner(seed, kinds);
  for (let round = 1; round <= rounds; round++) {
    signal.throwIfAborted();
    const plan = planner.next();
    const begunMs = performance.now();
    try {
      await system.play(plan);
    } catch (error) {
      throw new CrashError(
        `round ${round}, ${describeRound(plan)}: ${describeError(error)}`,
        { cause: error },
      );
    }
    tally.played(plan.kind);
    const tookMs = Math.round(performance.now() - begunMs);
    say(`round ${round} of ${rounds}: ${describeRound(plan)} (${tookMs} ms)`);
    if (round % checkEvery !== 0 && round !== rounds) continue;
    const proof = await system.prove(round === rounds);
    tally.proven(proof);
    say(
      `proven after round ${round}: ${proof.files} files, ${
        formatCount(proof.bytes)
      } bytes compared, ${
        formatCount(proof.transactions)
      } transactions, ${proof.tables} tables`,
    );
  }
  if (!deps.canVerify) return;
  const words = (await system.verify()).trim().split("\n").at(-1) ?? "";
  tally.verified = words;
  say(`kingbus verify: ${words}`);
}

/** Counts what a run does. */
class Tally {
  readonly #options: CrashOptions;
  readonly #begunMs = performance.now();
  readonly #kinds = new Map<FaultKind, number>();
  #bytes = 0;
  #transactions = 0;
  #files = 0;
  #proofs = 0;
  system: CrashSystem | undefined;
  verified: string | undefined;
  failure: string | undefined;

  constructor(options: CrashOptions) {
    this.#options = options;
  }

  played(kind: FaultKind): void {
    this.#kinds.set(kind, (this.#kinds.get(kind) ?? 0) + 1);
  }

  proven(proof: { files: number; bytes: number; transactions: number }): void {
    this.#proofs++;
    this.#bytes += proof.bytes;
    this.#files += proof.files;
    this.#transactions += proof.transactions;
  }

  report(folder: string | undefined): CrashReport {
    const { system } = this;
    return {
      seed: this.#options.seed,
      wanted: this.#options.rounds,
      kinds: this.#kinds,
      seconds: (performance.now() - this.#begunMs) / 1000,
      proofs: this.#proofs,
      bytes: this.#bytes,
      files: this.#files,
      transactions: this.#transactions,
      load: system?.load.counts,
      kingbusStarts: system?.kingbus.starts ?? 0,
      connectionsCut: system?.cuts ?? 0,
      purgedFiles: system?.purgedFiles ?? 0,
      witness: {
        connections: system?.witness.connections ?? 0,
        events: system?.witness.events ?? 0,
        bytes: system?.witness.bytes ?? 0,
      },
      verified: this.verified,
      failure: this.failure,
      folder,
    };
  }
}
