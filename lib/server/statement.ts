import type { StatementContext } from "./statement_context.ts";
import { StatementCursor } from "./statement_cursor.ts";
import type { StatementEntry } from "./statement_entry.ts";
import { StatementError, StatementFault } from "./statement_error.ts";
import type { StatementResult } from "./statement_result.ts";
import { deniedUnless } from "./statement_right.ts";
import { STATEMENTS } from "./statement_list.ts";
import { tableRefusal } from "./statement_table.ts";

interface Spelling {
  readonly words: readonly string[];
  readonly entry: StatementEntry;
}

/** Every spelling, by its first word; of those, long ones first. */
const SPELLINGS: ReadonlyMap<string, readonly Spelling[]> = Map.groupBy(
  STATEMENTS.flatMap((entry) =>
    entry.words.map((words) => ({ words: words.split(" "), entry }))
  ).sort((a, b) => b.words.length - a.words.length),
  ({ words }) => words[0]!,
);

/**
 * Answers one SQL statement as a MySQL source would, as far as replicas, tools
 * and operators need it; {@linkcode STATEMENTS} has what is answered. A
 * statement that is not known or is malformed is answered with an error;
 * nothing is ever thrown because of its text, and no error here ends the
 * connection.
 */
export function answerStatement(
  text: string,
  context: StatementContext,
): StatementResult {
  try {
    const cursor = new StatementCursor(text);
    if (cursor.atEnd) {
      throw new StatementError(
        StatementFault.ER_EMPTY_QUERY,
        "Query was empty",
      );
    }
    const entry = takeEntry(cursor);
    if (entry === undefined) throw tableRefusal(text) ?? cursor.unexpected();
    context.count(entry.counters);
    return answerWithRight(entry, cursor, context);
  } catch (error) {
    return errorResult(error);
  }
}

/** Takes the leading words of a known statement, and answers which it is. */
function takeEntry(cursor: StatementCursor): StatementEntry | undefined {
  const { kind, value } = cursor.token;
  if (kind !== "word") return undefined;
  return SPELLINGS.get(value.toUpperCase())
    ?.find(({ words }) => cursor.takeWords(...words))?.entry;
}

/** What is malformed is said to be that first, and only then refused. */
function answerWithRight(
  entry: StatementEntry,
  cursor: StatementCursor,
  context: StatementContext,
): StatementResult {
  const refusal = deniedUnless(entry.needed, context);
  try {
    const result = entry.answer(cursor, context);
    cursor.expectEnd();
    if (refusal === undefined) return result;
  } catch (error) {
    const isMalformed = error instanceof StatementError &&
      error.code === StatementFault.ER_PARSE.code;
    if (refusal === undefined || isMalformed) throw error;
  }
  throw refusal;
}

/**
 * The error that a statement is answered with; throws what is none of a
 * statement's.
 */
export function errorResult(error: unknown): StatementResult {
  if (!(error instanceof StatementError)) throw error;
  const { code, sqlState, message } = error;
  return { kind: "error", code, sqlState, message };
}
