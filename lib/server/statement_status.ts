import { isMariadb } from "./server_version.ts";
import { variableListColumns } from "./statement_column.ts";
import { parseVariableFilter } from "./statement_condition.ts";
import type { StatementContext } from "./statement_context.ts";
import type { StatementCursor } from "./statement_cursor.ts";
import type { StatementResult } from "./statement_result.ts";
import { statusVariables } from "./status_variable.ts";

/** `SHOW GLOBAL STATUS [LIKE … | WHERE …]`. */
export function showGlobalStatus(
  cursor: StatementCursor,
  context: StatementContext,
): StatementResult {
  return listStatus(cursor, context, { ofSession: false });
}

/** `SHOW [SESSION | LOCAL] STATUS [LIKE … | WHERE …]`. */
export function showSessionStatus(
  cursor: StatementCursor,
  context: StatementContext,
): StatementResult {
  return listStatus(cursor, context, { ofSession: true });
}

function listStatus(
  cursor: StatementCursor,
  context: StatementContext,
  { ofSession }: { ofSession: boolean },
): StatementResult {
  const wanted = parseVariableFilter(cursor);
  return {
    kind: "rows",
    columns: variableListColumns(context.session.characterSet, {
      nullable: !isMariadb(context.server.version),
    }),
    rows: statusVariables(context)
      .map(({ name, value, sessionValue }) => ({
        name,
        value: ofSession ? sessionValue ?? value : value,
      }))
      .filter(wanted)
      .map(({ name, value }) => [name, value]),
  };
}
