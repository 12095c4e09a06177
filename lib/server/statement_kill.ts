import type { StatementCursor } from "./statement_cursor.ts";
import type { StatementResult } from "./statement_result.ts";

/** `KILL [CONNECTION | QUERY] id`, after the word KILL. */
export function killConnection(cursor: StatementCursor): StatementResult {
  const queryOnly = cursor.takeAnyWord("CONNECTION", "QUERY") === "QUERY";
  return { kind: "kill", connectionId: cursor.expectInteger(), queryOnly };
}
