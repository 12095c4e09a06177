import { assert, assertEquals } from "@std/assert";
import { fileURLToPath } from "node:url";
import { parseCompileOptions } from "../../scripts/compile/compile_options.ts";
import { usualFolders } from "../../lib/permission/usual_folders.ts";
import { permissionFlags } from "../../scripts/compile/permission_flags.ts";
import { COMPILE_TARGETS } from "../../scripts/compile/compile_target.ts";
import { MarkdownDocument } from "../documents/markdown_document.ts";
import { shellStatements } from "../documents/shell_statements.ts";
import { e2eTest } from "../support/e2e_test.ts";
import { runToEnd } from "../support/kingbus_process.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const DOCUMENT = "docs/binary.md";

/** What `deno task compile` needs of the project. */
const SOURCES = ["deno.json", "lib", "main.ts", "mod.ts", "scripts"];

/** Cross-compiling needs the runtimes of the other systems. */
const NOT_RUN = /--target\b/;

const text = await Deno.readTextFile(ROOT + DOCUMENT);
const document = await MarkdownDocument.read(DOCUMENT);
const statements: string[] = [];
for (const block of document.blocks) {
  if (block.language !== "sh") continue;
  for (const one of await shellStatements(block)) statements.push(one.text);
}

await e2eTest(
  "every command in docs/binary.md works as it stands",
  [],
  async ({ folder }) => {
    const bin = `${folder}/bin`;
    const project = `${folder}/project`;
    await Deno.mkdir(bin);
    await Deno.mkdir(project);
    const deno = Deno.env.get("DENO") ?? Deno.execPath();
    await Deno.symlink(deno, `${bin}/deno`);
    for (const name of SOURCES) {
      await runToEnd(
        new Deno.Command("cp", {
          args: ["-r", ROOT + name, project],
          stdout: "piped",
          stderr: "piped",
        }),
      );
    }
    let ran = 0;
    for (const statement of statements) {
      if (NOT_RUN.test(statement)) {
        console.error(`NOT RUN, other systems' runtimes: ${statement}`);
        continue;
      }
      const { code, stderr } = await runToEnd(
        new Deno.Command("bash", {
          args: ["-euo", "pipefail", "-c", statement],
          cwd: project,
          env: { PATH: `${bin}:${Deno.env.get("PATH")}`, NO_COLOR: "1" },
          stdin: "null",
          stdout: "piped",
          stderr: "piped",
        }),
      );
      assertEquals(code, 0, `${statement}: ${stderr}`);
      ran++;
    }
    assert(ran >= 5, `${ran} commands ran`);
  },
);

await e2eTest(
  "docs/binary.md has the words of a refusal",
  [],
  async ({ executable, folder }) => {
    const block = document.blocks.find(({ language }) => language === "text");
    const outside = "/srv/kb";
    const { stderr } = await runToEnd(
      executable.launch({ cwd: folder })(
        ["serve", `--data-dir=${outside}`, "--log-format=json"],
      ),
    );
    const { error } = JSON.parse(stderr.trimEnd().split("\n").at(-1)!);
    assertEquals(error.replaceAll(folder, "/home/me"), block?.text.trim());
  },
);

Deno.test("docs/binary.md has every target, folder and variable", () => {
  for (const target of COMPILE_TARGETS) {
    assert(text.includes(`| \`${target}\``), target);
  }
  const { read, write } = usualFolders("linux");
  for (const folder of [...read, ...write]) {
    if (folder !== ".") assert(text.includes(`\`${folder}\``), folder);
  }
  const [variables] = permissionFlags("linux", { folders: [], variables: [] })
    .filter((flag) => flag.startsWith("--allow-env="));
  for (const name of variables!.replace("--allow-env=", "").split(",")) {
    assert(text.includes(`\`${name}\``), name);
  }
});

Deno.test("every deno task compile in docs/binary.md is understood", () => {
  const commands = statements.filter((one) =>
    one.startsWith("deno task compile")
  );
  assert(commands.length >= 4);
  for (const command of commands) {
    const [, , , ...args] = command.split(/\s+/);
    assert(parseCompileOptions(args, COMPILE_TARGETS[0]) !== undefined);
  }
});
