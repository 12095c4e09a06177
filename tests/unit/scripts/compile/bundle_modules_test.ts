import { assert, assertEquals, assertRejects } from "@std/assert";
import { fileURLToPath } from "node:url";
import {
  bundleModules,
  findWorkers,
} from "../../../../scripts/compile/bundle_modules.ts";
import { CompileError } from "../../../../scripts/compile/compile_error.ts";
import { denoCommand } from "../../../../scripts/compile/deno_command.ts";
import { writeSums } from "../../../../scripts/compile/write_sums.ts";

const ROOT = fileURLToPath(new URL("../../../../", import.meta.url));

async function withFolder(
  test: (folder: string) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("findWorkers() finds every module that lib/ starts as a worker", async () => {
  const workers = await findWorkers(ROOT);
  assert(
    workers.includes("lib/connection/compression_thread.ts"),
    `${workers}`,
  );
  for (const worker of workers) assert((await Deno.stat(ROOT + worker)).isFile);
});

Deno.test("bundleModules() puts workers beside the main module, and says nothing of the machine", () =>
  withFolder(async (folder) => {
    const asked: string[] = [];
    const entry = { main: "main.ts", workers: ["lib/a/b_thread.ts"] };
    const bundled = await bundleModules(entry, folder, async (args) => {
      asked.push(args.join(" "));
      const made = args.includes("--outdir")
        ? [`${folder}/main.js`, `${folder}/part-X.js`]
        : [args[2]!];
      for (const path of made) {
        await Deno.writeTextFile(
          path,
          '// ../../home/x/.cache/deno/npm/registry.example/yaml/2.9.1/a.js\nlet a = "../b/npm";',
        );
      }
    });
    assertEquals(bundled, {
      main: `${folder}/main.js`,
      workers: [`${folder}/b_thread.ts`],
    });
    assertEquals(asked, [
      `bundle --code-splitting --outdir ${folder} main.ts`,
      `bundle --output ${folder}/b_thread.ts lib/a/b_thread.ts`,
    ]);
    for (const name of ["main.js", "part-X.js", "b_thread.ts"]) {
      assertEquals(
        await Deno.readTextFile(`${folder}/${name}`),
        '// npm/yaml/2.9.1/a.js\nlet a = "../b/npm";',
      );
    }
  }));

Deno.test("bundleModules() refuses two workers of one name", () =>
  withFolder(async (folder) => {
    const entry = { main: "main.ts", workers: ["lib/a/x.ts", "lib/b/x.ts"] };
    await assertRejects(
      () => bundleModules(entry, folder, () => Promise.resolve()),
      CompileError,
      "Two workers are called x.ts",
    );
  }));

Deno.test("denoCommand() names DENORT_BIN where Deno can't get its runtime", () =>
  withFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/main.ts`, "");
    const compile = denoCommand({
      cwd: folder,
      flags: ["--no-config", "--no-lock", "--no-check"],
      env: {
        DENORT_BIN: "",
        DENO_DIR: `${folder}/cache`,
        HTTPS_PROXY: "http://127.0.0.1:1",
        https_proxy: "http://127.0.0.1:1",
      },
    });
    await assertRejects(
      () => compile(["compile", `--output=${folder}/out`, "main.ts"]),
      CompileError,
      `have DENORT_BIN name a file that is the denort of Deno ${Deno.version.deno}`,
    );
  }));

Deno.test("writeSums() writes what sha256sum reads", () =>
  withFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/a`, "abc");
    await Deno.writeTextFile(`${folder}/b`, "");
    await writeSums(`${folder}/SUMS`, [`${folder}/a`, `${folder}/b`]);
    assertEquals(
      await Deno.readTextFile(`${folder}/SUMS`),
      "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  a\n" +
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  b\n",
    );
  }));
