import { assertEquals } from "@std/assert";
import { shellWords } from "../../documents/shell_words.ts";

Deno.test("shellWords() gives each command's words", () => {
  const cases: [statement: string, words: string[][]][] = [
    ["kingbus status", [["kingbus", "status"]]],
    ["a --x='1 2' \"b c\"   # why", [["a", "--x=1 2", "b c"]]],
    ["a | b && c; d &", [["a"], ["b"], ["c"], ["d"]]],
    ["a >f 2>&1 <g b", [["a", "b"]]],
    ["a \\\n  b", [["a", "b"]]],
    ["mysqlbinlog ./until/binlog.* | mysql", [
      ["mysqlbinlog", "./until/binlog.*"],
      ["mysql"],
    ]],
  ];
  for (const [statement, words] of cases) {
    assertEquals(shellWords(statement), words);
  }
});
