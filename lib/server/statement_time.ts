import { offsetOf, zoneOffset } from "./session_time_zone.ts";
import type { StatementContext } from "./statement_context.ts";
import type { StatementCursor } from "./statement_cursor.ts";
import { isReservedWord, parseExpression } from "./statement_expression.ts";
import type { StatementWarning } from "./statement_result.ts";

/**
 * A point in time as an expression gave it: in milliseconds since 1970, SQL's
 * NULL, or a value that is no time.
 */
export type TimeValue =
  | { readonly kind: "time"; readonly ms: number }
  | { readonly kind: "null" }
  | { readonly kind: "incorrect"; readonly text: string };

/** Calls in calls deeper than this are not followed. */
const DEPTH_MAX = 32;
const ER_TRUNCATED_WRONG_VALUE = 1292;
/** The latest time a MySQL DATETIME has: the end of the year 9999. */
const TIME_MS_MAX = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

const MINUTE_MS = 60_000;

/** Units of INTERVAL that are so many milliseconds. */
const UNIT_MS: ReadonlyMap<string, number> = new Map([
  ["MICROSECOND", 0.001],
  ["SECOND", 1000],
  ["MINUTE", MINUTE_MS],
  ["HOUR", 60 * MINUTE_MS],
  ["DAY", 1440 * MINUTE_MS],
  ["WEEK", 7 * 1440 * MINUTE_MS],
]);

/** Units of INTERVAL that are so many months. */
const UNIT_MONTHS: ReadonlyMap<string, number> = new Map([
  ["MONTH", 1],
  ["QUARTER", 3],
  ["YEAR", 12],
]);

/** Functions, and words, that are the present time of the session's zone. */
const NOW_NAMES: ReadonlySet<string> = new Set([
  "NOW",
  "SYSDATE",
  "CURRENT_TIMESTAMP",
  "LOCALTIME",
  "LOCALTIMESTAMP",
]);
const TODAY_NAMES: ReadonlySet<string> = new Set(["CURDATE", "CURRENT_DATE"]);
/** Those of them that need no parentheses. */
const BARE_NAMES: ReadonlySet<string> = new Set([
  "CURRENT_TIMESTAMP",
  "LOCALTIME",
  "LOCALTIMESTAMP",
  "CURRENT_DATE",
]);

/** A time without its zone: milliseconds since 1970 as if it were in UTC. */
type LocalTime =
  | { readonly kind: "local"; readonly ms: number }
  | Exclude<TimeValue, { kind: "time" }>;

/**
 * Reads an expression that stands for a time: a date and time as text or
 * number, a function such as `NOW()`, and `± INTERVAL n unit` after it, in the
 * time zone of the session, which is UTC unless it was set to another offset.
 *
 * @throws {StatementError} 1064; 1298 when the session's time zone is a name;
 * what `parseExpression` throws
 */
export function parseTime(
  cursor: StatementCursor,
  context: StatementContext,
): TimeValue {
  const zoneMs = zoneOffset(context);
  const local = parseSum(cursor, { context, zoneMs }, 0);
  return local.kind === "local"
    ? { kind: "time", ms: local.ms - zoneMs }
    : local;
}

/** The warning for a value that is no time. */
export function incorrectTime(text: string): StatementWarning {
  return {
    code: ER_TRUNCATED_WRONG_VALUE,
    message: `Incorrect datetime value: '${text.slice(0, 128)}'`,
  };
}

interface Surroundings {
  readonly context: StatementContext;
  /** Milliseconds the session's zone is ahead of UTC. */
  readonly zoneMs: number;
}

/** `time { (+ | -) INTERVAL n unit }` */
function parseSum(
  cursor: StatementCursor,
  around: Surroundings,
  depth: number,
): LocalTime {
  let time = parseOperand(cursor, around, depth);
  for (;;) {
    const sign = cursor.takeSymbol("+") ? 1 : cursor.takeSymbol("-") ? -1 : 0;
    if (sign === 0) return time;
    time = addInterval(time, sign, parseInterval(cursor));
  }
}

function parseOperand(
  cursor: StatementCursor,
  around: Surroundings,
  depth: number,
): LocalTime {
  if (depth >= DEPTH_MAX) throw cursor.unexpected();
  if (cursor.takeSymbol("(")) {
    const inner = parseSum(cursor, around, depth + 1);
    cursor.expectSymbol(")");
    return inner;
  }
  const { kind, value } = cursor.token;
  const name = value.toUpperCase();
  const isCall = cursor.following.kind === "symbol" &&
    cursor.following.value === "(";
  if (kind === "word" && (isCall || BARE_NAMES.has(name))) {
    const time = parseCall(cursor, name, around, depth);
    if (time !== undefined) return time;
  }
  if (kind === "word" && isReservedWord(value)) throw cursor.unexpected();
  const { value: given } = parseExpression(cursor, around.context);
  if (given.type === "null") return { kind: "null" };
  return readTime(given.text, around.zoneMs);
}

