import { assertEquals } from "@std/assert";
import { failedTests } from "../../../../scripts/failures/failed_tests.ts";

const FILE = `
Deno.test("it => breaks", () => {
  throw new Error("first\\n\\n FAILURES \\n\\nit => breaks\\nerror: not one");
});
Deno.test("has steps", async (t) => {
  await t.step("good", () => {});
  await t.step("bad", () => { throw new TypeError("\\x1b[31mred\\x1b[0m"); });
});
Deno.test("is well", () => { console.log("\\n ERRORS \\n\\nof another run"); });
`;

/** What `deno test` says of files with these texts, with its exit status. */
async function testRun(files: Record<string, string>): Promise<string> {
  const folder = await Deno.makeTempDir();
  try {
    for (const [name, text] of Object.entries(files)) {
      await Deno.writeTextFile(`${folder}/${name}`, text);
    }
    const { stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["test", "--no-config", "--no-check", "."],
      cwd: folder,
      env: { FORCE_COLOR: "1" },
      stderr: "null",
    }).output();
    return new TextDecoder().decode(stdout);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("failedTests() reads of each test and step of a run why it failed", async () => {
  const failed = failedTests(await testRun({ "a_test.ts": FILE }));
  assertEquals(failed.map(({ title }) => title), [
    "it => breaks => ./a_test.ts:2:6",
    "has steps ... bad => ./a_test.ts:7:11",
  ]);
  const [first, second] = failed;
  assertEquals(first?.lines.slice(0, 6), [
    "Error: first",
    "",
    " FAILURES ",
    "",
    "it => breaks",
    "error: not one",
  ]);
  assertEquals(second?.lines[0], "TypeError: red");
});

Deno.test("failedTests() reads what kept a file from being loaded", async () => {
  const text = await testRun({
    "a_test.ts": `throw new Error("too early");`,
    "b_test.ts": `Deno.test("is well", () => {});`,
  });
  const [failed, ...others] = failedTests(text);
  assertEquals(others, []);
  assertEquals(failed?.title, "./a_test.ts (uncaught error)");
  assertEquals(failed?.lines[0], "(in promise) Error: too early");
});

Deno.test("failedTests() finds none in a run that passed, or was ended", async () => {
  assertEquals(
    failedTests(await testRun({ "b_test.ts": `Deno.test("b", () => {});` })),
    [],
  );
  const whole = await testRun({ "a_test.ts": FILE });
  for (let end = 0; end < whole.lastIndexOf("it => breaks"); end += 7) {
    failedTests(whole.slice(0, end));
  }
  assertEquals(failedTests(whole.slice(0, whole.indexOf("ERRORS"))), []);
  assertEquals(failedTests(""), []);
});
