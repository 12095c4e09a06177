import { assertEquals, assertStringIncludes } from "@std/assert";
import {
  kingbusProgram,
  runKingbus,
  runToEnd,
} from "../../support/kingbus_process.ts";
import { shellCommand } from "../../support/pseudo_terminal.ts";

Deno.test("kingbus says that the data folder is none, and that there are other ones", async () => {
  const folder = await Deno.makeTempDir({ prefix: "kingbus-no-folder-" });
  try {
    await Deno.writeTextFile(`${folder}/file`, "");
    for (const dataDir of [`${folder}/file`, `${folder}/file/data`]) {
      const { code, stderr } = await runKingbus([
        "serve",
        `--data-dir=${dataDir}`,
        "--admin-listen=127.0.0.1:0",
        "--server-listen=127.0.0.1:0",
      ]);
      assertEquals(code, 1);
      assertStringIncludes(
        stderr,
        `${dataDir} is no folder, or is in something that is none: choose another data-dir`,
      );
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test({
  name: "kingbus says that its output can't be written, with exit code 1",
  ignore: Deno.build.os !== "linux",
  fn: async () => {
    const help = shellCommand(kingbusProgram(["help"]));
    const { code, stderr } = await runToEnd(
      new Deno.Command("sh", {
        args: ["-c", `${help} >/dev/full`],
        stdin: "null",
        stdout: "piped",
        stderr: "piped",
      }),
    );
    assertEquals(code, 1);
    assertStringIncludes(
      stderr,
      "kingbus: the output can't be written: No space left on device",
    );
  },
});
