import { statementSyntaxError } from "./statement_error.ts";

/**
 * What a token is:
 * - `word`: an unquoted identifier or keyword;
 * - `identifier`: a name in backticks;
 * - `string`: a quoted string, escapes resolved;
 * - `integer`, `decimal`, `double`: a number without fraction, with one, with an exponent;
 * - `binary`: `0x4142` or `x'4142'`, the value being its bytes as Latin-1 characters;
 * - `user-variable`: `@name` in any of its spellings;
 * - `symbol`: an operator or punctuation, `@@` included;
 * - `end`: after the last token.
 */
export type TokenKind =
  | "word"
  | "identifier"
  | "string"
  | "integer"
  | "decimal"
  | "double"
  | "binary"
  | "user-variable"
  | "symbol"
  | "end";

/** One token of a statement. */
export interface Token {
  readonly kind: TokenKind;
  /** The meaning: unquoted and unescaped; a user variable's name without its `@`. */
  readonly value: string;
  /** Offset of the token's first UTF-16 unit in the statement. */
  readonly start: number;
  /** Offset just after its last unit. */
  readonly end: number;
}

/**
 * The most tokens of one statement. No known client sends a thousand; a
 * megabyte of commas must not become as many objects.
 */
const TOKENS_MAX = 10_000;

const SPACE = /[ \t\r\n\f\v\0]+/y;
const WORD = /[A-Za-z_$\u0080-\uffff][A-Za-z0-9_$\u0080-\uffff]*/y;
const VARIABLE_NAME = /[A-Za-z0-9_.$\u0080-\uffff]+/y;
const HEXADECIMAL = /0x([0-9a-fA-F]+)\b|[xX]'([0-9a-fA-F]*)'/y;
const NUMBER = /(?:[0-9]+(\.[0-9]*)?|(\.[0-9]+))([eE][-+]?[0-9]+)?/y;
const SYMBOL = /:=|<=>|<>|!=|<=|>=|@@|[=<>,();.+\-*/!]/y;
/** `-- ` needs a space or control character behind it to be a comment; `#` does not. */
const LINE_COMMENT = /(?:#|--(?=[\0- ]|$))[^\n]*/y;
/** `/*!50503 …` is a statement for servers of at least 5.5.3; six digits mean MariaDB only. */
const CONDITIONAL_COMMENT = /\/\*!(?:[0-9]{5}(?![0-9]))?(?![0-9])/y;

const ESCAPES: Readonly<Record<string, string>> = {
  "0": "\0",
  b: "\b",
  n: "\n",
  r: "\r",
  t: "\t",
  Z: "\x1a",
  // LIKE patterns see the backslash (manual: "String Literals")
  "%": "\\%",
  _: "\\_",
};

/**
 * Splits a statement into tokens, as MySQL's lexer does for the part of SQL a
 * binlog server is asked (manual: "Language Structure"; default `sql_mode`, so
 * that `"x"` is a string). Comments and space are dropped; the text in a
 * conditional comment counts. The last token is always `end`.
 *
 * @throws {StatementError} 1064 for an unterminated string, name or comment, for
 * a character that begins no token, and for too many tokens
 */
export function tokenizeStatement(text: string): Token[] {
  const tokens: Token[] = [];
  let offset = 0;
  let inConditionalComment = false;
  const match = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = offset;
    return pattern.exec(text);
  };
  const push = (kind: TokenKind, value: string, end: number): void => {
    if (tokens.length === TOKENS_MAX) throw statementSyntaxError(text, offset);
    tokens.push({ kind, value, start: offset, end });
    offset = end;
  };
  while (offset < text.length) {
    const skipped = match(SPACE) ?? match(LINE_COMMENT);
    if (skipped !== null) {
      offset += skipped[0].length;
      continue;
    }
    if (inConditionalComment && text.startsWith("*/", offset)) {
      inConditionalComment = false;
      offset += 2;
      continue;
    }
    if (text.startsWith("/*", offset)) {
      const conditional = inConditionalComment
        ? null
        : match(CONDITIONAL_COMMENT);
      const close = text.indexOf("*/", offset + 2);
      if (close < 0) throw statementSyntaxError(text, offset);
      if (conditional !== null) {
        inConditionalComment = true;
        offset += conditional[0].length;
      } else {
        offset = close + 2;
      }
      continue;
    }
    const first = text[offset];
    if (first === "'" || first === '"') {
      const { value, end } = quoted(text, offset);
      push("string", value, end);
      continue;
    }
    if (first === "`") {
      const { value, end } = quoted(text, offset);
      push("identifier", value, end);
      continue;
    }
    if (first === "@" && text[offset + 1] !== "@") {
      const { value, end } = userVariable(text, offset);
      push("user-variable", value, end);
      continue;
    }
    const hexadecimal = match(HEXADECIMAL);
    if (hexadecimal !== null) {
      const digits = hexadecimal[1] ?? hexadecimal[2] ?? "";
      push("binary", bytesOf(digits), offset + hexadecimal[0].length);
      continue;
    }
    const number = match(NUMBER);
    if (number !== null) {
      const kind = number[3] !== undefined
        ? "double"
        : (number[1] ?? number[2]) !== undefined
        ? "decimal"
        : "integer";
      push(kind, number[0], offset + number[0].length);
      continue;
    }
    const word = match(WORD);
    if (word !== null) {
      push("word", word[0], offset + word[0].length);
      continue;
    }
    const symbol = match(SYMBOL);
    if (symbol === null) throw statementSyntaxError(text, offset);
    push("symbol", symbol[0], offset + symbol[0].length);
  }
  push("end", "", offset);
  return tokens;
}

/** Reads what stands in quotes of any of the three kinds; a doubled quote stands for itself. */
function quoted(text: string, start: number): { value: string; end: number } {
  const quote = text[start]!;
  // in backticks a backslash is a character like any other
  const escapes = quote !== "`";
  let value = "";
  let runStart = start + 1;
  for (let i = runStart; i < text.length; i += 1) {
    const unit = text[i]!;
    if (unit === "\\" && escapes) {
      const escaped = text[i + 1];
      if (escaped === undefined) break;
      value += text.slice(runStart, i) + (ESCAPES[escaped] ?? escaped);
      i += 1;
      runStart = i + 1;
    } else if (unit === quote) {
      value += text.slice(runStart, i);
      if (text[i + 1] !== quote) return { value, end: i + 1 };
      value += quote;
      i += 1;
      runStart = i + 1;
    }
  }
  throw statementSyntaxError(text, start);
}

/** Reads `@name`, `@'name'`, `@"name"` or `` @`name` ``. */
function userVariable(
  text: string,
  start: number,
): { value: string; end: number } {
  const next = text[start + 1];
  if (next === "'" || next === '"' || next === "`") {
    return quoted(text, start + 1);
  }
  VARIABLE_NAME.lastIndex = start + 1;
  const name = VARIABLE_NAME.exec(text);
  if (name === null) throw statementSyntaxError(text, start);
  return { value: name[0], end: start + 1 + name[0].length };
}

function bytesOf(digits: string): string {
  const even = digits.length % 2 === 0 ? digits : `0${digits}`;
  let value = "";
  for (let i = 0; i < even.length; i += 2) {
    value += String.fromCharCode(Number.parseInt(even.slice(i, i + 2), 16));
  }
  return value;
}
