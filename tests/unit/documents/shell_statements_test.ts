import { assertEquals, assertRejects } from "@std/assert";
import { shellStatements } from "../../documents/shell_statements.ts";

function block(text: string): Parameters<typeof shellStatements>[0] {
  return { language: "sh", text, line: 10, heading: "" };
}

Deno.test("shellStatements() parts statements as they are typed", async () => {
  const text = `# a comment
kingbus status   # and one behind
curl -X PUT http://127.0.0.1:9595/a \\
  -d '{"a": 1,
  "b": 2}'

cat >a.yaml <<'END'
name: a
# no comment
END
for x in 1 2; do
  echo $x
done`;
  assertEquals(await shellStatements(block(text)), [
    { text: "kingbus status   # and one behind", line: 11 },
    { text: text.split("\n").slice(2, 5).join("\n"), line: 12 },
    { text: text.split("\n").slice(6, 10).join("\n"), line: 16 },
    { text: text.split("\n").slice(10).join("\n"), line: 20 },
  ]);
});

Deno.test("shellStatements() refuses what bash can't read", async () => {
  for (const text of ["echo 'a", "cat <<END\na", "if true; then", "a \\"]) {
    await assertRejects(() => shellStatements(block(text)), SyntaxError);
  }
});
