import { likeMatches } from "./like_pattern.ts";
import { numberOf } from "./sql_value.ts";
import type { StatementCursor } from "./statement_cursor.ts";
import { StatementError, StatementFault } from "./statement_error.ts";

/** A row of `SHOW VARIABLES`. */
export interface VariableRow {
  readonly name: string;
  readonly value: string;
}

/** Whether a row is wanted. */
export type RowCondition<Row> = (row: Row) => boolean;

/** A column that a condition may name. */
export interface ConditionColumn<Row> {
  /** True for a number, which compares as one with a text too. */
  readonly isNumber: boolean;
  read(row: Row): string | null;
}

/** The column of a lower-case name; undefined if there is none. */
export type ColumnLookup<Row> = (
  name: string,
) => ConditionColumn<Row> | undefined;

/** What a condition says of a row; null where it compares with NULL. */
type Truth<Row> = (row: Row) => boolean | null;

/** What a column is compared with. */
interface Literal {
  readonly isNumber: boolean;
  readonly text: string;
}

/** Parentheses and negations deeper than this are not followed. */
const DEPTH_MAX = 32;

/** What each comparison wants to know of the order of its two sides. */
const COMPARISONS: Readonly<Record<string, (order: number) => boolean>> = {
  "=": (order) => order === 0,
  "<>": (order) => order !== 0,
  "!=": (order) => order !== 0,
  "<": (order) => order < 0,
  "<=": (order) => order <= 0,
  ">": (order) => order > 0,
  ">=": (order) => order >= 0,
};

/**
 * Reads the filter of `SHOW VARIABLES`, if there is one:
 *
 * ```text
 * filter     = LIKE string | WHERE any
 * any        = all { OR all }
 * all        = one { AND one }
 * one        = NOT one | "(" any ")" | column test
 * column     = Variable_name | Value
 * test       = ("=" | "<>" | "!=" | "<" | "<=" | ">" | ">=") value
 *            | IS [NOT] NULL
 *            | [NOT] LIKE string
 *            | [NOT] IN "(" value { "," value } ")"
 *            | [NOT] BETWEEN value AND value
 * ```
 *
 * Two texts compare without regard to case, as the columns' collation does; as
 * numbers where one of the two is a number.
 *
 * @throws {StatementError} 1064 for another filter, 1054 for another column
 */
export function parseVariableFilter(
  cursor: StatementCursor,
): RowCondition<VariableRow> {
  if (cursor.takeWords("LIKE")) {
    const pattern = cursor.expectString();
    return (row) => likeMatches(pattern, row.name);
  }
  return parseWhere(cursor, variableColumn);
}

function variableColumn(
  name: string,
): ConditionColumn<VariableRow> | undefined {
  switch (name) {
    case "variable_name":
      return { isNumber: false, read: (row) => row.name };
    case "value":
    case "variable_value":
      return { isNumber: false, read: (row) => row.value };
  }
  return undefined;
}

/**
 * Reads `WHERE any`, if it is there, for rows with other columns.
 *
 * @throws {StatementError} as {@linkcode parseVariableFilter}
 */
export function parseWhere<Row>(
  cursor: StatementCursor,
  columns: ColumnLookup<Row>,
): RowCondition<Row> {
  if (!cursor.takeWords("WHERE")) return () => true;
  const truth = parseAny(cursor, columns, 0);
  return (row) => truth(row) === true;
}

function parseAny<Row>(
  cursor: StatementCursor,
  columns: ColumnLookup<Row>,
  depth: number,
): Truth<Row> {
  const truths = [parseAll(cursor, columns, depth)];
  while (cursor.takeWords("OR")) truths.push(parseAll(cursor, columns, depth));
  return (row) => firstOf(truths, row, true);
}

function parseAll<Row>(
  cursor: StatementCursor,
  columns: ColumnLookup<Row>,
  depth: number,
): Truth<Row> {
  const truths = [parseOne(cursor, columns, depth)];
  while (cursor.takeWords("AND")) truths.push(parseOne(cursor, columns, depth));
  return (row) => firstOf(truths, row, false);
}

/** The deciding value if one of them has it, else NULL if one has that. */
function firstOf<Row>(
  truths: readonly Truth<Row>[],
  row: Row,
  deciding: boolean,
): boolean | null {
  let result: boolean | null = !deciding;
  for (const truth of truths) {
    const value = truth(row);
    if (value === deciding) return deciding;
    if (value === null) result = null;
  }
  return result;
}