/** A function that gives a time; undefined if it is none of them. */
function parseCall(
  cursor: StatementCursor,
  name: string,
  around: Surroundings,
  depth: number,
): LocalTime | undefined {
  const { nowMs } = around.context;
  const now = Math.floor(nowMs / 1000) * 1000 + around.zoneMs;
  if (NOW_NAMES.has(name)) {
    cursor.take();
    skipPrecision(cursor);
    return { kind: "local", ms: now };
  }
  if (TODAY_NAMES.has(name)) {
    cursor.take();
    if (cursor.takeSymbol("(")) cursor.expectSymbol(")");
    return { kind: "local", ms: startOfDay(now) };
  }
  switch (name) {
    case "DATE_ADD":
    case "DATE_SUB": {
      cursor.take();
      cursor.expectSymbol("(");
      const time = parseSum(cursor, around, depth + 1);
      cursor.expectSymbol(",");
      const interval = parseInterval(cursor);
      cursor.expectSymbol(")");
      return addInterval(time, name === "DATE_ADD" ? 1 : -1, interval);
    }
    case "FROM_UNIXTIME": {
      cursor.take();
      cursor.expectSymbol("(");
      const seconds = cursor.expectInteger();
      cursor.expectSymbol(")");
      return inRange(Number(seconds) * 1000 + around.zoneMs);
    }
  }
  return undefined;
}

/** `()` or `(digits)`, where they are. */
function skipPrecision(cursor: StatementCursor): void {
  if (!cursor.takeSymbol("(")) return;
  if (cursor.takeSymbol(")")) return;
  if (cursor.expectInteger() > 6n) throw cursor.unexpected();
  cursor.expectSymbol(")");
}

interface Interval {
  readonly count: number;
  readonly unit: string;
}

/** `INTERVAL n unit`, n a whole number or one in quotes. */
function parseInterval(cursor: StatementCursor): Interval {
  cursor.expectWords("INTERVAL");
  const negative = cursor.takeSymbol("-");
  const isText = cursor.token.kind === "string" &&
    /^-?\d{1,12}$/.test(cursor.token.value);
  const count = Number(
    isText ? cursor.expectString() : cursor.expectInteger(),
  );
  const unit = cursor.takeAnyWord(...UNIT_MS.keys(), ...UNIT_MONTHS.keys());
  if (unit === undefined) throw cursor.unexpected();
  return { count: negative ? -count : count, unit };
}

function addInterval(
  time: LocalTime,
  sign: number,
  { count, unit }: Interval,
): LocalTime {
  if (time.kind !== "local") return time;
  const unitMs = UNIT_MS.get(unit);
  if (unitMs !== undefined) return inRange(time.ms + sign * count * unitMs);
  const months = sign * count * UNIT_MONTHS.get(unit)!;
  return inRange(addMonths(time.ms, months));
}

/** The same day so many months later, or that month's last if it has none. */
function addMonths(ms: number, months: number): number {
  const date = new Date(ms);
  const day = date.getUTCDate();
  date.setUTCDate(1);
  date.setUTCMonth(date.getUTCMonth() + months);
  const lastDay = new Date(
    Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0),
  ).getUTCDate();
  date.setUTCDate(Math.min(day, lastDay));
  return date.getTime();
}

function inRange(ms: number): LocalTime {
  return ms >= 0 && ms <= TIME_MS_MAX
    ? { kind: "local", ms }
    : { kind: "null" };
}

function startOfDay(ms: number): number {
  const dayMs = 1440 * MINUTE_MS;
  return Math.floor(ms / dayMs) * dayMs;
}

const DELIMITED =
  /^(\d{4}|\d{2})[^\w\s](\d{1,2})[^\w\s](\d{1,2})(?:[T ]+(\d{1,2})(?:[^\w\s](\d{1,2})(?:[^\w\s](\d{1,2})(?:\.(\d{0,6})\d*)?)?)?)?([+-]\d{2}:\d{2}|Z)?$/i;
const DIGITS =
  /^(\d{4}|\d{2})(\d{2})(\d{2})(?:T?(\d{2})(\d{2})(\d{2})(?:\.(\d{0,6})\d*)?)?$/;

/**
 * A date and time as MySQL takes it (manual: "Date and Time Literals"), as text
 * or as number. What has more behind it is refused, where MySQL takes the
 * first part and warns: it would remove files that nobody meant.
 */
function readTime(text: string, zoneMs: number): LocalTime {
  const incorrect: LocalTime = { kind: "incorrect", text };
  const trimmed = text.trim();
  const match = DELIMITED.exec(trimmed) ?? DIGITS.exec(trimmed);
  if (match === null) return incorrect;
  const [, year, ...rest] = match;
  const [month, day, hour, minute, second] = rest.slice(0, 5).map((part) =>
    Number(part ?? 0)
  ) as [number, number, number, number, number];
  const ms = Math.floor(Number(`0.${rest[5] || 0}`) * 1000);
  const fullYear = fullYearOf(year!);
  const utc = Date.UTC(fullYear, month - 1, day, hour, minute, second, ms);
  const date = new Date(utc);
  const isReal = date.getUTCFullYear() === fullYear &&
    date.getUTCMonth() === month - 1 && date.getUTCDate() === day &&
    hour < 24 && minute < 60 && second < 60;
  if (!isReal) return incorrect;
  const zone = rest[6];
  if (zone === undefined) return inRange(utc);
  const offsetMs = /^z$/i.test(zone) ? 0 : offsetOf(zone);
  return offsetMs === undefined ? incorrect : inRange(utc - offsetMs + zoneMs);
}

function fullYearOf(year: string): number {
  if (year.length === 4) return Number(year);
  return Number(year) < 70 ? 2000 + Number(year) : 1900 + Number(year);
}
