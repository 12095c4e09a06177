/**
 * The compatibility table.
 *
 * ```text
 * compatibility.ts docs          writes docs/compatibility.md
 * compatibility.ts check FILE    says what became of each cell in a test run,
 *                                by its report in JUnit's format
 * ```
 *
 * @module
 */
import { compatibilityDocument } from "../tests/compatibility/document.ts";
import { judgeCells } from "../tests/compatibility/judge_cells.ts";
import { COMPATIBILITY } from "../tests/compatibility/table.ts";
import { readTestReport } from "../tests/compatibility/test_report.ts";

const DOCUMENT = new URL("../docs/compatibility.md", import.meta.url);

async function check(path: string): Promise<boolean> {
  const report = readTestReport(await Deno.readTextFile(path));
  const verdict = judgeCells(COMPATIBILITY, report);
  for (const line of verdict.lines) console.log(line);
  return verdict.ok;
}

if (import.meta.main) {
  const [command, file] = Deno.args;
  if (command === "docs") {
    await Deno.writeTextFile(DOCUMENT, compatibilityDocument());
  } else if (command === "check" && file !== undefined) {
    if (!await check(file)) Deno.exit(1);
  } else {
    console.error("usage: compatibility.ts docs | check JUNIT-FILE");
    Deno.exit(2);
  }
}
