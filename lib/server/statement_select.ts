import type { ColumnDefinition } from "../protocol/result_set.ts";
import type { LogPlace } from "./mariadb_position_at.ts";
import type { StatementContext } from "./statement_context.ts";
import type { StatementCursor } from "./statement_cursor.ts";
import { parseAlias } from "./statement_alias.ts";
import { parseExpression } from "./statement_expression.ts";
import { parseLimit } from "./statement_limit.ts";
import {
  gtidPositionExpression,
  parseGtidPosition,
} from "./statement_gtid_position.ts";
import type { StatementResult } from "./statement_result.ts";
import { selectProcesses } from "./statement_select_processes.ts";
import { readsProcesslist, tableRefusal } from "./statement_table.ts";

/**
 * Answers `SELECT expression [[AS] alias], … [FROM DUAL] [LIMIT …]` after the
 * word SELECT: one row; or one that reads the table of connections. A column is called by its alias, or by its expression
 * as it was written.
 *
 * @throws {StatementError} for a statement that cannot be answered
 */
export function answerSelect(
  cursor: StatementCursor,
  context: StatementContext,
): StatementResult {
  if (readsProcesslist(cursor.text)) {
    return selectProcesses(cursor, context);
  }
  const refusal = tableRefusal(cursor.text);
  if (refusal !== undefined) throw refusal;
  const columns: ColumnDefinition[] = [];
  const row: (string | null)[] = [];
  const positions = new Map<number, LogPlace>();
  do {
    const first = cursor.token;
    const place = parseGtidPosition(cursor, context);
    if (place !== undefined) positions.set(columns.length, place);
    const expression = place === undefined
      ? parseExpression(cursor, context)
      : gtidPositionExpression(context);
    // a string is called by its content, not by its quotes
    const text = first.kind === "string"
      ? first.value
      : cursor.slice(first.start, cursor.consumedEnd);
    columns.push(expression.column(parseAlias(cursor) ?? text));
    row.push(expression.value.text);
  } while (cursor.takeSymbol(","));
  cursor.takeWords("FROM", "DUAL");
  const { offset, count } = parseLimit(cursor);
  const rows = offset === 0n && count > 0n ? [row] : [];
  return positions.size === 0 || rows.length === 0
    ? { kind: "rows", columns, rows }
    : { kind: "gtid-positions", columns, row, positions };
}
