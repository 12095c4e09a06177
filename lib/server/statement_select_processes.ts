import type { ColumnDefinition } from "../protocol/result_set.ts";
import { parseAlias } from "./statement_alias.ts";
import { integerColumn, nullableTextColumn } from "./statement_column.ts";
import { parseWhere } from "./statement_condition.ts";
import type { StatementContext } from "./statement_context.ts";
import type { StatementCursor } from "./statement_cursor.ts";
import { StatementError, StatementFault } from "./statement_error.ts";
import { parseLimit } from "./statement_limit.ts";
import { processTable } from "./statement_processlist.ts";
import type { StatementResult } from "./statement_result.ts";

type Row = readonly (string | null)[];

/** One column of the answer. */
interface Item {
  readonly column: ColumnDefinition;
  read(row: Row): string | null;
}

/** The table's columns that are numbers. */
const NUMBERS: ReadonlySet<string> = new Set(["id", "time", "progress"]);

/** Length of what SUBSTRING_INDEX gives of a client's address, in characters. */
const PART_CHARACTERS = 255;

/**
 * Answers a SELECT that reads the table of connections, as tools do that look
 * for replicas there:
 *
 * ```text
 * select = ("*" | COUNT "(" "*" ")" | item { "," item })
 *          FROM (information_schema | performance_schema) "." processlist
 *          [WHERE condition] [LIMIT …]
 * item   = value [[AS] alias]
 * value  = column | SUBSTRING_INDEX "(" column "," string "," ["-"] integer ")"
 * ```
 *
 * A condition is one of SHOW STATUS's, over this table's columns.
 *
 * @throws {StatementError} 1064 for anything else; 1054 for an unknown column
 */
export function selectProcesses(
  cursor: StatementCursor,
  context: StatementContext,
): StatementResult {
  const { columns, rows } = processTable(context, { full: true });
  const positions = new Map(
    columns.map(({ name }, at) => [name.toLowerCase(), at]),
  );
  const items = parseItems(cursor, context, columns, positions);
  cursor.expectWords("FROM");
  cursor.expectName();
  cursor.expectSymbol(".");
  cursor.expectName();
  const wanted = parseWhere<Row>(cursor, (name) => {
    const at = positions.get(name);
    if (at === undefined) return undefined;
    return {
      isNumber: NUMBERS.has(name),
      read: (row) => row[at] ?? null,
    };
  });
  const { offset, count } = parseLimit(cursor);
  const found = rows.filter(wanted);
  const answer = items === "count"
    ? [[found.length.toString()]]
    : found.map((row) => items.map((item) => item.read(row)));
  return {
    kind: "rows",
    columns: items === "count"
      ? [integerColumn("COUNT(*)", 21)]
      : items.map(({ column }) => column),
    rows: answer.filter((_, at) =>
      BigInt(at) >= offset && BigInt(at) < offset + count
    ),
  };
}

function parseItems(
  cursor: StatementCursor,
  context: StatementContext,
  columns: readonly ColumnDefinition[],
  positions: ReadonlyMap<string, number>,
): readonly Item[] | "count" {
  if (cursor.takeSymbol("*")) {
    return columns.map((column, at) => ({
      column: { ...column, name: column.name.toUpperCase() },
      read: (row) => row[at] ?? null,
    }));
  }
  if (cursor.takeWords("COUNT")) {
    for (const symbol of ["(", "*", ")"]) cursor.expectSymbol(symbol);
    parseAlias(cursor);
    return "count";
  }
  const items: Item[] = [];
  do {
    const { start } = cursor.token;
    const item = parseItem(cursor, context, columns, positions);
    const text = cursor.slice(start, cursor.consumedEnd);
    const name = parseAlias(cursor) ?? text;
    items.push({ ...item, column: { ...item.column, name } });
  } while (cursor.takeSymbol(","));
  return items;
}

function parseItem(
  cursor: StatementCursor,
  { session }: StatementContext,
  columns: readonly ColumnDefinition[],
  positions: ReadonlyMap<string, number>,
): Item {
  const isCall = cursor.atWords("SUBSTRING_INDEX");
  if (isCall) {
    cursor.take();
    cursor.expectSymbol("(");
  }
  const name = cursor.expectName();
  const at = positions.get(name.toLowerCase());
  if (at === undefined) {
    throw new StatementError(
      StatementFault.ER_BAD_FIELD,
      `Unknown column '${name.slice(0, 64)}' in 'field list'`,
    );
  }
  if (!isCall) {
    return { column: columns[at]!, read: (row) => row[at] ?? null };
  }
  cursor.expectSymbol(",");
  const delimiter = cursor.expectString();
  cursor.expectSymbol(",");
  const sign = cursor.takeSymbol("-") ? -1 : 1;
  const count = sign * Number(cursor.expectInteger());
  cursor.expectSymbol(")");
  return {
    column: nullableTextColumn(name, PART_CHARACTERS, session.characterSet),
    read: (row) => {
      const value = row[at] ?? null;
      return value === null ? null : substringIndex(value, delimiter, count);
    },
  };
}

/** What is before the n-th delimiter, from the end if n is negative (manual: SUBSTRING_INDEX). */
function substringIndex(
  text: string,
  delimiter: string,
  count: number,
): string {
  if (delimiter === "" || count === 0) return "";
  const parts = text.split(delimiter);
  return (count > 0 ? parts.slice(0, count) : parts.slice(count))
    .join(delimiter);
}
