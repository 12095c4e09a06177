import { assert, assertEquals } from "@std/assert";
import { answerStatement } from "../../../lib/server/statement.ts";
import { statementSession } from "./statement_session.ts";

interface CapturedAnswer {
  readonly statement: string;
  readonly columns?: readonly Record<string, unknown>[];
  readonly rows?: readonly (readonly (string | null)[])[];
  readonly error?: { readonly code: number; readonly sqlState: string };
  readonly ok?: boolean;
}

const captured: CapturedAnswer[] = JSON.parse(
  Deno.readTextFileSync(
    new URL("../../fixtures/statement/mysql97.json", import.meta.url),
  ),
);

/**
 * Columns whose declared length differs: that of `VERSION()` is its value's,
 * and MySQL counts a user variable's characters by where its value came from.
 */
const VALUE_LENGTH = new Set(["VERSION()", "@b"]);

Deno.test("answerStatement() has the result shapes and errors of MySQL 9.7", async (t) => {
  const session = statementSession();
  for (const expected of captured) {
    await t.step(expected.statement, () => {
      const result = answerStatement(expected.statement, session.context());
      session.apply(result);
      if (expected.ok === true) return assertEquals(result.kind, "ok");
      if (result.kind === "kill") {
        // the session answers 1094 for a thread that does not exist
        return assertEquals(expected.error?.code, 1094);
      }
      if (expected.error !== undefined) {
        assert(result.kind === "error", result.kind);
        assertEquals(
          { code: result.code, sqlState: result.sqlState },
          {
            code: expected.error.code,
            sqlState: expected.error.sqlState,
          },
        );
        return;
      }
      assert("columns" in result, result.kind);
      const withoutLength = (column: Record<string, unknown>) =>
        VALUE_LENGTH.has(String(column.name))
          ? { ...column, length: 0 }
          : column;
      assertEquals(
        result.columns.map((column) => withoutLength({ ...column })),
        expected.columns!.map(withoutLength),
      );
      // values are our own; where MySQL has none there must be none either
      if (result.kind !== "rows") return;
      if (!expected.statement.startsWith("SHOW VARIABLES WHERE")) {
        assertEquals(
          result.rows.map((row) => row.map((value) => value === null)),
          (expected.rows ?? []).map((row) =>
            row.map((value) => value === null)
          ),
        );
      }
    });
  }
});
