import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { importFlags } from "../../../scripts/import_flags.ts";
import { freePort } from "../../../scripts/test_servers/free_port.ts";
import { rigTest } from "../../../scripts/test_servers/rig.ts";

/** Runs a test file that needs a server nobody has, under some environment. */
async function testWithoutServer(
  env: Record<string, string>,
): Promise<{ success: boolean; output: string }> {
  const module = import.meta.resolve("../../../scripts/test_servers/rig.ts");
  const file = await Deno.makeTempFile({ suffix: "_test.ts" });
  await Deno.writeTextFile(
    file,
    `import { rigTest } from "${module}";
await rigTest("needs a server", ["mysql97"], () => {});
`,
  );
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["test", "-A", ...await importFlags(), file],
    cwd: new URL("../../../", import.meta.url),
    env: { NO_COLOR: "1", KINGBUS_REQUIRE_RIG: "", ...env },
    stdin: "null",
  }).output();
  await Deno.remove(file);
  const decoder = new TextDecoder();
  return { success, output: decoder.decode(stderr) + decoder.decode(stdout) };
}

Deno.test("rigTest() skips loudly without its server", async () => {
  const address = `127.0.0.1:${freePort()}`;
  const { success, output } = await testWithoutServer({
    KINGBUS_RIG_97: address,
  });
  assert(success, output);
  assertStringIncludes(
    output,
    `SKIPPED "needs a server": mysql97: no MySQL 9.7 source at ${address}`,
  );
  assertStringIncludes(output, "0 passed | 0 failed | 1 ignored");
});

Deno.test("rigTest() fails without its server where the rig is required", async () => {
  const { success, output } = await testWithoutServer({
    KINGBUS_RIG_97: `127.0.0.1:${freePort()}`,
    KINGBUS_REQUIRE_RIG: "1",
  });
  assertEquals(success, false);
  assertStringIncludes(output, "0 passed | 1 failed");
});

await rigTest("rigTest() gives MySQL 9.7", [
  "mysql97",
  "mysql97-replica",
  "mysqlbinlog",
], async (rig) => {
  const ids = new Set<string | null | undefined>();
  for (const part of ["mysql97", "mysql97-replica"] as const) {
    const { rows } = await rig.server(part).query("SELECT @@server_id");
    ids.add(rows[0]?.[0]);
  }
  assertEquals(ids.size, 2);
  const { itsPath, path } = await rig.program("mysqlbinlog").makeFolder();
  const { success, stderr } = await rig.program("mysqlbinlog").run([
    "--read-from-remote-server",
    "--get-server-public-key",
    "--host=127.0.0.1",
    `--port=${rig.server("mysql97").port}`,
    "--user=repl",
    "--password=replpass",
    "--raw",
    `--result-file=${itsPath}/copy-`,
    await firstFile(rig.server("mysql97").query("SHOW BINARY LOGS")),
  ]);
  assert(success, new TextDecoder().decode(stderr));
  assertEquals([...Deno.readDirSync(path)].length, 1);
  await Deno.remove(path, { recursive: true });
});

await rigTest("rigTest() gives MariaDB", [
  "mariadb",
  "mariadb-replica",
  "mariadb-binlog",
], async (rig) => {
  const ids = new Set<string | null | undefined>();
  for (const part of ["mariadb", "mariadb-replica"] as const) {
    const { rows } = await rig.server(part).query("SELECT @@server_id");
    ids.add(rows[0]?.[0]);
  }
  assertEquals(ids.size, 2);
  assert((await rig.program("mariadb-binlog").run(["--version"])).success);
});

/** Name of the first file of a `SHOW BINARY LOGS`. */
async function firstFile(
  answer: Promise<{ rows: (string | null)[][] }>,
): Promise<string> {
  const { rows } = await answer;
  return rows[0]?.[0] ?? "";
}
