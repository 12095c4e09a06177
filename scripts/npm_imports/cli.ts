/**
 * Stands in for `@std/cli` where JSR cannot be reached: `parseArgs` over the
 * tokens of Node's `node:util`, with `@std/cli`'s options, readings and types,
 * and `unicodeWidth` over the `get-east-asian-width` package of npm.
 *
 * Left out, as nothing here uses them: dotted names, `stopEarly` and
 * `boolean: true`.
 *
 * @module
 */

import { parseArgs as tokenize } from "node:util";
// deno-lint-ignore no-import-prefix -- only this file may know the package
import { eastAsianWidth } from "npm:get-east-asian-width@^1.7.0";

/** A name, several names or none. */
type Names<T extends string> = T | readonly T[];

/** Options of {@linkcode parseArgs}. */
export interface ParseOptions<
  B extends string = string,
  S extends string = string,
  C extends string = string,
  N extends string = string,
  D extends Record<string, unknown> = Record<string, unknown>,
  DD extends boolean = boolean,
> {
  /** Whether what follows `--` is given as `"--"` rather than with `_`. */
  "--"?: DD;
  /** Other names of options: each takes the value under all its names. */
  alias?: Record<string, string | readonly string[]>;
  /** Options that take no value; `false` where they are not given. */
  boolean?: Names<B>;
  /** Values of options that are not given. */
  default?: D;
  /** Options whose value is a string even if it looks like a number. */
  string?: Names<S>;
  /** Options that may be repeated: their value is an array. */
  collect?: Names<C>;
  /** Options that `--no-name` sets to `false`. */
  negatable?: Names<N>;
  /** Asked about each argument not declared; `false` drops it. */
  unknown?: (arg: string, key?: string, value?: unknown) => unknown;
}

/** The value of one option that was declared a string. */
type StringValue<K, C, N> =
  | (K extends C ? string[] : string)
  | (K extends N ? false : never);

/** The value of one option that was declared a boolean. */
type BooleanValue<K, C> = K extends C ? boolean[] : boolean;

/** What {@linkcode parseArgs} returns: the options by name, and the rest. */
export type Args<
  B extends string = string,
  S extends string = string,
  C extends string = string,
  N extends string = string,
  D extends Record<string, unknown> = Record<string, unknown>,
  DD extends boolean = boolean,
> =
  & Record<string, unknown>
  & { [K in Exclude<S, C | keyof D>]?: StringValue<K, C, N> }
  & { [K in Extract<S, C>]: StringValue<K, C, N> }
  & { [K in Extract<S, keyof D>]: StringValue<K, C, N> | D[K] }
  & { [K in B]: BooleanValue<K, C> }
  & {
    /** Arguments that are no options. */
    _: Array<string | number>;
  }
  & (DD extends true ? {
      /** Arguments after `--`. */
      "--": string[];
    }
    : unknown);

function toSet(names: Names<string> | undefined): Set<string> {
  return new Set(typeof names === "string" ? [names] : names ?? []);
}

/** Which names stand for the same option, from any of them to all of them. */
function aliasGroups(
  alias: Record<string, string | readonly string[]>,
): Map<string, string[]> {
  const groups = new Map<string, string[]>();
  for (const [name, others] of Object.entries(alias)) {
    const group = [name, ...toSet(others)];
    for (const member of group) groups.set(member, group);
  }
  return groups;
}

function looksNumeric(text: string): boolean {
  return text.trim() !== "" && Number.isFinite(Number(text));
}

/** An option as it was written: its name, and its value if it has one. */
interface Written {
  arg: string;
  name: string;
  value: string | boolean | undefined;
}

/** The declarations of one call, with aliases resolved. */
class Declared {
  readonly groups: Map<string, string[]>;
  readonly boolean: Set<string>;
  readonly string: Set<string>;
  readonly collect: Set<string>;
  readonly negatable: Set<string>;

  constructor(options: ParseOptions) {
    this.groups = aliasGroups(options.alias ?? {});
    this.boolean = this.#withAliases(options.boolean);
    this.string = this.#withAliases(options.string);
    this.collect = this.#withAliases(options.collect);
    this.negatable = this.#withAliases(options.negatable);
  }

  namesOf(name: string): string[] {
    return this.groups.get(name) ?? [name];
  }

  knows(name: string): boolean {
    return this.boolean.has(name) || this.string.has(name) ||
      this.collect.has(name) || this.groups.has(name);
  }

  #withAliases(names: Names<string> | undefined): Set<string> {
    return new Set([...toSet(names)].flatMap((name) => this.namesOf(name)));
  }
}

