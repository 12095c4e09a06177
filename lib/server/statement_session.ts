import type { StatementCursor } from "./statement_cursor.ts";
import type { StatementResult } from "./statement_result.ts";

/** Longest database name, in characters (manual: "Identifier Length Limits"). */
const DATABASE_CHARACTERS_MAX = 64;

/** `USE name`: any name is accepted, since there is nothing in any of them. */
export function useDatabase(cursor: StatementCursor): StatementResult {
  const database = cursor.expectName().slice(0, DATABASE_CHARACTERS_MAX);
  return { kind: "ok", change: { database } };
}

/** Transactions begin and end without effect: nothing is ever written. */
export function takeTransactionWords(cursor: StatementCursor): StatementResult {
  cursor.takeWords("WORK");
  return { kind: "ok", change: {} };
}
