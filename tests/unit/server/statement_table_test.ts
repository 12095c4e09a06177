import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import {
  prepareRefusal,
  tableRefusal,
} from "../../../lib/server/statement_table.ts";

Deno.test("tableRefusal() says of a SELECT from a table where its answer is to be had", () => {
  const cases: [text: string, code: number, begin: string][] = [
    [
      "SELECT COLUMN_NAME, COLLATION_NAME FROM INFORMATION_SCHEMA.COLUMNS WHERE TABLE_SCHEMA='a'",
      1109,
      "Unknown table 'COLUMNS' in INFORMATION_SCHEMA: ",
    ],
    [
      "select 1 from `information_schema` . `TABLES`",
      1109,
      "Unknown table 'TABLES' in information_schema: ",
    ],
    ["SELECT * FROM test.t", 1146, "Table 'test.t' doesn't exist: "],
    ["show create table `a`.`b`", 1146, "Table 'a.b' doesn't exist: "],
    ["SHOW FULL COLUMNS FROM t", 1146, "Table 't' doesn't exist: "],
    ["DESC mysql.user", 1146, "Table 'mysql.user' doesn't exist: "],
    ["SELECT 1 FROM dual.x", 1146, "Table 'dual.x' doesn't exist: "],
    ["SELECT EXTRACT(DAY FROM d) FROM t", 1146, "Table 't' doesn't exist: "],
  ];
  for (const [text, code, begin] of cases) {
    const refusal = tableRefusal(text);
    assertEquals(refusal?.code, code, text);
    assertEquals(refusal?.sqlState, "42S02");
    assert(refusal?.message.startsWith(begin), refusal?.message);
    assertStringIncludes(refusal?.message ?? "", "a connection to the source");
  }
});

Deno.test("tableRefusal() has nothing against statements without a table", () => {
  const texts = [
    "SELECT 1",
    "SELECT 1 FROM DUAL LIMIT 1",
    "SELECT TRIM(LEADING 'x' FROM 'xy')",
    "SELECT 'FROM t'",
    "SELECT @@server_id -- FROM t",
    "SHOW BINLOG EVENTS FROM 4",
    "SELECT 1 FROM",
    "",
  ];
  for (const text of texts) assertEquals(tableRefusal(text), undefined, text);
});

Deno.test("prepareRefusal() says what a statement would be told as text, else that it has to be text", () => {
  const codes: [text: string, code: number][] = [
    ["SELECT ? FROM information_schema.columns WHERE table_schema=?", 1109],
    ["SELECT 1 FROM t WHERE a = ?", 1146],
    ["SELECT 'unterminated", 1064],
    ["SELECT 1", 1295],
    ["SHOW VARIABLES LIKE ?", 1295],
    ["", 1295],
  ];
  for (const [text, code] of codes) {
    assertEquals(prepareRefusal(text).code, code, text);
  }
});
