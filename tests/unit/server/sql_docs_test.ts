import { assert, assertEquals } from "@std/assert";
import { StatementFault } from "../../../lib/server/statement_error.ts";
import { SOURCE_OPTIONS } from "../../../lib/server/source_option.ts";
import { STATEMENTS } from "../../../lib/server/statement_list.ts";
import { formatSqlDocs } from "../../../scripts/sql_docs.ts";

const FILE = new URL("../../../docs/sql.md", import.meta.url);

Deno.test("docs/sql.md is what the table of statements says", async () => {
  const hint = "run scripts/sql_docs.ts";
  assertEquals(await Deno.readTextFile(FILE), formatSqlDocs(), hint);
});

Deno.test("docs/sql.md has every statement, option and error", async () => {
  const docs = await Deno.readTextFile(FILE);
  for (const { syntax } of STATEMENTS) {
    assert(docs.includes(`\`${syntax.replaceAll("|", "\\|")}\``), syntax);
  }
  for (const name of SOURCE_OPTIONS.keys()) {
    assert(docs.includes(`\`${name}\``), name);
  }
  for (const [name, { code }] of Object.entries(StatementFault)) {
    assert(new RegExp(`^\\| ${code} .*\`${name}\``, "m").test(docs), name);
  }
});

Deno.test("STATEMENTS has each spelling once, and in its syntax", () => {
  const spellings = STATEMENTS.flatMap(({ words }) => words);
  assertEquals(spellings.length, new Set(spellings).size);
  for (const { words, syntax } of STATEMENTS) {
    const known = new Set(syntax.match(/[A-Z_]+/g));
    for (const spelling of words) {
      for (const word of spelling.split(" ")) {
        assert(known.has(word), `${spelling}: ${word} is not in ${syntax}`);
      }
    }
  }
});

Deno.test("STATEMENTS says of each refusable statement who may", () => {
  for (const { needed, words } of STATEMENTS) {
    if (needed === undefined) continue;
    assert(needed.anyOf.length > 0, words[0]);
    assert(needed.mysql !== "" && needed.mariadb !== "", words[0]);
  }
});
