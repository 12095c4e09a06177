/**
 * Stands in for `@std/assert` where JSR cannot be reached: the same names,
 * signatures and verdicts, with the difference report taken from Node's
 * `node:assert`.
 *
 * Only what tests call is here. `tests/unit/scripts/npm_imports_assert_test.ts`
 * puts the same questions to both modules.
 *
 * @module
 */

import nodeAssert from "node:assert";
import { stripVTControlCharacters } from "node:util";

/** Any class, abstract ones included, whose instances are `T`. */
type ClassOf<T> = abstract new (...args: never[]) => T;

/** What every failed assertion of this module throws. */
export class AssertionError extends Error {
  /** @param message What was expected and what was found. */
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "AssertionError";
  }
}

/** The ending of a message: the caller's own words if there are any. */
function suffix(msg: string | undefined): string {
  return msg ? `: ${msg}` : ".";
}

/** Node's line-by-line report of how two values differ. */
function difference(actual: unknown, expected: unknown): string {
  const report = new nodeAssert.AssertionError({
    actual,
    expected,
    operator: "deepStrictEqual",
  });
  return stripVTControlCharacters(report.message);
}

function show(value: unknown): string {
  return typeof value === "string"
    ? JSON.stringify(value)
    : Deno.inspect(value);
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

/** The prototype, with objects made by `Object.create(null)` taken as plain. */
function prototypeOf(value: object): unknown {
  return Object.getPrototypeOf(value) ?? Object.prototype;
}

/** Own keys and, for class instances, those of the classes (accessors count). */
function comparedKeys(value: object): Set<string | symbol> {
  const keys = new Set<string | symbol>();
  let level: object | null = value;
  while (
    level !== null && level !== Object.prototype && level !== Array.prototype
  ) {
    for (const key of Reflect.ownKeys(level)) keys.add(key);
    level = Object.getPrototypeOf(level) as object | null;
  }
  return keys;
}

/** Same elements in any order, each matched once. */
function sameElements(
  a: Iterable<unknown>,
  b: Iterable<unknown>,
  same: (x: unknown, y: unknown) => boolean,
): boolean {
  const rest = [...b];
  for (const element of a) {
    const at = rest.findIndex((candidate) => same(element, candidate));
    if (at < 0) return false;
    rest.splice(at, 1);
  }
  return rest.length === 0;
}

/**
 * Tells whether two values are deeply equal: same classes, same keys, same
 * values; `NaN` equals itself, `0` equals `-0`.
 */
export function equal(a: unknown, b: unknown): boolean {
  const seen = new Map<object, object>();
  const compare = (x: unknown, y: unknown): boolean => {
    if (x === y || Object.is(x, y)) return true;
    if (!isObject(x) || !isObject(y)) return false;
    if (prototypeOf(x) !== prototypeOf(y)) return false;
    if (x instanceof Date && y instanceof Date) {
      return Object.is(x.getTime(), y.getTime());
    }
    if (x instanceof RegExp || x instanceof URL) return String(x) === String(y);
    if (x instanceof ArrayBuffer && y instanceof ArrayBuffer) {
      return compare(new Uint8Array(x), new Uint8Array(y));
    }
    if (ArrayBuffer.isView(x) && !(x instanceof DataView)) {
      const left = x as Uint8Array;
      const right = y as Uint8Array;
      return left.length === right.length &&
        left.every((element, i) => compare(element, right[i]));
    }
    if (seen.get(x) === y) return true;
    seen.set(x, y);
    if (x instanceof Set && y instanceof Set) {
      return x.size === y.size && sameElements(x, y, compare);
    }
    if (x instanceof Map && y instanceof Map) {
      return x.size === y.size && sameElements(x, y, compare);
    }
    if (Object.keys(x).length !== Object.keys(y).length) return false;
    const keys = comparedKeys(x).union(comparedKeys(y));
    for (const key of keys) {
      if (key in x !== key in y) return false;
      if (!compare(Reflect.get(x, key), Reflect.get(y, key))) return false;
    }
    return true;
  };
  return compare(a, b);
}

/** Throws unless `expr` is truthy. */
export function assert(expr: unknown, msg = ""): asserts expr {
  if (!expr) throw new AssertionError(msg);
}

/** Throws unless `expr` is falsy. */
export function assertFalse(expr: unknown, msg?: string): void {
  if (expr) {
    throw new AssertionError(
      `Expected ${show(expr)} to be falsy${suffix(msg)}`,
    );
  }
}

/** Throws always: marks a place a test must not reach. */
export function fail(msg?: string): never {
  throw new AssertionError(`Failed assertion${suffix(msg)}`);
}

/** Throws always: marks a branch the program cannot take. */
export function unreachable(reason?: string): never {
  throw new AssertionError(`Unreachable${suffix(reason)}`);
}

/** Throws unless the two values are deeply equal. */
export function assertEquals<T>(actual: T, expected: T, msg?: string): void {
  if (equal(actual, expected)) return;
  throw new AssertionError(
    `Values are not equal${suffix(msg)}\n${difference(actual, expected)}`,
  );
}

/** Throws if the two values are deeply equal. */
export function assertNotEquals<T>(actual: T, expected: T, msg?: string): void {
  if (!equal(actual, expected)) return;
  throw new AssertionError(
    `Expected actual: ${show(actual)} not to be: ${show(expected)}${
      suffix(msg)
    }`,
  );
}

/** Throws unless the two are the same value, by `Object.is`. */
export function assertStrictEquals<T>(
  actual: unknown,
  expected: T,
  msg?: string,
): asserts actual is T {
  if (Object.is(actual, expected)) return;
  throw new AssertionError(
    `Values are not strictly equal${suffix(msg)}\n${
      difference(actual, expected)
    }`,
  );
}

/** Throws if the two are the same value, by `Object.is`. */
export function assertNotStrictEquals<T>(
  actual: T,
  expected: T,
  msg?: string,
): void {
  if (!Object.is(actual, expected)) return;
  throw new AssertionError(
    `Expected "actual" to not be strictly equal to: ${show(actual)}${
      suffix(msg)
    }`,
  );
}

/**
 * Throws unless the numbers are within `tolerance` of each other; without one,
 * within a ten-millionth of `expected`.
 */
export function assertAlmostEquals(
  actual: number,
  expected: number,
  tolerance?: number,
  msg?: string,
): void {
  if (Object.is(actual, expected)) return;
  const limit = tolerance ??
    (Number.isFinite(expected) ? Math.abs(expected * 1e-7) : 1e-7);
  if (Math.abs(expected - actual) <= limit) return;
  throw new AssertionError(
    `Expected actual: "${actual}" to be close to "${expected}"` + suffix(msg),
  );
}

/** Throws if `actual` is `null` or `undefined`. */
export function assertExists<T>(
  actual: T,
  msg?: string,
): asserts actual is NonNullable<T> {
  if (actual !== null && actual !== undefined) return;
  throw new AssertionError(
    `Expected actual: "${actual}" to not be null or undefined${suffix(msg)}`,
  );
}

/** Throws unless `actual` is an instance of `expectedType`. */
export function assertInstanceOf<T>(
  actual: unknown,
  expectedType: ClassOf<T>,
  msg = "",
): asserts actual is T {
  if (actual instanceof expectedType) return;
  const found = isObject(actual) ? actual.constructor?.name : show(actual);
  throw new AssertionError(
    msg ||
      `Expected object to be an instance of "${expectedType.name}" but was "${found}".`,
  );
}

/** Throws if `actual` is an instance of `unexpectedType`. */
export function assertNotInstanceOf<A, T>(
  actual: A,
  unexpectedType: ClassOf<T>,
  msg?: string,
): asserts actual is Exclude<A, T> {
  if (!(actual instanceof unexpectedType)) return;
  throw new AssertionError(
    `Expected object to not be an instance of "${unexpectedType.name}"${
      suffix(msg)
    }`,
  );
}

/** Throws unless `actual` contains `expected`. */
export function assertStringIncludes(
  actual: string,
  expected: string,
  msg?: string,
): void {
  if (actual.includes(expected)) return;
  throw new AssertionError(
    `Expected actual: "${actual}" to contain: "${expected}"${suffix(msg)}`,
  );
}

/** Throws unless `actual` contains an equal of each element of `expected`. */
export function assertArrayIncludes<T>(
  actual: ArrayLike<T>,
  expected: ArrayLike<T>,
  msg?: string,
): void {
  const all = Array.from(actual);
  const missing = Array.from(expected).filter((element) =>
    !all.some((candidate) => equal(candidate, element))
  );
  if (missing.length === 0) return;
  throw new AssertionError(
    `Expected actual: ${show(all)} to include: ${show(Array.from(expected))}${
      suffix(msg)
    }\nmissing: ${show(missing)}`,
  );
}

/** Throws unless `actual` matches the pattern. */
export function assertMatch(
  actual: string,
  expected: RegExp,
  msg?: string,
): void {
  if (expected.test(actual)) return;
  throw new AssertionError(
    `Expected actual: "${actual}" to match: "${expected}"${suffix(msg)}`,
  );
}

/** Throws if `actual` matches the pattern. */
export function assertNotMatch(
  actual: string,
  expected: RegExp,
  msg?: string,
): void {
  if (!expected.test(actual)) return;
  throw new AssertionError(
    `Expected actual: "${actual}" to not match: "${expected}"${suffix(msg)}`,
  );
}

/** Throws unless `actual > expected`. */
export function assertGreater<T>(actual: T, expected: T, msg?: string): void {
  if (actual > expected) return;
  throw new AssertionError(
    msg ?? `Expect ${show(actual)} > ${show(expected)}`,
  );
}

/** Throws unless `actual >= expected`. */
export function assertGreaterOrEqual<T>(
  actual: T,
  expected: T,
  msg?: string,
): void {
  if (actual >= expected) return;
  throw new AssertionError(
    msg ?? `Expect ${show(actual)} >= ${show(expected)}`,
  );
}

/** Throws unless `actual < expected`. */
export function assertLess<T>(actual: T, expected: T, msg?: string): void {
  if (actual < expected) return;
  throw new AssertionError(
    msg ?? `Expect ${show(actual)} < ${show(expected)}`,
  );
}

/** Throws unless `actual <= expected`. */
export function assertLessOrEqual<T>(
  actual: T,
  expected: T,
  msg?: string,
): void {
  if (actual <= expected) return;
  throw new AssertionError(
    msg ?? `Expect ${show(actual)} <= ${show(expected)}`,
  );
}

/** Keeps of `actual` what `expected` names, to any depth. */
function named(actual: unknown, expected: unknown): unknown {
  const nested = isObject(actual) && isObject(expected) &&
    !(expected instanceof Date) && !(expected instanceof RegExp) &&
    !(expected instanceof Map) && !(expected instanceof Set) &&
    !ArrayBuffer.isView(expected);
  if (!nested) return actual;
  if (Array.isArray(expected) && Array.isArray(actual)) {
    return actual.slice(0, expected.length)
      .map((element, i) => named(element, expected[i]));
  }
  const kept: Record<PropertyKey, unknown> = {};
  for (const key of Reflect.ownKeys(expected)) {
    if (!(key in actual)) continue;
    kept[key] = named(Reflect.get(actual, key), Reflect.get(expected, key));
  }
  return kept;
}

/** Throws unless `actual` has everything `expected` has, and maybe more. */
export function assertObjectMatch(
  actual: object,
  expected: Record<PropertyKey, unknown>,
  msg?: string,
): void {
  assertEquals(named(actual, expected), named(expected, expected), msg);
}

/** Throws unless `error` is of the given class with the given words. */
export function assertIsError<E extends Error = Error>(
  error: unknown,
  ErrorClass?: ClassOf<E>,
  msgMatches?: string | RegExp,
  msg?: string,
): asserts error is E {
  if (!(error instanceof Error)) {
    throw new AssertionError(
      `Expected "error" to be an Error object${suffix(msg)}`,
    );
  }
  if (ErrorClass && !(error instanceof ErrorClass)) {
    throw new AssertionError(
      `Expected error to be instance of "${ErrorClass.name}", but was "${error.constructor?.name}"${
        suffix(msg)
      }`,
      { cause: error },
    );
  }
  if (msgMatches === undefined) return;
  const words = stripVTControlCharacters(error.message);
  const found = typeof msgMatches === "string"
    ? words.includes(stripVTControlCharacters(msgMatches))
    : msgMatches.test(words);
  if (found) return;
  throw new AssertionError(
    `Expected error message to ${
      typeof msgMatches === "string" ? "include" : "match"
    } ${show(msgMatches)}, but got ${show(error.message)}${suffix(msg)}`,
    { cause: error },
  );
}

/** The optional arguments that assertThrows and assertRejects share. */
interface Wanted<E extends Error> {
  errorClass: ClassOf<E> | undefined;
  includes: string | undefined;
  msg: string | undefined;
}

function wanted<E extends Error>(
  errorClassOrMsg: ClassOf<E> | string | undefined,
  msgIncludes: string | undefined,
  msg: string | undefined,
): Wanted<E> {
  if (typeof errorClassOrMsg === "string") {
    return { errorClass: undefined, includes: undefined, msg: errorClassOrMsg };
  }
  return { errorClass: errorClassOrMsg, includes: msgIncludes, msg };
}

function checkThrown<E extends Error>(error: unknown, want: Wanted<E>): void {
  if (want.errorClass === undefined) return;
  assertIsError(error, want.errorClass, want.includes, want.msg);
}

/** Throws unless `fn` throws; returns what it threw. */
export function assertThrows(fn: () => unknown, msg?: string): unknown;
/** Throws unless `fn` throws an error of the class, with the words. */
export function assertThrows<E extends Error = Error>(
  fn: () => unknown,
  ErrorClass: ClassOf<E>,
  msgIncludes?: string,
  msg?: string,
): E;
export function assertThrows<E extends Error = Error>(
  fn: () => unknown,
  errorClassOrMsg?: ClassOf<E> | string,
  msgIncludes?: string,
  msg?: string,
): unknown {
  const want = wanted(errorClassOrMsg, msgIncludes, msg);
  try {
    fn();
  } catch (error) {
    checkThrown(error, want);
    return error;
  }
  throw new AssertionError(`Expected function to throw${suffix(want.msg)}`);
}

/** Rejects unless the promise of `fn` does; resolves to its reason. */
export function assertRejects(
  fn: () => PromiseLike<unknown>,
  msg?: string,
): Promise<unknown>;
/** Rejects unless the promise of `fn` does, with the class and the words. */
export function assertRejects<E extends Error = Error>(
  fn: () => PromiseLike<unknown>,
  ErrorClass: ClassOf<E>,
  msgIncludes?: string,
  msg?: string,
): Promise<E>;
export async function assertRejects<E extends Error = Error>(
  fn: () => PromiseLike<unknown>,
  errorClassOrMsg?: ClassOf<E> | string,
  msgIncludes?: string,
  msg?: string,
): Promise<unknown> {
  const want = wanted(errorClassOrMsg, msgIncludes, msg);
  let promise: PromiseLike<unknown>;
  try {
    promise = fn();
  } catch (error) {
    throw new AssertionError(
      `Function throws when expected to reject${suffix(want.msg)}`,
      { cause: error },
    );
  }
  try {
    await promise;
  } catch (error) {
    checkThrown(error, want);
    return error;
  }
  throw new AssertionError(`Expected function to reject${suffix(want.msg)}`);
}
