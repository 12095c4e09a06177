import { assertEquals } from "@std/assert";
import {
  compareTables,
  type Comparison,
  type Query,
} from "../../../../scripts/demo/compare_tables.ts";

type Row = (string | null)[];

/** A table of a server that is made up: `id`, `name` and a blob, `body`. */
interface FakeTable {
  rows: Row[];
  definition?: string;
}

/** Answers what `compareTables()` asks a server with such tables. */
function fakeServer(tables: Record<string, FakeTable>): Query {
  const answer = (rows: Row[]) =>
    Promise.resolve({ columns: [], rows, affectedRows: 0n });
  return (sql) => {
    if (sql.includes("information_schema.columns")) {
      const columns = [["id", "bigint"], ["name", "varchar"], ["body", "BLOB"]];
      return answer(
        Object.keys(tables).flatMap((table) =>
          columns.map((column): Row => [table, ...column as [string, string]])
        ),
      );
    }
    const [, name] = /`shop`\.`(\w+)`/.exec(sql)!;
    const { rows, definition } = tables[name!]!;
    if (sql.startsWith("SHOW CREATE TABLE")) {
      const text = definition ?? "CREATE TABLE (…) AUTO_INCREMENT=7 CHARSET=x";
      return answer([[name!, text]]);
    }
    assertEquals(sql.includes("SELECT `id`, `name`, HEX(`body`) FROM"), true);
    const after = BigInt(/ WHERE id > (-?\d+)/.exec(sql)?.[1] ?? -1_000_000);
    const limit = Number(/ ORDER BY id LIMIT (\d+)$/.exec(sql)![1]);
    return answer(
      rows.filter(([id]) => BigInt(id!) > after).slice(0, limit),
    );
  };
}

function compare(
  source: Record<string, FakeTable>,
  replica: Record<string, FakeTable>,
): Promise<Comparison> {
  return compareTables("shop", fakeServer(source), fakeServer(replica));
}

const ADA: Row = ["1", "Ada", "00FF"];
const BOB: Row = ["2", null, ""];
const ZOE: Row = ["9007199254740993", "Zoë", "01"];

Deno.test("compareTables() finds nothing where all is the same", async () => {
  const tables = () => ({ a: { rows: [ADA, BOB] }, b: { rows: [ZOE] } });
  assertEquals(await compare(tables(), tables()), {
    tables: 2,
    rows: 3,
    differing: 0,
    differences: [],
  });
});

Deno.test("compareTables() tells NULL from an empty text", async () => {
  const { differing, differences } = await compare(
    { a: { rows: [ADA, BOB] } },
    { a: { rows: [ADA, ["2", "", ""]] } },
  );
  assertEquals(differing, 1);
  assertEquals(differences, ["table a, id 2: name is '', on the source NULL"]);
});

Deno.test("compareTables() compares binary values by all their bytes", async () => {
  const { differences } = await compare(
    { a: { rows: [ADA] } },
    { a: { rows: [["1", "Ada", "00FE"]] } },
  );
  assertEquals(differences, [
    "table a, id 1: body is '00FE', on the source '00FF'",
  ]);
});

Deno.test("compareTables() finds rows that only one side has", async () => {
  const comparison = await compare(
    { a: { rows: [ADA, ZOE] } },
    { a: { rows: [["-5", "x", ""], ADA, BOB] } },
  );
  assertEquals(comparison, {
    tables: 1,
    rows: 4,
    differing: 3,
    differences: [
      "table a, id -5: only the replica has it",
      "table a, id 2: only the replica has it",
      "table a, id 9007199254740993: the replica lacks the row",
    ],
  });
});

Deno.test("compareTables() tells ids apart beyond what a number holds", async () => {
  const { differing } = await compare(
    { a: { rows: [["9007199254740993", "x", ""]] } },
    { a: { rows: [["9007199254740992", "x", ""]] } },
  );
  assertEquals(differing, 2);
});

Deno.test("compareTables() finds the one row of many pages that differs", async () => {
  const rows = Array.from({ length: 1_000 }, (_, at): Row => [
    String(at + 1),
    "x",
    "",
  ]);
  const changed = rows.with(777, ["778", "y", ""]);
  assertEquals(await compare({ a: { rows } }, { a: { rows: changed } }), {
    tables: 1,
    rows: 1_000,
    differing: 1,
    differences: ["table a, id 778: name is 'y', on the source 'x'"],
  });
  const same = await compare({ a: { rows } }, { a: { rows: [...rows] } });
  assertEquals([same.rows, same.differing], [1_000, 0]);
});

Deno.test("compareTables() finds a table that only one side has", async () => {
  const { differences } = await compare(
    { a: { rows: [] }, b: { rows: [] } },
    { a: { rows: [] }, c: { rows: [] } },
  );
  assertEquals(differences, [
    "table b: only the source has it",
    "table c: only the replica has it",
  ]);
});

Deno.test("compareTables() finds another definition, but for the next number", async () => {
  const table = (definition: string) => ({ a: { rows: [ADA], definition } });
  const { differences } = await compare(
    table("CREATE TABLE (x) AUTO_INCREMENT=7"),
    table("CREATE TABLE (y) AUTO_INCREMENT=7"),
  );
  assertEquals(differences, ["table a: is not defined as on the source"]);
  const { differing } = await compare(
    table("CREATE TABLE (x) AUTO_INCREMENT=7 CHARSET=z"),
    table("CREATE TABLE (x) AUTO_INCREMENT=12 CHARSET=z"),
  );
  assertEquals(differing, 0);
});

Deno.test("compareTables() counts all differences and tells some", async () => {
  const rows = Array.from({ length: 30 }, (_, at): Row => [`${at}`, "x", ""]);
  const long = "long ".repeat(40);
  const others = rows.map(([id]): Row => [id!, long, ""]);
  const { differing, differences } = await compare(
    { a: { rows } },
    { a: { rows: others } },
  );
  assertEquals([differing, differences.length], [30, 10]);
  assertEquals(
    differences[0],
    `table a, id 0: name is '${
      long.slice(0, 40)
    }…' (200 characters), on the source 'x'`,
  );
});
