import { SeededRandom } from "../support/seeded_random.ts";
import { meterAllocations } from "./allocation_meter.ts";
import { FuzzFailure, type FuzzTarget } from "./fuzz_target.ts";
import { mutate, randomInput } from "./mutate.ts";

/** How long, and from which seed. */
export interface FuzzLoopOptions {
  readonly seed: number;
  /** Inputs to try; as many as there is time for when absent. */
  readonly inputs?: number | undefined;
  /** Time to take, in seconds; as long as the inputs need when absent. */
  readonly seconds?: number | undefined;
  /** Told of every input before it is tried. */
  readonly before?: (input: Uint8Array) => void;
  /** Time that one input may take; a quarter of a second when absent. */
  readonly inputMsMax?: number;
}

/** What a target went through. */
export interface FuzzReport {
  readonly target: string;
  readonly inputs: number;
  readonly seconds: number;
  /** How many different answers there were. */
  readonly answers: number;
  /** What was in memory behind the first quarter, and at the end, in bytes. */
  readonly heldBefore: number;
  readonly heldAfter: number;
}

/** An input that must not do what it did. */
export class FuzzFind extends Error {
  override readonly name = "FuzzFind";
  readonly target: string;
  /** Which one it was, from 1. */
  readonly count: number;
  readonly input: Uint8Array;

  constructor(
    target: string,
    count: number,
    input: Uint8Array,
    cause: unknown,
  ) {
    super(`${target}: ${describe(cause)}`, { cause });
    this.target = target;
    this.count = count;
    this.input = input;
  }
}

/** Inputs kept because their answer was new; the oldest are given up. */
const KEPT_MAX = 2000;
/** Where there are as many answers, they tell of what was sent, not of a way. */
const ANSWERS_MAX = 5000;
/** An input in so many has its allocations measured. */
const METERED_EVERY = 16;
const ALLOCATION_BYTES_MAX = 64 * 1024;
/** A decoder may make text, views and lists of its input; not more than this. */
const ALLOCATION_TIMES_INPUT = 64;
/** What may be left behind by all inputs together. */
const GROWTH_BYTES_MAX = 24 * 1024 * 1024;
const INPUT_MS_MAX = 250;
/** The clock and the collector are asked every so many inputs. */
const CHECKED_EVERY = 64;
/** The event loop gets a turn so often. */
const TURN_MS = 50;

/**
 * Feeds a target inputs made of its corpus until time or number is used up.
 *
 * @throws {FuzzFind} at the first input that must not do what it does
 */
export async function fuzz(
  target: FuzzTarget,
  options: FuzzLoopOptions,
): Promise<FuzzReport> {
  const random = new SeededRandom(options.seed ^ hashOf(target.name));
  const answers = new Set<string>();
  const kept: Uint8Array[] = [];
  const pool = [...target.corpus];
  const material = { pool, dictionary: target.dictionary ?? [] };
  const inputsMax = options.inputs ?? Infinity;
  const msMax = options.seconds === undefined
    ? Infinity
    : options.seconds * 1000;
  const start = performance.now();
  let heldBefore = 0;
  let count = 0;
  let turnedAt = start;
  const elapsed = () => performance.now() - start;
  while (count < inputsMax) {
    if (count % CHECKED_EVERY === 0) {
      const part = Math.max(elapsed() / msMax, count / inputsMax);
      if (part >= 1) break;
      if (heldBefore === 0 && part >= 0.25) heldBefore = await held();
      if (performance.now() - turnedAt > TURN_MS) {
        await nextTurn();
        turnedAt = performance.now();
      }
    }
    const input = count < pool.length
      ? pool[count]!
      : nextInput(random, kept, material);
    count += 1;
    options.before?.(input);
    let answer: string;
    try {
      answer = await attempt(target, input, {
        metered: count % METERED_EVERY === 0,
        msMax: options.inputMsMax ?? INPUT_MS_MAX,
      });
    } catch (cause) {
      throw new FuzzFind(target.name, count, input, cause);
    }
    if (answers.size >= ANSWERS_MAX || answers.has(answer)) continue;
    answers.add(answer);
    if (kept.length >= KEPT_MAX) kept.shift();
    kept.push(input);
  }
  const heldAfter = await held();
  if (heldBefore > 0 && heldAfter - heldBefore > GROWTH_BYTES_MAX) {
    throw new FuzzFind(
      target.name,
      count,
      new Uint8Array(0),
      new FuzzFailure(
        `memory grew from ${heldBefore} to ${heldAfter} bytes over ${count} inputs`,
      ),
    );
  }
  return {
    target: target.name,
    inputs: count,
    seconds: elapsed() / 1000,
    answers: answers.size,
    heldBefore,
    heldAfter,
  };
}

