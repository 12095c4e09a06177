import { assertRejects } from "@std/assert";
import type { DocumentPlan } from "./document_run.ts";
import { machineTest, runDocument } from "./document_suite.ts";
import { MarkdownDocument } from "./markdown_document.ts";

/** A block of a document. */
function block(language: string, text: string): string {
  return `\`\`\`${language}\n${text}\n\`\`\`\n`;
}

/** Documents that don't do what they say, and what has to be said of each. */
const FALSE_DOCUMENTS: [text: string, fault: string, plan?: DocumentPlan][] = [
  [block("sh", "true\nkingbus stattus"), "lie.md:3: exit code 2"],
  [block("sh", "ls /srv/nowhere"), "exit code 2"],
  [block("sh", "false | cat"), "exit code 1"],
  [block("sh", "echo 'a"), "bash wants"],
  [
    block("sh", "kingbus version") + block("text", "kongbus 0.1.0 (Deno …"),
    'no "kongbus',
  ],
  [block("text", "kingbus 0.1.0"), "no command stands before"],
  [block("sql", "SHOW BINARY LOGS;"), "no client was opened"],
  [block("yaml", "source:\n  adress: db1:3306"), "source.adress"],
  [
    block("yaml", "# kingbus.yaml\nsource:\n  address: db1:3306"),
    "source.user",
  ],
  [block("pascal", "begin end."), 'nothing runs blocks of "pascal"'],
  [block("sh", "kingbus serve --data-dir /proc/none"), "exit code 1"],
  [
    block(
      "sh",
      'echo \'{"message":"no such path"}\' > a\ncurl -s file://$PWD/a',
    ),
    "exit code 22",
  ],
  [block("sh", "true"), "no longer what its test names", {
    servers: {},
    after: { "kingbus status": () => {} },
  }],
];

await machineTest("documents that don't do what they say are found out", {
  servers: {},
}, async () => {
  for (const [text, fault, plan] of FALSE_DOCUMENTS) {
    const document = new MarkdownDocument("docs/lie.md", text);
    await assertRejects(
      () => runDocument(document, plan ?? { servers: {} }),
      Error,
      fault,
      text,
    );
  }
});
