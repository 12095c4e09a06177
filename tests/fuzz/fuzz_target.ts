import { ServerError } from "../../lib/protocol/server_error.ts";

/** One thing that is fed hostile bytes, and what has to hold then. */
export interface FuzzTarget {
  /** In lower case, as `--only` takes it. */
  readonly name: string;
  /** Real inputs, from which hostile ones are made. */
  readonly corpus: readonly Uint8Array[];
  /** Pieces that mean something to it; put in at random places. */
  readonly dictionary?: readonly Uint8Array[];
  /**
   * Most bytes it may ask for at once, by `new Uint8Array(n)` and the like, on
   * top of so many times its input; 64 KiB when absent.
   */
  readonly allocationBytesMax?: number;
  /**
   * Takes one input. Answers what came of it in few words, the same for inputs
   * that took the same way: one that brings a new answer is kept to be changed
   * further.
   *
   * @throws {unknown} whatever should not happen: any throw is a find
   */
  run(input: Uint8Array): string | Promise<string>;
}

/** A property that does not hold. */
export class FuzzFailure extends Error {
  override readonly name = "FuzzFailure";
}

/** Makes sure of something. */
export function require(condition: boolean, what: string): asserts condition {
  if (!condition) throw new FuzzFailure(what);
}

/** A class of errors. */
type ErrorClass = abstract new (...args: never[]) => Error;

/**
 * Does something that may throw errors of these classes and no others; answers
 * what came of it, without the numbers and names in it.
 */
export function outcomeOf(
  work: () => unknown,
  ...classes: readonly ErrorClass[]
): string {
  try {
    return `ok ${shapeOf(work())}`;
  } catch (error) {
    return refusal(error, classes);
  }
}

/** The same for what takes its time. */
export async function outcomeOfAsync(
  work: () => Promise<unknown>,
  ...classes: readonly ErrorClass[]
): Promise<string> {
  try {
    return `ok ${shapeOf(await work())}`;
  } catch (error) {
    return refusal(error, classes);
  }
}

/** What an expected error says; throws any other. */
export function refusal(
  error: unknown,
  classes: readonly ErrorClass[],
): string {
  for (const expected of classes) {
    if (error instanceof expected) {
      // what a peer calls an error is as it likes
      if (error instanceof ServerError) return error.name;
      const code = "code" in error ? String(error.code) : "";
      return `${error.name} ${code} ${wordsOf(error.message)}`;
    }
  }
  throw error;
}

const WORDS_MAX = 90;

/** A message without what differs from input to input. */
export function wordsOf(message: string): string {
  return message.slice(0, 4 * WORDS_MAX)
    .replace(/'[^']*'|"[^"]*"|near .*$/gs, "…")
    .replace(/[0-9a-f]{8}-[0-9a-f-]{27}|0x[0-9a-f]+|\d+/gi, "#")
    .replace(/[^\x20-\x7e…]+/g, "?")
    .slice(0, WORDS_MAX);
}

/** The kind of a value, and how large it is, roughly. */
function shapeOf(value: unknown): string {
  if (typeof value === "string") return `string ${magnitude(value.length)}`;
  if (value instanceof Uint8Array) return `bytes ${magnitude(value.length)}`;
  if (Array.isArray(value)) return `list ${magnitude(value.length)}`;
  if (value === null || typeof value !== "object") return typeof value;
  return Object.entries(value)
    .map(([key, field]) => `${key}:${field === undefined ? "-" : typeof field}`)
    .join(" ").slice(0, WORDS_MAX);
}

/** The number of binary digits. */
function magnitude(count: number): number {
  return 32 - Math.clz32(count);
}
