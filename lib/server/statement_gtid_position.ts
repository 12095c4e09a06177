import { SQL_NULL } from "./sql_value.ts";
import type { LogPlace } from "./mariadb_position_at.ts";
import { nullableTextColumn } from "./statement_column.ts";
import type { StatementContext } from "./statement_context.ts";
import type { StatementCursor } from "./statement_cursor.ts";
import { StatementError, StatementFault } from "./statement_error.ts";
import { type Expression, parseExpression } from "./statement_expression.ts";

/** Characters of the column: what MariaDB has for a position by GTID. */
const POSITION_CHARACTERS = 1024;

/**
 * Reads a call of MariaDB's `BINLOG_GTID_POS('file', position)`; undefined if
 * none stands at the cursor, and for a server that is MySQL, which does not
 * have the function.
 *
 * @throws {StatementError} 1582 for another number of arguments
 */
export function parseGtidPosition(
  cursor: StatementCursor,
  context: StatementContext,
): LogPlace | undefined {
  if (context.server.flavour !== "mariadb") return undefined;
  if (!cursor.takeWords("BINLOG_GTID_POS")) return undefined;
  cursor.expectSymbol("(");
  const values: (string | null)[] = [];
  if (!cursor.takeSymbol(")")) {
    do values.push(parseExpression(cursor, context).value.text); while (
      cursor.takeSymbol(",")
    );
    cursor.expectSymbol(")");
  }
  const [fileName, position] = values;
  if (
    values.length !== 2 || fileName === undefined || position === undefined
  ) {
    throw new StatementError(
      StatementFault.ER_WRONG_PARAMETERS,
      "Incorrect parameter count in the call to native function 'binlog_gtid_pos'",
    );
  }
  return {
    fileName,
    // as MySQL reads a number from text
    position: position === null
      ? null
      : Number(/^\s*-?\d+/.exec(position)?.[0] ?? 0),
  };
}

/** The call as an expression, whose value is found later. */
export function gtidPositionExpression(
  { session }: StatementContext,
): Expression {
  return {
    value: SQL_NULL,
    column: (name) =>
      nullableTextColumn(name, POSITION_CHARACTERS, session.characterSet),
  };
}
