import * as z from "zod";
import { type Address, parseAddress } from "./address.ts";
import { formatDuration, parseDuration } from "./duration.ts";
import { formatSize, parseSize } from "./size.ts";
import { suggestion } from "./nearest_name.ts";

/** A validator of one scalar of the configuration, whatever YAML made of it. */
export type ConfigValue<Value> = z.ZodType<Value, unknown>;

/** Smallest and largest value allowed. */
export interface ValueRange {
  readonly min: number;
  readonly max: number;
}

/** A text of 1 to `max` characters, none of them a control character. */
export function textValue(max: number): ConfigValue<string> {
  return configValue((input) => checkText(input, max));
}

/** The path of a file or folder, as long as Linux takes them. */
export function pathValue(): ConfigValue<string> {
  return textValue(4096);
}

/** A secret: any text, even an empty one. Its errors never quote it. */
export function secretValue(): ConfigValue<string> {
  return configValue((input) => {
    if (typeof input === "string") return input;
    throw new SyntaxError("must be a text: put it in quotes");
  });
}

/** A text of a given shape; `reason` says which. */
export function patternValue(
  pattern: RegExp,
  reason: string,
): ConfigValue<string> {
  return configValue((input) => {
    const text = checkText(input, 1024);
    if (pattern.test(text)) return text;
    throw new SyntaxError(`${reason}, not "${text}"`);
  });
}

/** One of a few words. */
export function choiceValue<const Word extends string>(
  words: readonly Word[],
): ConfigValue<Word> {
  return configValue((input) => {
    const word = words.find((candidate) => candidate === input);
    if (word !== undefined) return word;
    const wish = suggestion(String(input), words);
    throw new SyntaxError(
      `must be ${orList(words)}, not ${show(input)}${wish}`,
    );
  });
}

/** `host:port`; port 0 only where it means "any free port". */
export function addressValue(
  options: { portMin: 0 | 1 },
): ConfigValue<Address> {
  return configValue((input) => {
    if (typeof input === "number") {
      throw new SyntaxError(`must be host:port, not only ${input}`);
    }
    const address = parseAddress(checkText(input, 300));
    if (address.port >= options.portMin) return address;
    throw new SyntaxError("must have a port from 1 to 65535");
  });
}

/** A whole number. */
export function integerValue(range: ValueRange): ConfigValue<number> {
  return configValue((input) => {
    const number = typeof input === "string" && /^\d{1,15}$/.test(input)
      ? Number(input)
      : input;
    if (typeof number !== "number" || !Number.isSafeInteger(number)) {
      throw new SyntaxError(`must be a whole number, not ${show(input)}`);
    }
    checkRange(number, range, String, show(input));
    return number;
  });
}

/** `true` or `false`. */
export function booleanValue(): ConfigValue<boolean> {
  return configValue((input) => {
    if (input === true || input === "true") return true;
    if (input === false || input === "false") return false;
    throw new SyntaxError(`must be true or false, not ${show(input)}`);
  });
}

/** A size in bytes, from texts such as `64MiB`; plain numbers are bytes. */
export function sizeValue(range: ValueRange): ConfigValue<number> {
  return configValue((input) => {
    const bytes = parseSize(
      typeof input === "number" ? String(input) : checkText(input, 64),
    );
    checkRange(bytes, range, formatSize, show(input));
    return bytes;
  });
}

/** A duration in milliseconds, from texts such as `10s`. */
export function durationValue(range: ValueRange): ConfigValue<number> {
  return configValue((input) => {
    if (typeof input === "number") {
      throw new SyntaxError(`needs a unit, as in ${input}s or ${input}ms`);
    }
    const durationMs = parseDuration(checkText(input, 64));
    checkRange(durationMs, range, formatDuration, show(input));
    return durationMs;
  });
}

/**
 * A validator from a function that takes the value as YAML or a flag gave it
 * and throws a SyntaxError that says what is wrong.
 */
export function configValue<Value>(
  parse: (input: unknown) => Value,
): ConfigValue<Value> {
  return z.unknown().transform((input, context): Value => {
    try {
      if (input === undefined) throw new SyntaxError("is missing");
      if (input === null) throw new SyntaxError("has no value");
      return parse(input);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      context.issues.push({ code: "custom", message: error.message, input });
      return z.NEVER;
    }
  });
}

function checkText(input: unknown, max: number): string {
  if (typeof input !== "string") {
    throw new SyntaxError(
      `must be a text, not ${show(input)}: put it in quotes`,
    );
  }
  if (input === "") throw new SyntaxError("must not be empty");
  if (input.length > max) {
    throw new SyntaxError(`must not be longer than ${max} characters`);
  }
  // deno-lint-ignore no-control-regex -- they are what is refused
  if (/[\u0000-\u001f\u007f]/.test(input)) {
    throw new SyntaxError("must not have control characters");
  }
  return input;
}

function checkRange(
  value: number,
  range: ValueRange,
  format: (value: number) => string,
  shown: string,
): void {
  if (value >= range.min && value <= range.max) return;
  throw new SyntaxError(
    `must be from ${format(range.min)} to ${format(range.max)}, not ${shown}`,
  );
}

/** A value as an error quotes it: bounded, and nested ones not at all. */
export function show(input: unknown): string {
  if (Array.isArray(input)) return "a list";
  if (typeof input === "string") return JSON.stringify(input.slice(0, 100));
  if (input instanceof Date) return "a date";
  return typeof input === "object" ? "a section" : String(input);
}

function orList(words: readonly string[]): string {
  if (words.length < 2) return words.join();
  return `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`;
}
