import { StatementError, StatementFault } from "./statement_error.ts";
import { type Token, tokenizeStatement } from "./statement_tokenizer.ts";

/** What to do for a client that looks for the names of columns. */
const ELSEWHERE =
  "a binlog server has no tables and knows no columns: give the client a " +
  "connection to the source for table metadata, or set " +
  "binlog_row_metadata = FULL on the source, if the client can read it";

/** Other statements about a table, by the words in front of its name. */
const ABOUT_TABLE: readonly (readonly string[])[] = [
  ["SHOW", "CREATE", "TABLE"],
  ["SHOW", "COLUMNS", "FROM"],
  ["SHOW", "FIELDS", "FROM"],
  ["SHOW", "FULL", "COLUMNS", "FROM"],
  ["SHOW", "FULL", "FIELDS", "FROM"],
  ["SHOW", "INDEX", "FROM"],
  ["SHOW", "KEYS", "FROM"],
  ["DESC"],
  ["DESCRIBE"],
];

/**
 * The error for a statement that reads a table or tells of one: `SELECT … FROM`,
 * `SHOW CREATE TABLE`, `DESCRIBE`. It would otherwise be about the first word
 * that nobody here knows. Change-data-capture clients look for table metadata
 * so; wrong or no rows would have them decode wrong values, so the error says
 * where it is to be had. Numbers and texts begin as MySQL's for tables that are
 * not there.
 *
 * @returns Undefined for another statement.
 * @throws {StatementError} 1064 when the text does not split into tokens
 */
export function tableRefusal(text: string): StatementError | undefined {
  const { first, second } = tableOf(text);
  if (first === undefined) return undefined;
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

/** Whether a statement reads the table of connections. */
export function readsProcesslist(text: string): boolean {
  const { first, second } = tableOf(text);
  const schema = first?.toLowerCase();
  return second?.toLowerCase() === "processlist" &&
    (schema === "information_schema" || schema === "performance_schema");
}

/** The table that a statement is about, by the one or two parts of its name. */
function tableOf(
  text: string,
): { first?: string | undefined; second?: string | undefined } {
  const tokens = tokenizeStatement(text);
  const at = tableNameAt(tokens);
  const first = nameOf(tokens[at]);
  const second = tokens[at + 1]?.value === "."
    ? nameOf(tokens[at + 2])
    : undefined;
  return { first, second };
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

/** Where a table's name would be; behind the end where none can be. */
function tableNameAt(tokens: readonly Token[]): number {
  if (isWord(tokens[0], "SELECT")) {
    const from = tokens.findIndex((token, index) =>
      isWord(token, "FROM") && depthAt(tokens, index) === 0
    );
    return from < 0 ? tokens.length : from + 1;
  }
  const words = ABOUT_TABLE.find((all) =>
    all.every((word, index) => isWord(tokens[index], word))
  );
  return words?.length ?? tokens.length;
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
