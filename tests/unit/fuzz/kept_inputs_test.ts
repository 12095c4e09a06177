// Inputs that were found by `deno task fuzz` and that nothing may break again.

import { assert, assertMatch } from "@std/assert";
import { attempt } from "../../fuzz/fuzz_loop.ts";
import { parseHex } from "../../fuzz/fuzz_options.ts";
import { TARGETS } from "../../fuzz/targets.ts";

const ROOT = new URL("../../fixtures/fuzz/", import.meta.url);
/** The gate's machine may be busy with all else. */
const INPUT_MS_MAX = 5000;

const folders = [...Deno.readDirSync(ROOT)]
  .filter((entry) => entry.isDirectory);

Deno.test("every kept input belongs to a target", () => {
  for (const { name } of folders) {
    assert(TARGETS.some((target) => target.name === name), name);
  }
});

for (const target of TARGETS) {
  Deno.test(`${target.name} takes its corpus and the inputs once found`, async () => {
    const kept = folders.some(({ name }) => name === target.name)
      ? [...Deno.readDirSync(new URL(`${target.name}/`, ROOT))]
      : [];
    const inputs = kept.map(({ name }) =>
      parseHex(Deno.readTextFileSync(new URL(`${target.name}/${name}`, ROOT)))
    );
    for (const input of [...target.corpus, ...inputs]) {
      await attempt(target, input, { metered: true, msMax: INPUT_MS_MAX });
    }
  });
}

Deno.test("session gets past the login, to statements and dumps", async () => {
  const target = TARGETS.find(({ name }) => name === "session")!;
  const answers: string[] = [];
  for (const input of target.corpus) {
    answers.push(await attempt(target, input, { msMax: INPUT_MS_MAX }));
  }
  // the first packets of answers: OK, a result set of one column, an error
  assertMatch(answers.join(" "), /\b0,1,.*ERR 1094/s);
});
