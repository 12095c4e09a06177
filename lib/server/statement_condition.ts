import { likeMatches } from "./like_pattern.ts";
import type { StatementCursor } from "./statement_cursor.ts";
import { StatementError, StatementFault } from "./statement_error.ts";

/** A row of `SHOW VARIABLES`. */
export interface VariableRow {
  readonly name: string;
  readonly value: string;
}

/** Whether a row is wanted. */
export type RowCondition<Row> = (row: Row) => boolean;

/** How a column is read, by its lower-case name; undefined if there is none. */
export type ColumnLookup<Row> = (
  name: string,
) => ((row: Row) => string) | undefined;

/** Parentheses and negations deeper than this are not followed. */
const DEPTH_MAX = 32;

/**
 * Reads the filter of `SHOW VARIABLES`, if there is one:
 *
 * ```text
 * filter     = LIKE string | WHERE any
 * any        = all { OR all }
 * all        = one { AND one }
 * one        = NOT one | "(" any ")" | column test
 * column     = Variable_name | Value
 * test       = ("=" | "<>" | "!=") value | [NOT] LIKE string | [NOT] IN "(" value { "," value } ")"
 * ```
 *
 * Values compare without regard to case, as the columns' collation does.
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
): ((row: VariableRow) => string) | undefined {
  switch (name) {
    case "variable_name":
      return (row) => row.name;
    case "value":
    case "variable_value":
      return (row) => row.value;
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
  return cursor.takeWords("WHERE") ? parseAny(cursor, columns, 0) : () => true;
}

function parseAny<Row>(
  cursor: StatementCursor,
  columns: ColumnLookup<Row>,
  depth: number,
): RowCondition<Row> {
  const conditions = [parseAll(cursor, columns, depth)];
  while (cursor.takeWords("OR")) {
    conditions.push(parseAll(cursor, columns, depth));
  }
  return (row) => conditions.some((condition) => condition(row));
}

function parseAll<Row>(
  cursor: StatementCursor,
  columns: ColumnLookup<Row>,
  depth: number,
): RowCondition<Row> {
  const conditions = [parseOne(cursor, columns, depth)];
  while (cursor.takeWords("AND")) {
    conditions.push(parseOne(cursor, columns, depth));
  }
  return (row) => conditions.every((condition) => condition(row));
}

function parseOne<Row>(
  cursor: StatementCursor,
  columns: ColumnLookup<Row>,
  depth: number,
): RowCondition<Row> {
  if (depth === DEPTH_MAX) throw cursor.unexpected();
  if (cursor.takeWords("NOT")) {
    const condition = parseOne(cursor, columns, depth + 1);
    return (row) => !condition(row);
  }
  if (cursor.takeSymbol("(")) {
    const condition = parseAny(cursor, columns, depth + 1);
    cursor.expectSymbol(")");
    return condition;
  }
  const read = parseColumn(cursor, columns);
  if (cursor.takeSymbol("=")) {
    const wanted = parseValue(cursor);
    return (row) => read(row).toLowerCase() === wanted;
  }
  if (cursor.takeSymbol("<>") || cursor.takeSymbol("!=")) {
    const unwanted = parseValue(cursor);
    return (row) => read(row).toLowerCase() !== unwanted;
  }
  const negated = cursor.takeWords("NOT");
  if (cursor.takeWords("LIKE")) {
    const pattern = cursor.expectString();
    return (row) => likeMatches(pattern, read(row)) !== negated;
  }
  cursor.expectWords("IN");
  cursor.expectSymbol("(");
  const values = new Set<string>();
  do values.add(parseValue(cursor)); while (cursor.takeSymbol(","));
  cursor.expectSymbol(")");
  return (row) => values.has(read(row).toLowerCase()) !== negated;
}

function parseColumn<Row>(
  cursor: StatementCursor,
  columns: ColumnLookup<Row>,
): (row: Row) => string {
  const name = cursor.expectName();
  const read = columns(name.toLowerCase());
  if (read !== undefined) return read;
  throw new StatementError(
    StatementFault.ER_BAD_FIELD,
    `Unknown column '${name.slice(0, 64)}' in 'where clause'`,
  );
}

function parseValue(cursor: StatementCursor): string {
  return cursor.token.kind === "string"
    ? cursor.expectString().toLowerCase()
    : cursor.expectInteger().toString();
}
