import { assertEquals } from "@std/assert";
import { MarkdownDocument } from "../../documents/markdown_document.ts";
import { fileExists } from "../../../lib/tls/file_exists.ts";

const ROOT = new URL("../../../", import.meta.url);

Deno.test("every link between documents leads to a file, and its anchor to a heading", async () => {
  const faults: string[] = [];
  for (const path of await MarkdownDocument.list()) {
    const document = await MarkdownDocument.read(path);
    for (const { text, line } of document.links) {
      if (/^[a-z]+:/.test(text)) continue;
      const fault = await faultOf(document, text);
      if (fault !== undefined) faults.push(`${path}:${line}: ${text} ${fault}`);
    }
  }
  assertEquals(faults, []);
});

async function faultOf(
  document: MarkdownDocument,
  link: string,
): Promise<string | undefined> {
  const [file = "", anchor] = link.split("#");
  const url = new URL(file, new URL(document.path, ROOT));
  const path = file === "" ? document.path : url.href.slice(ROOT.href.length);
  if (!await fileExists(new URL(path, ROOT))) return "is not there";
  if (anchor === undefined) return undefined;
  const target = await MarkdownDocument.read(path);
  return target.anchors.has(anchor) ? undefined : "has no such heading";
}
