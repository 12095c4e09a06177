import { assertEquals, assertThrows } from "@std/assert";
import { StatementError } from "../../../lib/server/statement_error.ts";
import { tokenizeStatement } from "../../../lib/server/statement_tokenizer.ts";

/** Kind and value of every token but the last. */
function tokens(text: string): string[] {
  return tokenizeStatement(text).slice(0, -1)
    .map(({ kind, value }) => `${kind} ${value}`);
}

Deno.test("tokenizeStatement() splits a replica's SET", () => {
  assertEquals(tokens("SET @a= 5, @@global.b:='x';"), [
    "word SET",
    "user-variable a",
    "symbol =",
    "integer 5",
    "symbol ,",
    "symbol @@",
    "word global",
    "symbol .",
    "word b",
    "symbol :=",
    "string x",
    "symbol ;",
  ]);
});

Deno.test("tokenizeStatement() resolves quotes and escapes", () => {
  assertEquals(tokens(String.raw`'a''b' "c\"d" 'e\'f\\g\n\0\x' 'h\%i\_'`), [
    "string a'b",
    'string c"d',
    "string e'f\\g\n\0x",
    String.raw`string h\%i\_`,
  ]);
  assertEquals(tokens("`a``b\\`"), ["identifier a`b\\"]);
});

Deno.test("tokenizeStatement() knows the spellings of a user variable", () => {
  assertEquals(tokens("@a.b$1 @`a b` @'c' @\"d\""), [
    "user-variable a.b$1",
    "user-variable a b",
    "user-variable c",
    "user-variable d",
  ]);
});

Deno.test("tokenizeStatement() tells kinds of numbers apart", () => {
  assertEquals(tokens("1 1.5 .5 1e3 1.5E-2 0x4142 x'4a' 1a"), [
    "integer 1",
    "decimal 1.5",
    "decimal .5",
    "double 1e3",
    "double 1.5E-2",
    "binary AB",
    "binary J",
    "integer 1",
    "word a",
  ]);
});

Deno.test("tokenizeStatement() drops comments but reads conditional ones", () => {
  assertEquals(tokens("/* a */ b -- c\nd # e\n/*!40101 f */ /*! g*/ h--1"), [
    "word b",
    "word d",
    "word f",
    "word g",
    "word h",
    "symbol -",
    "symbol -",
    "integer 1",
  ]);
  // six digits: for MariaDB only
  assertEquals(tokens("a /*!100100 b */ c"), ["word a", "word c"]);
});

Deno.test("tokenizeStatement() refuses what is unterminated or no token", () => {
  for (
    const text of ["'a", '"a', "`a", "/* a", "@", "@'a", "a \\ b", "a ? b"]
  ) {
    const error = assertThrows(() => tokenizeStatement(text), StatementError);
    assertEquals(error.code, 1064, text);
  }
});

Deno.test("tokenizeStatement() names the line of what it refuses", () => {
  const error = assertThrows(
    () => tokenizeStatement("SELECT\n\n  ?"),
    StatementError,
  );
  assertEquals(error.message.slice(-18), "near '?' at line 3");
});

Deno.test("tokenizeStatement() refuses more tokens than any client sends", () => {
  assertThrows(() => tokenizeStatement(",".repeat(20_000)), StatementError);
});
