import { GtidSet } from "../gtid/gtid_set.ts";
import { SQL_NULL, sqlInteger, sqlString, type SqlValue } from "./sql_value.ts";
import { longTextColumn, nullableIntegerColumn } from "./statement_column.ts";
import type { StatementContext } from "./statement_context.ts";
import { StatementError, StatementFault } from "./statement_error.ts";
import type { Expression } from "./statement_expression.ts";

/** MySQL's functions of two GTID sets; MariaDB has none of them. */
export type GtidFunction = "GTID_SUBSET" | "GTID_SUBTRACT";

/** What MySQL tells of a text that is no GTID set, in characters at most. */
const SHOWN_CHARACTERS_MAX = 200;

/**
 * `GTID_SUBSET(subset, set)`, whether all of the first is in the second, and
 * `GTID_SUBTRACT(set, subset)`, what the first has and the second has not; NULL
 * if one of them is NULL (manual: "Functions Used with Global Transaction
 * Identifiers (GTIDs)").
 *
 * @throws {StatementError} 1772 for a text that is no GTID set
 */
export function gtidFunction(
  name: GtidFunction,
  first: SqlValue,
  second: SqlValue,
  { session }: StatementContext,
): Expression {
  const isNull = first.text === null || second.text === null;
  if (name === "GTID_SUBSET") {
    return {
      value: isNull
        ? SQL_NULL
        : sqlInteger(setOf(second).containsSet(setOf(first)) ? 1 : 0),
      column: (column) => nullableIntegerColumn(column, 21),
    };
  }
  const text = isNull ? null : setOf(first).subtract(setOf(second)).toLines();
  return {
    value: text === null ? SQL_NULL : sqlString(text),
    column: (column) => longTextColumn(column, session.characterSet),
  };
}

function setOf({ text }: SqlValue): GtidSet {
  try {
    return GtidSet.parse(text ?? "");
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new StatementError(
      StatementFault.ER_MALFORMED_GTID_SET_SPECIFICATION,
      `Malformed GTID set specification '${
        (text ?? "").slice(0, SHOWN_CHARACTERS_MAX)
      }'.`,
    );
  }
}