function nextInput(
  random: SeededRandom,
  kept: readonly Uint8Array[],
  material: { pool: Uint8Array[]; dictionary: readonly Uint8Array[] },
): Uint8Array {
  if (material.pool.length === 0 || random.chance(0.02)) {
    return randomInput(random);
  }
  const base = kept.length === 0 || random.chance(0.4)
    ? random.pick(material.pool)
    : random.chance(0.3)
    ? kept.at(-1)!
    : random.pick(kept);
  return mutate(base, random, material);
}

/** Tries one input; what it must not do is thrown. */
export async function attempt(
  target: FuzzTarget,
  input: Uint8Array,
  { metered = true, msMax = INPUT_MS_MAX } = {},
): Promise<string> {
  // A target may write to what it is given.
  const own = input.slice();
  const start = performance.now();
  let answer: string;
  if (metered) {
    answer = await withinMemory(target, own);
  } else {
    const result = target.run(own);
    answer = typeof result === "string" ? result : await result;
  }
  if (performance.now() - start > msMax) {
    await requireFast(target, input, msMax);
  }
  return answer;
}

/** A pause of the machine is no fault of the input: only the best time counts. */
async function requireFast(
  target: FuzzTarget,
  input: Uint8Array,
  msMax: number,
): Promise<void> {
  let best = Infinity;
  for (let n = 0; n < 5 && best > msMax; n++) {
    const own = input.slice();
    const start = performance.now();
    await target.run(own);
    best = Math.min(best, performance.now() - start);
  }
  if (best > msMax) {
    throw new FuzzFailure(
      `it takes ${best.toFixed(0)} ms for ${input.length} bytes`,
    );
  }
}

async function withinMemory(
  target: FuzzTarget,
  input: Uint8Array,
): Promise<string> {
  const { result, allocations } = await meterAllocations(
    () => target.run(input),
  );
  const limit = (target.allocationBytesMax ?? ALLOCATION_BYTES_MAX) +
    ALLOCATION_TIMES_INPUT * input.length;
  if (allocations.largest > limit) {
    throw new FuzzFailure(
      `it asks for ${allocations.largest} bytes at once for an input of ${input.length}`,
    );
  }
  return result;
}

/** Bytes in memory once all garbage has gone, where the collector can be asked. */
async function held(): Promise<number> {
  const { gc } = globalThis as { gc?: () => void };
  for (let n = 0; n < 2; n++) {
    gc?.();
    await nextTurn();
  }
  const { heapUsed, external } = Deno.memoryUsage();
  return heapUsed + external;
}

/** Memory outside of the heap is given back between two turns of the loop. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

function hashOf(name: string): number {
  let hash = 0;
  for (const letter of name) {
    hash = Math.imul(hash, 31) + letter.codePointAt(0)! | 0;
  }
  return hash;
}

function describe(cause: unknown): string {
  return cause instanceof Error
    ? `${cause.name}: ${cause.message}`
    : String(cause);
}

/**
 * A smaller input that is a find as well: pieces are left out as long as that
 * goes, for at most two seconds.
 */
export async function shrink(
  target: FuzzTarget,
  input: Uint8Array,
): Promise<Uint8Array> {
  const until = performance.now() + 2000;
  const fails = async (candidate: Uint8Array): Promise<boolean> => {
    try {
      await attempt(target, candidate);
      return false;
    } catch {
      return true;
    }
  };
  let smallest = input;
  if (!await fails(smallest)) return input;
  for (let size = input.length >> 1; size > 0; size >>= 1) {
    for (let at = 0; at < smallest.length;) {
      if (performance.now() > until) return smallest;
      const shorter = new Uint8Array([
        ...smallest.subarray(0, at),
        ...smallest.subarray(at + size),
      ]);
      if (await fails(shorter)) smallest = shorter;
      else at += size;
    }
  }
  return smallest;
}