function parseOne<Row>(
  cursor: StatementCursor,
  columns: ColumnLookup<Row>,
  depth: number,
): Truth<Row> {
  if (depth === DEPTH_MAX) throw cursor.unexpected();
  if (cursor.takeWords("NOT")) {
    return negatedIf(true, parseOne(cursor, columns, depth + 1));
  }
  if (cursor.takeSymbol("(")) {
    const truth = parseAny(cursor, columns, depth + 1);
    cursor.expectSymbol(")");
    return truth;
  }
  return parseTest(cursor, parseColumn(cursor, columns));
}

function parseTest<Row>(
  cursor: StatementCursor,
  column: ConditionColumn<Row>,
): Truth<Row> {
  const { kind, value: symbol } = cursor.token;
  const comparison = kind === "symbol" && Object.hasOwn(COMPARISONS, symbol)
    ? COMPARISONS[symbol]
    : undefined;
  if (comparison !== undefined) {
    cursor.take();
    return compares(column, parseLiteral(cursor), comparison);
  }
  if (cursor.takeWords("IS")) {
    const isNot = cursor.takeWords("NOT");
    cursor.expectWords("NULL");
    return (row) => (column.read(row) === null) !== isNot;
  }
  const negated = cursor.takeWords("NOT");
  return negatedIf(negated, parseNegatable(cursor, column));
}

/** What may stand behind a NOT of its own. */
function parseNegatable<Row>(
  cursor: StatementCursor,
  column: ConditionColumn<Row>,
): Truth<Row> {
  if (cursor.takeWords("LIKE")) {
    const pattern = cursor.expectString();
    return (row) => {
      const value = column.read(row);
      return value === null ? null : likeMatches(pattern, value);
    };
  }
  if (cursor.takeWords("BETWEEN")) {
    const least = parseLiteral(cursor);
    cursor.expectWords("AND");
    const bounds = [
      compares(column, least, (order) => order >= 0),
      compares(column, parseLiteral(cursor), (order) => order <= 0),
    ];
    return (row) => firstOf(bounds, row, false);
  }
  cursor.expectWords("IN");
  cursor.expectSymbol("(");
  const numbers = new Set<number>();
  const texts = new Set<string>();
  do {
    const { isNumber, text } = parseLiteral(cursor);
    if (isNumber || column.isNumber) numbers.add(numberOf(text));
    else texts.add(text.toLowerCase());
  } while (cursor.takeSymbol(","));
  cursor.expectSymbol(")");
  return (row) => {
    const value = column.read(row);
    if (value === null) return null;
    return texts.has(value.toLowerCase()) || numbers.has(numberOf(value));
  };
}

function negatedIf<Row>(negated: boolean, truth: Truth<Row>): Truth<Row> {
  if (!negated) return truth;
  return (row) => {
    const value = truth(row);
    return value === null ? null : !value;
  };
}

function compares<Row>(
  column: ConditionColumn<Row>,
  literal: Literal,
  wanted: (order: number) => boolean,
): Truth<Row> {
  const asNumbers = column.isNumber || literal.isNumber;
  const text = literal.text.toLowerCase();
  const number = numberOf(literal.text);
  return (row) => {
    const value = column.read(row);
    if (value === null) return null;
    return wanted(
      asNumbers
        ? orderOf(numberOf(value), number)
        : orderOf(value.toLowerCase(), text),
    );
  };
}

function orderOf<Value extends string | number>(
  left: Value,
  right: Value,
): number {
  return left < right ? -1 : left > right ? 1 : 0;
}

function parseColumn<Row>(
  cursor: StatementCursor,
  columns: ColumnLookup<Row>,
): ConditionColumn<Row> {
  const name = cursor.expectName();
  const column = columns(name.toLowerCase());
  if (column !== undefined) return column;
  throw new StatementError(
    StatementFault.ER_BAD_FIELD,
    `Unknown column '${name.slice(0, 64)}' in 'where clause'`,
  );
}

function parseLiteral(cursor: StatementCursor): Literal {
  if (cursor.token.kind === "string") {
    return { isNumber: false, text: cursor.expectString() };
  }
  const sign = cursor.takeSymbol("-") ? "-" : "";
  const { kind, value } = cursor.token;
  if (kind !== "integer" && kind !== "decimal" && kind !== "double") {
    throw cursor.unexpected();
  }
  cursor.take();
  return { isNumber: true, text: sign + value };
}
