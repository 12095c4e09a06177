import type { StatementCursor } from "./statement_cursor.ts";
import { isReservedWord } from "./statement_expression.ts";

/** Reads `[AS] name` behind an expression, if it is there. */
export function parseAlias(cursor: StatementCursor): string | undefined {
  const marked = cursor.takeWords("AS");
  const { kind, value } = cursor.token;
  if (kind === "string") return cursor.expectString();
  if (kind === "identifier" || kind === "word" && !isReservedWord(value)) {
    return cursor.expectName();
  }
  if (marked) throw cursor.unexpected();
  return undefined;
}
