import { assert, assertEquals } from "@std/assert";
import { unicodeWidth } from "@std/cli";
import { Style } from "../../../lib/cli/style.ts";
import { formatTable, type TableColumn } from "../../../lib/cli/table.ts";
import { shortenText, wrapText } from "../../../lib/cli/wrap_text.ts";

interface Row {
  name: string;
  size: string;
  note: string;
}

const COLUMNS: TableColumn<Row>[] = [
  { title: "NAME", text: ({ name }) => name, min: 6 },
  { title: "SIZE", text: ({ size }) => size, align: "right" },
  { title: "NOTE", text: ({ note }) => note, drop: 1 },
];

const ROWS: Row[] = [
  { name: "数据库一号", size: "1", note: "short" },
  { name: "a", size: "1000", note: "a longer note" },
];

function table(width: number, rows = ROWS): string[] {
  return formatTable(rows, COLUMNS, { width, style: new Style(false) });
}

Deno.test("formatTable() aligns by the room that characters take", () => {
  assertEquals(table(Infinity), [
    "NAME        SIZE  NOTE",
    "数据库一号     1  short",
    "a           1000  a longer note",
  ]);
});

Deno.test("formatTable() shortens, then leaves out, then goes down the page", () => {
  assertEquals(table(28), [
    "NAME     SIZE  NOTE",
    "数据库…     1  short",
    "a        1000  a longer note",
  ]);
  assertEquals(table(20), [
    "NAME        SIZE",
    "数据库一号     1",
    "a           1000",
  ]);
  assertEquals(table(8), [
    "NAME  数据库一号",
    "SIZE  1",
    "NOTE  short",
    "",
    "NAME  a",
    "SIZE  1000",
    "NOTE  a longer note",
  ]);
  for (const width of [28, 20, 13, 12]) {
    for (const line of table(width)) {
      assert(unicodeWidth(line) <= width, `${width}: ${line}`);
    }
  }
});

Deno.test("formatTable() lets no text drive the terminal", () => {
  const hostile = "\u001b]0;x\u0007\r\n\u009b2J\u202e\u200b";
  const [, line] = table(Infinity, [{ name: hostile, size: "1", note: "" }]);
  assertEquals(line, "?]0;x????2J??     1");
});

Deno.test("wrapText() breaks between words, and inside of ones that are too long", () => {
  assertEquals(wrapText("one two three", 7), ["one two", "three"]);
  assertEquals(wrapText("a 0123456789", 4), ["a", "0123", "4567", "89"]);
  assertEquals(wrapText("数据库", 4), ["数据", "库"]);
  assertEquals(wrapText("", 4), [""]);
  assertEquals(shortenText("数据库", 6), "数据库");
  assertEquals(shortenText("数据库", 5), "数据…");
  assertEquals(shortenText("数据库", 4), "数…");
  assertEquals(shortenText("ab", 1), "…");
  assertEquals(shortenText("ab", 0), "");
});