/**
 * Takes arguments apart as `@std/cli` does: an option without `=` takes the
 * next argument as its value unless it is a boolean or that one starts with
 * `-`; in a group of short options only the last one does.
 */
function* readOptions(
  args: readonly string[],
  declared: Declared,
): Generator<Written | string> {
  const { tokens } = tokenize({
    // Node would read `-p=5` and `-p5` as groups of short options
    args: args.map((arg) => arg.replace(/^-([a-z])(?:=|(?=-?\d))/i, "--$1=")),
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  for (let at = 0; at < tokens.length; at++) {
    const token = tokens[at];
    if (token?.kind === "positional") yield token.value;
    if (token?.kind !== "option") continue;
    const arg = args[token.index] ?? "";
    const name = token.name;
    let value: string | boolean | undefined = token.value;
    if (value === undefined && name.startsWith("no-")) {
      const negated = name.slice(3);
      if (declared.negatable.has(negated)) {
        yield { arg, name: negated, value: false };
        continue;
      }
    }
    const next = tokens[at + 1];
    if (
      value === undefined && next?.kind === "positional" &&
      next.index === token.index + 1 && next.value !== "" &&
      !(next.value === "-" && token.rawName.startsWith("--"))
    ) {
      if (!declared.boolean.has(name)) {
        value = next.value;
        at++;
      } else if (next.value === "true" || next.value === "false") {
        value = next.value === "true";
        at++;
      }
    } else if (typeof value === "string" && declared.boolean.has(name)) {
      value = value !== "false";
    }
    yield { arg, name, value };
  }
}

/**
 * Parses command-line arguments.
 *
 * @param args The arguments, as in `Deno.args`.
 * @param options Which names are options and how their values are read.
 * @returns The options by name, with what is no option in `_`.
 */
export function parseArgs<
  const B extends string = never,
  const S extends string = never,
  const C extends string = never,
  const N extends string = never,
  D extends Record<string, unknown> = Record<never, never>,
  DD extends boolean = false,
>(
  args: readonly string[],
  options: ParseOptions<B, S, C, N, D, DD> = {},
): Args<B, S, C, N, D, DD> {
  const declared = new Declared(options as ParseOptions);
  const unknownFn = options.unknown ?? (() => true);
  const parsed: Record<string, unknown> = {};
  const rest: Array<string | number> = [];
  const end = args.includes("--") ? args.indexOf("--") : args.length;

  const set = (name: string, value: unknown, collect: boolean): void => {
    for (const alias of declared.namesOf(name)) {
      if (alias === "__proto__") continue;
      const earlier = parsed[alias];
      parsed[alias] = collect && declared.collect.has(alias)
        ? [...(Array.isArray(earlier) ? earlier : []), value]
        : value;
    }
  };

  for (const item of readOptions(args.slice(0, end), declared)) {
    if (typeof item === "string") {
      if (unknownFn(item) === false) continue;
      const keep = declared.string.has("_") || !looksNumeric(item);
      rest.push(keep ? item : Number(item));
      continue;
    }
    const { arg, name } = item;
    const value = item.value ?? (declared.string.has(name) ? "" : true);
    if (!declared.knows(name) && unknownFn(arg, name, value) === false) {
      continue;
    }
    const numeric = typeof value === "string" && looksNumeric(value) &&
      !declared.string.has(name);
    set(name, numeric ? Number(value) : value, item.value !== false);
  }

  for (const [name, value] of Object.entries(options.default ?? {})) {
    if (!Object.hasOwn(parsed, name)) set(name, value, false);
  }
  for (const name of [...declared.boolean, ...declared.string]) {
    if (Object.hasOwn(parsed, name)) continue;
    if (declared.collect.has(name)) parsed[name] = [];
    else if (declared.boolean.has(name)) parsed[name] = false;
  }
  const after = args.slice(end + 1);
  if (options["--"]) parsed["--"] = after;
  else rest.push(...after);
  return { ...parsed, _: rest } as Args<B, S, C, N, D, DD>;
}

/** What takes no room of its own: controls, marks on letters, joiners. */
const WITHOUT_WIDTH =
  /^[\p{Control}\p{Nonspacing_Mark}\p{Enclosing_Mark}\p{Format}]$/u;

/**
 * How many columns of a terminal a text takes, code point by code point.
 *
 * @param str Text without escape sequences.
 */
export function unicodeWidth(str: string): number {
  let width = 0;
  for (const character of str) {
    if (WITHOUT_WIDTH.test(character)) continue;
    width += eastAsianWidth(character.codePointAt(0)!);
  }
  return width;
}
