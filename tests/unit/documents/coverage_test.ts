import { assertEquals } from "@std/assert";
import { MarkdownDocument } from "../../documents/markdown_document.ts";
import { NOT_RUN } from "../../documents/not_run.ts";

const FOLDER = new URL("../../documents/", import.meta.url);

/** Blocks that nothing has to be done with. */
const PICTURES = new Set(["", "mermaid"]);

Deno.test("every document with commands has a test that runs them", async () => {
  const untested: string[] = [];
  for (const path of await MarkdownDocument.list()) {
    const { blocks } = await MarkdownDocument.read(path);
    if (blocks.every(({ language }) => PICTURES.has(language))) continue;
    const test = await testOf(path);
    if (!test.includes(`documentTest("${path}"`)) untested.push(path);
  }
  assertEquals(untested, [], "write tests/documents/NAME_test.ts for these");
});

Deno.test("what is not run is in documents that there are", async () => {
  const documents = new Set(await MarkdownDocument.list());
  const strange = NOT_RUN.filter(({ document }) => !documents.has(document));
  assertEquals(strange, []);
});

/** The text of a document's test: `docs/admin-api.md` has admin_api_test.ts. */
async function testOf(path: string): Promise<string> {
  const name = path.split("/").at(-1)!.replace(".md", "").toLowerCase();
  const file = `${name.replaceAll("-", "_")}_test.ts`;
  try {
    return await Deno.readTextFile(new URL(file, FOLDER));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  }
}
