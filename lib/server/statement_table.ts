import { StatementError, StatementFault } from "./statement_error.ts";
import { type Token, tokenizeStatement } from "./statement_tokenizer.ts";

/** What to do for a client that looks for the names of columns. */
const ELSEWHERE =
  "a binlog server has no tables and knows no columns: give the client a " +
  "connection to the source for table metadata, or set " +
  "binlog_row_metadata = FULL on the source, if the client can read it";

/**
 * The error for a `SELECT` that reads a table, which would otherwise be about
 * the first column that nobody here knows. Change-data-capture clients look for
 * table metadata in `information_schema`; wrong or no rows would have them
 * decode wrong values, so the error says where it is to be had. Numbers and
 * texts begin as MySQL's for tables that are not there.
 *
 * @returns Undefined if the statement reads no table.
 * @throws {StatementError} 1064 when the text does not split into tokens
 */
export function tableRefusal(text: string): StatementError | undefined {
  const tokens = tokenizeStatement(text);
  if (!isWord(tokens[0], "SELECT")) return undefined;
  const from = tokens.findIndex((token, index) =>
    isWord(token, "FROM") && depthAt(tokens, index) === 0
  );
  const first = from < 0 ? undefined : nameOf(tokens[from + 1]);
  if (first === undefined) return undefined;
  const second = tokens[from + 2]?.value === "."
    ? nameOf(tokens[from + 3])
    : undefined;
  if (second === undefined && first.toUpperCase() === "DUAL") return undefined;
  if (second !== undefined && first.toLowerCase() === "information_schema") {
    return new StatementError(
      StatementFault.ER_UNKNOWN_TABLE,
      `Unknown table '${second}' in ${first}: ${ELSEWHERE}`,
    );
  }
  const table = second === undefined ? first : `${first}.${second}`;
  return new StatementError(
    StatementFault.ER_NO_SUCH_TABLE,
    `Table '${table}' doesn't exist: ${ELSEWHERE}`,
  );
}

/**
 * The error for a statement that is to be prepared. There are no prepared
 * statements here; one that could not be answered as text either gets the error
 * that it would get as text.
 */
export function prepareRefusal(text: string): StatementError {
  let refusal: StatementError | undefined;
  try {
    // a placeholder may stand wherever a number may
    refusal = tableRefusal(text.replaceAll("?", "0"));
  } catch (error) {
    if (!(error instanceof StatementError)) throw error;
    refusal = error;
  }
  return refusal ?? new StatementError(
    StatementFault.ER_UNSUPPORTED_PS,
    "This command is not supported in the prepared statement protocol yet: " +
      "a binlog server answers statements that come as text (COM_QUERY)",
  );
}

function isWord(token: Token | undefined, word: string): boolean {
  return token?.kind === "word" && token.value.toUpperCase() === word;
}

function nameOf(token: Token | undefined): string | undefined {
  const isName = token?.kind === "word" || token?.kind === "identifier";
  return isName ? token.value : undefined;
}

/** How many parentheses are open before a token. */
function depthAt(tokens: readonly Token[], index: number): number {
  let depth = 0;
  for (const { kind, value } of tokens.slice(0, index)) {
    if (kind !== "symbol") continue;
    if (value === "(") depth += 1;
    else if (value === ")") depth -= 1;
  }
  return depth;
}
